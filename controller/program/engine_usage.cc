#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "controller/program/engine.h"
#include "reconcilers/lifecycle/usage_look.h"

// How the engine learns who uses a version: only when a plan depends on it, one look for all galleries, the answer kept
// for a few minutes (decision 0027).
namespace galleryd {
namespace {

constexpr std::chrono::seconds machines_age_max{30};
constexpr std::chrono::seconds save_pause{60};
constexpr std::size_t galleries_at_once = 200;  // more: each is asked about when a plan needs it

bool by_usage(const BlockReason& reason) { return reason.interlock_point == 7; }

// Something is, or would be, taken away if nobody uses it.
bool depends_on_usage(const Plan& plan) {
    return std::ranges::any_of(plan.changes, &Change::usage_asked) ||
           std::ranges::any_of(plan.blocked,
                               [](const Blocked& blocked) { return std::ranges::any_of(blocked.reasons, by_usage); });
}

void take_usage_from(std::vector<BlockReason>& reasons, const std::vector<BlockReason>& fresh) {
    const auto told = std::ranges::find_if(fresh, by_usage);
    const auto old = std::ranges::find_if(reasons, by_usage);
    if (told != fresh.end() && old != reasons.end()) *old = *told;
}

// Ends a turn however the coroutine ends; the next one who waits is let in.
class Turn {
  public:
    Turn(bool& looking, Event& event) : looking_(looking), event_(event) { looking_ = true; }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() {
        looking_ = false;
        event_.set();
    }

  private:
    bool& looking_;
    Event& event_;
};

}  // namespace

// Who uses what may have changed since the scope's resources were read, while the kind of the reasons stayed the same:
// people are told the names of today.
void Engine::tell_usage(Plan& plan, const Plan& hint) {
    for (Blocked& blocked : plan.blocked) {
        const auto fresh = std::ranges::find_if(hint.blocked, [&](const Blocked& one) {
            return one.arm_id == blocked.arm_id && one.action == blocked.action && one.rule == blocked.rule;
        });
        if (fresh == hint.blocked.end() || std::ranges::none_of(fresh->reasons, by_usage)) continue;
        take_usage_from(blocked.reasons, fresh->reasons);
        for (const auto& [name, text] : fresh->evidence) blocked.evidence[name] = text;
    }
    for (VersionVerdict& verdict : plan.verdicts) {
        const auto fresh = std::ranges::find(hint.verdicts, verdict.arm_id, &VersionVerdict::arm_id);
        if (fresh != hint.verdicts.end()) take_usage_from(verdict.blocked_by, fresh->blocked_by);
    }
}

void Engine::load_usage() {
    const auto saved = journal_.setting(usage_setting);
    if (!saved) return;  // the waits begin anew
    usage_.load(*saved, instant());
}

void Engine::remember_usage(bool at_once) {
    if (!usage_.is_changed() || !options_.remember_documents || !journal_.writable()) return;
    const auto now = clock_.monotonic();
    if (!at_once && usage_saved_at_ && now - *usage_saved_at_ < save_pause) return;
    usage_saved_at_ = now;
    if (journal_.put_setting(usage_setting, usage_.save())) usage_.note_saved();
}

// A plan from a hint knows less than a whole view, so it begins and ends no wait.
void Engine::follow_usage(const DefinitionView& view, const Plan& plan) {
    if (usage_reader_ == nullptr || !view.complete || !view.definition) return;
    std::set<std::string> wanted;
    for (const Change& change : plan.changes) {
        if (change.usage_asked) wanted.insert(change.arm_id.key());
    }
    for (const Blocked& blocked : plan.blocked) {
        if (std::ranges::any_of(blocked.reasons, by_usage)) wanted.insert(blocked.arm_id.key());
    }
    for (const VersionVerdict& verdict : plan.verdicts) {
        if (verdict.candidate || verdict.delete_after) wanted.insert(verdict.arm_id.key());
    }
    usage_.follow(view.definition->id, wanted, view.versions, instant());
}

std::vector<ResourceId> Engine::usage_galleries(const ResourceId& gallery) {
    std::set<ResourceId> declared;
    for (const auto& [name, scope] : scopes()) declared.insert(scope.gallery_id);
    std::erase_if(usage_galleries_, [&](const ResourceId& id) { return !declared.contains(id); });
    if (declared.size() <= galleries_at_once) usage_galleries_ = std::move(declared);
    usage_galleries_.insert(gallery);
    return {usage_galleries_.begin(), usage_galleries_.end()};
}

Task<void> Engine::look_at_usage(ResourceId gallery) {
    const Instant began = instant();
    std::vector<ResourceId> galleries = usage_galleries(gallery);
    const auto missing_before = usage_.missing();
    auto answer = co_await look_at_users(*usage_reader_, api_, std::move(galleries));
    if (!answer) co_return std::unexpected(answer.error());
    usage_.note(std::move(*answer), began, instant());
    for (const auto& [subscription, day] : usage_.missing()) {
        if (missing_before.contains(subscription)) continue;
        events_.warning(
            "SubscriptionNotReadable", subscription,
            "Subscription " + subscription + " could be read on " + day +
                " and cannot be read any more, so nobody knows which image versions are in use there; "
                "nothing that may be in use is taken away, in no gallery, until it can be read again. Grant "
                "this identity Reader on it, or set retention.inUse: Ignore where consumers may lose it.");
    }
    co_return Status{};
}

// Whoever asks while another one looks waits, and takes that answer.
Task<void> Engine::read_usage(ResourceId gallery, UsageFor what) {
    if (!usage_turn_) {
        const auto executor = co_await boost::asio::this_coro::executor;
        if (!usage_turn_) usage_turn_.emplace(executor);
    }
    while (usage_looking_) co_await usage_turn_->wait();
    const Turn turn(usage_looking_, *usage_turn_);
    if (usage_.is_fresh(gallery, what, instant()) || usage_.has_just_failed(instant())) co_return Status{};
    const auto looked = co_await look_at_usage(gallery);
    if (!looked) {
        usage_.note_failure(looked.error(), instant());
        log_.warning(
            "nobody could say who uses image versions",
            {{"reason", looked.error().reason}, {"code", looked.error().code}, {"detail", looked.error().message}});
    }
    co_return Status{};
}

Task<bool> Engine::learns_usage(const Scope& scope, const Plan& plan) {
    if (usage_reader_ == nullptr || scope.kind != ScopeKind::definition || !depends_on_usage(plan)) co_return false;
    const ResourceId gallery = scope.gallery_id;
    if (usage_.is_fresh(gallery, UsageFor::plan, instant())) co_return false;
    const auto read = co_await read_usage(gallery, UsageFor::plan);
    if (!read) co_return std::unexpected(read.error());
    co_return true;
}

Task<VersionUsage> Engine::usage_now(ResourceId version, const std::vector<ObservedVersion>* versions) {
    if (usage_reader_ == nullptr) co_return VersionUsage{};
    const auto definition = version.parent();
    const auto gallery = definition ? definition->parent() : std::nullopt;
    if (!gallery) co_return VersionUsage{};
    remember_usage(true);  // what the request relies on is written down before it leaves
    const auto read = co_await read_usage(*gallery, UsageFor::request);
    if (!read) co_return std::unexpected(read.error());
    if (!usage_.is_fresh(*gallery, UsageFor::request, instant())) {
        co_return fail(ErrorKind::not_ready, "UsageUnknown",
                       "the last answer of who uses image versions is too old to take one away by");
    }
    VersionUsage usage = usage_.usage_of(version, versions, instant());
    if (usage.state != UsageState::not_in_use || machine_lists_ == nullptr) co_return usage;
    co_return co_await without_lag(std::move(version), versions, std::move(usage));
}

Task<void> Engine::list_machines(std::string subscription) {
    const auto known = machines_seen_.find(subscription);
    if (known != machines_seen_.end() && clock_.monotonic() - known->second.at < machines_age_max) co_return Status{};
    const auto began = clock_.monotonic();
    auto machines = co_await machine_lists_->list_machines(subscription);
    if (!machines) co_return std::unexpected(machines.error());
    std::erase_if(machines_seen_, [&](const auto& entry) { return began - entry.second.at >= machines_age_max; });
    machines_seen_[subscription] = {.at = began, .machines = std::move(*machines)};
    co_return Status{};
}

// The index shows a machine half a minute after it was made, or later. Where users of this gallery are known, and in
// the gallery's own subscription, the provider is asked itself; whoever deploys for the first time from elsewhere is
// not seen.
Task<VersionUsage> Engine::without_lag(ResourceId version, const std::vector<ObservedVersion>* versions,
                                       VersionUsage usage) {
    const ResourceId gallery = *version.parent()->parent();
    UsageAnswer fresh = *usage_.answer();
    const std::set<std::string> subscriptions = subscriptions_to_list(fresh, gallery);
    fresh.users.clear();
    for (const std::string& subscription : subscriptions) {
        const auto listed = co_await list_machines(subscription);
        if (!listed) co_return std::unexpected(listed.error());
        const auto seen = machines_seen_.find(subscription);
        if (seen == machines_seen_.end()) co_return fail(ErrorKind::not_ready, "UsageUnknown", "asked again");
        for (const MachineImage& machine : seen->second.machines) {
            for (ImageUser& user : users_from(machine, fresh.names)) fresh.users.push_back(std::move(user));
        }
    }
    sort_users(fresh.users);
    const VersionUsers found = find_users(fresh, {.version = version, .versions = versions, .missing = {}});
    if (found.users.empty()) co_return usage;
    usage_.note_user(version);
    co_return VersionUsage{.state = UsageState::in_use, .detail = users_text(found.users)};
}

}  // namespace galleryd
