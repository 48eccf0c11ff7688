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

void Engine::load_usage(UsageDesk& desk) {
    const auto saved = journal_.setting(desk.setting);
    if (!saved) return;  // the waits begin anew
    desk.book.load(*saved, instant());
}

// Each credential sees for its own galleries: what another one can read says nothing here, and asking with it would be
// help from outside (decision 0030).
UsageDesk& Engine::desk_of(const ResourceId& gallery) {
    const CredentialChoice* const choice = credentials_ == nullptr ? nullptr : credentials_->find(gallery);
    if (choice == nullptr) return own_desk();
    const std::string name = choice->problem.empty() ? choice->name : choice->problem;
    const auto [at, is_new] = usage_desks_.try_emplace(name);
    UsageDesk& desk = at->second;
    if (!is_new) return desk;
    desk.setting = usage_setting_of(name);
    if (credential_facts_.usage) desk.askers = credential_facts_.usage(*choice);
    load_usage(desk);
    return desk;
}

void Engine::remember_usage(bool at_once) {
    if (!options_.remember_documents || !journal_.writable()) return;
    const auto now = clock_.monotonic();
    for (auto& [name, desk] : usage_desks_) {
        if (!desk.book.is_changed()) continue;
        if (!at_once && desk.saved_at && now - *desk.saved_at < save_pause) continue;
        desk.saved_at = now;
        if (journal_.put_setting(desk.setting, desk.book.save())) desk.book.note_saved();
    }
}

// A plan from a hint knows less than a whole view, so it begins and ends no wait.
void Engine::follow_usage(const DefinitionView& view, const Plan& plan) {
    if (!view.complete || !view.definition) return;
    UsageDesk& desk = desk_of(view.definition->id);
    if (desk.askers.reader == nullptr) return;
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
    desk.book.follow(view.definition->id, wanted, view.versions, instant());
}

std::vector<ResourceId> Engine::usage_galleries(UsageDesk& desk, const ResourceId& gallery) {
    std::set<ResourceId> declared;
    for (const auto& [name, scope] : scopes()) {
        if (&desk_of(scope.gallery_id) == &desk) declared.insert(scope.gallery_id);
    }
    std::erase_if(desk.galleries, [&](const ResourceId& id) { return !declared.contains(id); });
    if (declared.size() <= galleries_at_once) desk.galleries = std::move(declared);
    desk.galleries.insert(gallery);
    return {desk.galleries.begin(), desk.galleries.end()};
}

Task<void> Engine::look_at_usage(UsageDesk& desk, ResourceId gallery) {
    const Instant began = instant();
    std::vector<ResourceId> galleries = usage_galleries(desk, gallery);
    const auto missing_before = desk.book.missing();
    auto answer = co_await look_at_users(*desk.askers.reader, api_, std::move(galleries));
    if (!answer) co_return std::unexpected(answer.error());
    desk.book.note(std::move(*answer), began, instant());
    for (const auto& [subscription, day] : desk.book.missing()) {
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
Task<void> Engine::read_usage(UsageDesk& desk, ResourceId gallery, UsageFor what) {
    if (!desk.turn) {
        const auto executor = co_await boost::asio::this_coro::executor;
        if (!desk.turn) desk.turn.emplace(executor);
    }
    while (desk.looking) co_await desk.turn->wait();
    const Turn turn(desk.looking, *desk.turn);
    if (desk.book.is_fresh(gallery, what, instant()) || desk.book.has_just_failed(instant())) co_return Status{};
    const auto looked = co_await look_at_usage(desk, gallery);
    if (!looked) {
        desk.book.note_failure(looked.error(), instant());
        log_.warning(
            "nobody could say who uses image versions",
            {{"reason", looked.error().reason}, {"code", looked.error().code}, {"detail", looked.error().message}});
    }
    co_return Status{};
}

Task<bool> Engine::learns_usage(const Scope& scope, const Plan& plan) {
    if (scope.kind != ScopeKind::definition || !depends_on_usage(plan)) co_return false;
    const ResourceId gallery = scope.gallery_id;
    UsageDesk& desk = desk_of(gallery);
    if (desk.askers.reader == nullptr) co_return false;
    if (desk.book.is_fresh(gallery, UsageFor::plan, instant())) co_return false;
    const auto read = co_await read_usage(desk, gallery, UsageFor::plan);
    if (!read) co_return std::unexpected(read.error());
    co_return true;
}

Task<VersionUsage> Engine::usage_now(ResourceId version, const std::vector<ObservedVersion>* versions) {
    const auto definition = version.parent();
    const auto gallery = definition ? definition->parent() : std::nullopt;
    if (!gallery) co_return VersionUsage{};
    UsageDesk& desk = desk_of(*gallery);
    if (desk.askers.reader == nullptr) co_return VersionUsage{};
    remember_usage(true);  // what the request relies on is written down before it leaves
    const auto read = co_await read_usage(desk, *gallery, UsageFor::request);
    if (!read) co_return std::unexpected(read.error());
    if (!desk.book.is_fresh(*gallery, UsageFor::request, instant())) {
        co_return fail(ErrorKind::not_ready, "UsageUnknown",
                       "the last answer of who uses image versions is too old to take one away by");
    }
    VersionUsage usage = desk.book.usage_of(version, versions, instant());
    if (usage.state != UsageState::not_in_use || desk.askers.lists == nullptr) co_return usage;
    co_return co_await without_lag(desk, std::move(version), versions, std::move(usage));
}

Task<void> Engine::list_machines(UsageDesk& desk, std::string subscription) {
    const auto known = desk.machines_seen.find(subscription);
    if (known != desk.machines_seen.end() && clock_.monotonic() - known->second.at < machines_age_max)
        co_return Status{};
    const auto began = clock_.monotonic();
    auto machines = co_await desk.askers.lists->list_machines(subscription);
    if (!machines) co_return std::unexpected(machines.error());
    std::erase_if(desk.machines_seen, [&](const auto& entry) { return began - entry.second.at >= machines_age_max; });
    desk.machines_seen[subscription] = {.at = began, .machines = std::move(*machines)};
    co_return Status{};
}

// The index shows a machine half a minute after it was made, or later. Where users of this gallery are known, and in
// the gallery's own subscription, the provider is asked itself; whoever deploys for the first time from elsewhere is
// not seen.
Task<VersionUsage> Engine::without_lag(UsageDesk& desk, ResourceId version,
                                       const std::vector<ObservedVersion>* versions, VersionUsage usage) {
    const ResourceId gallery = *version.parent()->parent();
    UsageAnswer fresh = *desk.book.answer();
    const std::set<std::string> subscriptions = subscriptions_to_list(fresh, gallery);
    fresh.users.clear();
    for (const std::string& subscription : subscriptions) {
        const auto listed = co_await list_machines(desk, subscription);
        if (!listed) co_return std::unexpected(listed.error());
        const auto seen = desk.machines_seen.find(subscription);
        if (seen == desk.machines_seen.end()) co_return fail(ErrorKind::not_ready, "UsageUnknown", "asked again");
        for (const MachineImage& machine : seen->second.machines) {
            for (ImageUser& user : users_from(machine, fresh.names)) fresh.users.push_back(std::move(user));
        }
    }
    sort_users(fresh.users);
    const VersionUsers found = find_users(fresh, {.version = version, .versions = versions, .missing = {}});
    if (found.users.empty()) co_return usage;
    desk.book.note_user(version);
    co_return VersionUsage{.state = UsageState::in_use, .detail = users_text(found.users)};
}

}  // namespace galleryd
