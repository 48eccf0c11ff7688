#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/simulation/guard_facts.h"
#include "tests/simulation/world.h"

// The guard's eye on single points of the interlock, by the documents, by Azure as it is, and by true time.
namespace galleryd {
namespace {

using Json = nlohmann::json;
using std::chrono::minutes;

constexpr std::chrono::seconds look_age_max{30};
constexpr minutes clocks_apart_max{5};  // further apart: no time-based decision; less: either clock may be right

std::optional<TimePoint> date_of(const Json& version, const char* name) {
    return parse_rfc3339(text_in(version.at("properties").at("publishingProfile"), name));
}

std::string identity_of(const Json& resource) {
    const Json none = Json::object();
    const Json properties = resource.value("properties", none);
    return text_in(properties.value("publishingProfile", none), "publishedDate") + " " +
           fold_case(properties.value("storageProfile", none).value("source", none).dump());
}

}  // namespace

// ---- point 1: the strictest mode of what it is and of what it lies in ----
void Guard::judge_modes(const ResourceId& resource) {
    for (std::optional<ResourceId> id = resource; id; id = id->parent()) {
        const auto judge_mode = [&](const auto* document) {
            if (document == nullptr || document->governance.mode == Mode::manage) return;
            wrong("I1: taken away, and spec.mode of " + to_string(document->meta.key) + " is " +
                  std::string(to_string(document->governance.mode)) + ": " + resource.text());
        };
        judge_mode(declared_as(declared_.versions, *id));
        judge_mode(declared_as(declared_.definitions, *id));
        judge_mode(declared_as(declared_.galleries, *id));
    }
}

// ---- point 2: a tag can be copied by anybody; only who wrote it knows that it did ----
void Guard::judge_record(const std::string& id) {
    if (!recorded_.contains(ResourceId(id).key()))
        wrong("I6: taken away, and this state directory knows nothing of having made it: " + id);
}

// ---- point 3: a rule names it ----
void Guard::judge_by_rule(const std::string& id, const Json& version, const Retention& retention) {
    const TimePoint now = world_.clock.now();
    const auto marked = parse_rfc3339(tag(version, "galleryd-delete-after"));
    if (!marked || *marked >= now) wrong("I1: deleted without a mark or before its grace ended: " + id);
    const auto published = date_of(version, "publishedDate");
    const auto end_of_life = date_of(version, "endOfLifeDate");
    const auto is_past = [&](const auto& since, const auto& age) {
        return since && age && now + clocks_apart_max - *since > *age;
    };
    const bool is_named = is_past(published, retention.older_than) ||
                          is_past(end_of_life, retention.past_end_of_life) ||
                          (state_of(version) == "Failed" && is_past(published, retention.failed_after));
    if (!is_named) wrong("I1: deleted, and no rule names it: " + id);
}

// ---- point 5: read by itself just now, and the same as what was planned from ----
void Guard::answered(const http::Request& request, const http::Response& answer, std::chrono::nanoseconds asked) {
    if (answer.status != 200) return;
    if (request.method == "POST" && path_of(request).contains("Microsoft.ResourceGraph"))
        return note_shown_subscriptions(answer.body);
    if (request.method != "GET") return;
    if (!fold_case(path_of(request)).contains("/providers/microsoft.compute/galleries/")) return;
    Answered& last = answered_[request.target];
    if (last.body != answer.body) last = shown_in(answer.body);
    for (const Shown& shown : last.shown) show(shown, asked, last.alone);
}

Guard::Answered Guard::shown_in(std::string text) {
    Answered made;
    const Json body = Json::parse(text, nullptr, false);
    made.body = std::move(text);
    if (!body.is_object()) return made;
    const auto add = [&](const Json& resource) {
        if (!resource.is_object() || !resource.contains("id") || !resource["id"].is_string()) return;
        made.shown.push_back({ResourceId(resource["id"].get<std::string>()).key(), identity_of(resource)});
    };
    made.alone = !body.contains("value");
    if (made.alone) add(body);
    else if (body["value"].is_array()) std::ranges::for_each(body["value"], add);
    return made;
}

void Guard::show(const Shown& shown, std::chrono::nanoseconds asked, bool alone) {
    Sights& sights = sights_[shown.key];
    const Sight sight{.asked = asked, .shift = world_.daemon_clock.shift, .identity = shown.identity};
    sights.before = std::exchange(sights.last, sight);
    if (alone) sights.alone = sight;
}

void Guard::judge_sight(const std::string& id) {
    const Sights& sights = sights_[ResourceId(id).key()];
    if (!sights.alone) return wrong("I1: taken away, and nobody had read it by itself: " + id);
    const auto age = world_.clock.monotonic() - sights.alone->asked;
    if (age > look_age_max) {
        wrong("I1: taken away by a look of " +
              std::to_string(std::chrono::duration_cast<std::chrono::seconds>(age).count()) + " s ago: " + id);
    }
    if (sights.before && sights.before->identity != sights.last->identity)
        wrong("I1: taken away, and what was planned is another one: " + id + " was " + sights.before->identity +
              " and is " + sights.last->identity);
}

// ---- point 6 ----
void Guard::judge_holds(const std::string& id, const Json& resource) {
    const ResourceId self(id);
    if (has_tag(resource, "galleryd-hold")) wrong("I1: held resource deleted: " + id);
    for (std::optional<ResourceId> at = self; at; at = at->parent()) {
        const auto judge_hold = [&](const auto* document) {
            if (document != nullptr && document->meta.hold)
                wrong("I1: deleted, and " + to_string(document->meta.key) + " is held: " + id);
        };
        judge_hold(declared_as(declared_.versions, *at));
        judge_hold(declared_as(declared_.definitions, *at));
        judge_hold(declared_as(declared_.galleries, *at));
    }
    if (fold_case(self.type()) != "microsoft.compute/galleries/images/versions") return;
    if (const Retention* retention = retention_of(*self.parent())) {
        for (const auto& [name, value] : retention->protect_tags) {
            const std::string found = tag(resource, fold_case(name));
            if (!found.empty() && (found == "null" || fold_case(found) == fold_case(value)))
                wrong("I1: protected version deleted: " + id);
        }
    }
    const Json safety = resource.at("properties").value("safetyProfile", Json::object());
    const auto end_of_life = date_of(resource, "endOfLifeDate");
    const bool is_past = end_of_life && *end_of_life < world_.clock.now();
    if (safety.value("blockDeletionBeforeEndOfLife", false) && !is_past)
        wrong("I1: deleted, and blockDeletionBeforeEndOfLife is set: " + id);
}

// ---- point 8 ----
void Guard::judge_time(const std::string& id, const Json& version) {
    const std::string text = text_in(version.at("properties").at("publishingProfile"), "endOfLifeDate");
    const auto end_of_life = parse_rfc3339(text);
    if (state_of(version) == "Succeeded" && !text.empty() && (!end_of_life || *end_of_life >= world_.clock.now()))
        wrong("I1: deleted before its end of life, " + text + ": " + id);
    const Sights& sights = sights_[ResourceId(id).key()];
    const Duration now = std::chrono::abs(world_.daemon_clock.shift);
    const Duration then = sights.alone ? std::chrono::abs(sights.alone->shift) : now;
    if (std::min(now, then) >= clocks_apart_max)
        wrong("I1: deleted while the clocks are " + format_duration(std::chrono::floor<std::chrono::seconds>(now)) +
              " apart: " + id);
}

// ---- point 9 ----
// Rank counts what is usable, and what only we keep out of latest for now (behaviour §4: "not excluded by hand").
bool Guard::counts_as_usable(const ResourceId& version) const {
    const Json there = world_.azure_json(version.text());
    const bool is_ready = state_of(there) == "Succeeded" || state_of(there) == "Updating";
    return is_usable(there) || (is_ready && excluded_by_us_.contains(version.key()));
}

void Guard::judge_keep_rules(const std::string& id, const Json& version) {
    const ResourceId self(id);
    const auto number = parse_image_version_number(self.name());
    if (!number) return wrong("I1: " + id + " is no version number, and deleted");
    int newer_usable = 0;
    for (const ResourceId& other : versions_of(self.parent()->key())) {
        const auto other_number = parse_image_version_number(other.name());
        if (other_number && *other_number > *number && counts_as_usable(other)) ++newer_usable;
    }
    if (is_usable(version) && newer_usable == 0)
        wrong("I8: the newest usable version is deleted: " + id + describe(self.parent()->key()));
    const Retention* retention = retention_of(*self.parent());
    if (retention == nullptr) return;
    if (is_usable(version) && newer_usable < retention->keep_newest)
        wrong("I1: among the newest that the policy keeps: " + id + describe(self.parent()->key()));
    const auto published = date_of(version, "publishedDate");
    if (!published || world_.clock.now() + clocks_apart_max - *published < retention->minimum_age)
        wrong("I1: deleted, and younger than the policy's minimumAge: " + id);
}

// ---- point 10 ----
bool Guard::is_approved(const ResourceId& version) const {
    const auto says_so = [](const auto* document) {
        return document != nullptr && document->meta.deletion_approved.has_value();
    };
    return approved_.contains(version.key()) || says_so(declared_as(declared_.versions, version)) ||
           says_so(declared_as(declared_.definitions, *version.parent())) || says_so(policy_of(*version.parent()));
}

void Guard::judge_brakes(const std::string& id, bool by_retention) {
    static const Retention no_policy;
    const ResourceId self(id);
    const std::string definition = self.parent()->key();
    const Retention* policy = retention_of(*self.parent());
    const Retention& retention = policy != nullptr ? *policy : no_policy;
    if (by_retention && retention.approval_required && !is_approved(self))
        wrong("I8: deleted, and nobody approved it: " + id);
    const int deleted = deleted_in_pass_[definition]++;
    const int there = static_cast<int>(versions_of(definition).size()) + deleted;
    const int share = std::max(1, there * retention.percent_per_pass_max / 100);
    if (deleted >= std::min(retention.deletes_per_pass_max, share) && !is_approved(self))
        wrong("I8: deletion " + std::to_string(deleted + 1) + " of one pass, more than the brake allows: " + id);
    if (retention.window) judge_window(id, *retention.window);
    if (clock_was_off_) return;  // the daemon's hour was another one
    const TimePoint since = std::max(memory_since_, world_.clock.now() - std::chrono::hours{1});
    const auto counts = [&](const simulator::Mutation& mutation) {
        return mutation.method == "DELETE" && mutation.at > since && deleted_.contains(fold_case(mutation.path)) &&
               fold_case(ResourceId(mutation.path).type()) == "microsoft.compute/galleries/images/versions" &&
               ResourceId(mutation.path).subscription() == self.subscription();
    };
    if (std::ranges::count_if(world_.azure.history(), counts) >= world_.engine_options().deletes_per_hour_max)
        wrong("I8: more deletions within an hour than allowed: " + id);
}

// Windows in UTC only: other zones are the business of tests/unit.
void Guard::judge_window(const std::string& id, const DeletionWindow& window) {
    if (window.time_zone != "UTC") return;
    const auto is_open = [&](TimePoint at) {
        const auto day = std::chrono::floor<std::chrono::days>(at);
        const auto minute = std::chrono::duration_cast<minutes>(at - day).count();
        const bool spans_midnight = window.from_minute > window.to_minute;
        const bool is_after = minute >= window.from_minute;
        const bool is_before = minute < window.to_minute;
        if (!(spans_midnight ? is_after || is_before : is_after && is_before)) return false;
        const auto opened = spans_midnight && !is_after ? day - std::chrono::days{1} : day;
        const int weekday = static_cast<int>(std::chrono::weekday(opened).c_encoding());
        return window.days.empty() || std::ranges::find(window.days, weekday) != window.days.end();
    };
    const Duration shift = world_.daemon_clock.shift;
    if (!is_open(world_.clock.now()) && !is_open(world_.clock.now() + shift))
        wrong("I8: deleted outside the policy's window: " + id);
}

}  // namespace galleryd
