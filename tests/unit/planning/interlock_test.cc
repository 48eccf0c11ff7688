#include "reconcilers/lifecycle/interlock.h"

#include <doctest/doctest.h>

#include <functional>
#include <set>

using namespace galleryd;

namespace {

const TimePoint now = *parse_rfc3339("2026-03-01T00:00:00Z");
const ResourceId sample_id{
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/golden/images/u/versions/1.2.0"};

Policy open_policy() {
    Policy policy;
    policy.instance = "test";
    policy.allow_deletes = true;
    policy.prune = true;
    policy.clock_skew = Duration{0};
    return policy;
}

// A question that passes: everything a caller has to say yes to, said.
InterlockQuestion passing(const Policy& policy) {
    InterlockQuestion question;
    question.policy = &policy;
    question.now = now;
    question.mode = Mode::manage;
    question.ownership = OwnershipProof::document;
    question.positive_reason = "standard/olderThan";
    question.view_complete = true;
    question.state = ProvisioningState::succeeded;
    question.operation_in_flight = false;
    question.identity_known = true;
    question.usage.state = UsageState::not_in_use;
    question.keep_text.clear();
    question.brakes = {.deletions = 1,
                       .per_pass_max = 1,
                       .percent_max = 20,
                       .versions_total = 5,
                       .hourly_left = 1,
                       .window = std::nullopt,
                       .approval_required = false,
                       .approved = false,
                       .digest = "sha256:1"};
    return question;
}

std::set<int> points(const std::vector<BlockReason>& reasons) {
    std::set<int> found;
    for (const BlockReason& reason : reasons) found.insert(reason.interlock_point);
    return found;
}

}  // namespace

TEST_CASE("an empty question is refused at every point that it can answer wrongly") {
    const InterlockQuestion question;
    CHECK(points(interlock(question)) == std::set<int>{1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12});
}

TEST_CASE("a question that says yes to everything passes") {
    const Policy policy = open_policy();
    CHECK(interlock(passing(policy)).empty());
}

// A command, a flag, a field of a document, or that time does it.
static bool leads_somewhere(const std::string& way_out) {
    for (const char* word :
         {"galleryd ", "az ", "--", "spec.", "safety.", "retention", "deletionPolicy", "endOfLifeDate", "window.",
          "none needed", "state directory", "this machine's clock", "annotation or tag", "by hand"}) {
        if (way_out.contains(word)) return true;
    }
    return false;
}

TEST_CASE("each fact alone stops at its own point, with a condition of the closed list and a way out") {
    struct Row {
        int point;
        const char* reason;
        const char* condition;
        std::function<void(InterlockQuestion&, Policy&)> change;
    };
    static RemovedDocument removed;
    removed = {.key = {},
               .id = sample_id,
               .deletion_policy = DeletionPolicy::remove,
               .mode = Mode::manage,
               .first_missing = now - std::chrono::minutes(15),
               .snapshots_missing = 2,
               .hold = {}};
    const Row rows[] = {
        {1, "deletes_not_allowed", "ApprovalRequired", [](auto&, Policy& p) { p.allow_deletes = false; }},
        {1, "observing", "ApprovalRequired", [](auto&, Policy& p) { p.observe = true; }},
        {1, "suspended", "Held", [](auto& q, Policy&) { q.mode = Mode::suspend; }},
        {2, "not_ours", "Held", [](auto& q, Policy&) { q.ownership = OwnershipProof::none; }},
        {3, "no_reason", "Held", [](auto& q, Policy&) { q.positive_reason.clear(); }},
        {3, "prune_off", "ApprovalRequired",
         [](auto& q, Policy& p) {
             q.removed = &removed;
             p.prune = false;
         }},
        {4, "source_incomplete", "BrakeEngaged", [](auto&, Policy& p) { p.source.complete = false; }},
        {4, "source_empty", "BrakeEngaged", [](auto&, Policy& p) { p.source.empty = true; }},
        {4, "source_frozen", "BrakeEngaged", [](auto&, Policy& p) { p.source.frozen = "shrank"; }},
        {5, "view_incomplete", "BrakeEngaged", [](auto& q, Policy&) { q.view_complete = false; }},
        {5, "in_transition", "BrakeEngaged", [](auto& q, Policy&) { q.operation_in_flight = true; }},
        {5, "in_transition", "BrakeEngaged", [](auto& q, Policy&) { q.state = ProvisioningState::updating; }},
        {5, "unknown_state", "BrakeEngaged", [](auto& q, Policy&) { q.state = ProvisioningState::unknown; }},
        {5, "unknown_published_date", "Held", [](auto& q, Policy&) { q.identity_known = false; }},
        {5, "refused_lately", "BrakeEngaged", [](auto& q, Policy&) { q.refused_at = now - std::chrono::minutes(59); }},
        {6, "held", "Held", [](auto& q, Policy&) { q.holds = {"tag galleryd-hold"}; }},
        {6, "locked", "ResourceLocked", [](auto& q, Policy&) { q.locked = true; }},
        {6, "blocked_until_eol", "BeforeEndOfLife", [](auto& q, Policy&) { q.blocked_until_end_of_life = true; }},
        {7, "in_use", "InUse", [](auto& q, Policy&) { q.usage.state = UsageState::in_use; }},
        {7, "usage_unknown", "UsageUnknown", [](auto& q, Policy&) { q.usage.state = UsageState::unknown; }},
        {8, "clock_skew", "BrakeEngaged", [](auto&, Policy& p) { p.clock_skew.reset(); }},
        {8, "clock_skew", "BrakeEngaged", [](auto&, Policy& p) { p.clock_skew = std::chrono::minutes(5); }},
        {8, "grace", "BeforeEndOfLife", [](auto& q, Policy&) { q.grace_until = now; }},
        {8, "eol_not_reached", "BeforeEndOfLife", [](auto& q, Policy&) { q.end_of_life = now; }},
        {8, "eol_unknown", "BeforeEndOfLife", [](auto& q, Policy&) { q.end_of_life_unknown = true; }},
        {9, "min_keep", "MinimumKeep", [](auto& q, Policy&) { q.keep_text = "it is the newest"; }},
        {10, "window", "BrakeEngaged",
         [](auto& q, Policy&) {
             q.brakes.window = DeletionWindow{.days = {1}, .from_minute = 0, .to_minute = 60, .time_zone = "UTC"};
         }},
        {10, "approval_required", "ApprovalRequired", [](auto& q, Policy&) { q.brakes.approval_required = true; }},
        {10, "brake", "BrakeEngaged", [](auto& q, Policy&) { q.brakes.deletions = 2; }},
        {10, "brake_hourly", "BrakeEngaged", [](auto& q, Policy&) { q.brakes.hourly_left = 0; }},
        {11, "not_leader", "BrakeEngaged", [](auto&, Policy& p) { p.leader = false; }},
        {12, "journal_not_writable", "BrakeEngaged", [](auto&, Policy& p) { p.journal_writable = false; }},
    };
    for (const Row& row : rows) {
        CAPTURE(row.point);
        CAPTURE(row.reason);
        Policy policy = open_policy();
        InterlockQuestion question = passing(policy);
        row.change(question, policy);
        const auto reasons = interlock(question);
        REQUIRE(reasons.size() == 1);
        CHECK(reasons[0].interlock_point == row.point);
        CHECK(reasons[0].reason == row.reason);
        CHECK(reasons[0].condition == row.condition);
        CHECK(leads_somewhere(reasons[0].way_out));
        CHECK_FALSE(reasons[0].message.empty());
        CHECK_FALSE(reasons[0].way_out.empty());
    }
}

TEST_CASE("dates are passed only when both clocks have passed them") {
    Policy policy = open_policy();
    InterlockQuestion question = passing(policy);
    question.end_of_life = now - std::chrono::seconds(1);
    question.grace_until = now - std::chrono::seconds(1);
    CHECK(interlock(question).empty());
    policy.clock_skew = std::chrono::seconds(2);  // Azure's clock may be two seconds behind ours
    CHECK(interlock(question).size() == 2);
    question.end_of_life =
        *parse_deadline("2026-02-28");  // a date alone is the end of that day in UTC-12: noon of 1 March
    question.grace_until.reset();
    CHECK(interlock(question).size() == 1);
}

TEST_CASE("a removed document counts at exactly two snapshots and fifteen minutes") {
    const Policy policy = open_policy();
    InterlockQuestion question = passing(policy);
    RemovedDocument removed{.key = {},
                            .id = sample_id,
                            .deletion_policy = DeletionPolicy::remove,
                            .mode = Mode::manage,
                            .first_missing = now - std::chrono::minutes(15),
                            .snapshots_missing = 2,
                            .hold = {}};
    question.removed = &removed;
    CHECK(interlock(question).empty());
    removed.snapshots_missing = 1;
    CHECK(points(interlock(question)) == std::set<int>{3});
    removed.snapshots_missing = 2;
    removed.first_missing += std::chrono::seconds(1);
    CHECK(points(interlock(question)) == std::set<int>{3});
    removed.first_missing = TimePoint::max();  // never noted: the difference must not wrap around
    CHECK(points(interlock(question)) == std::set<int>{3});
    removed.first_missing = now - std::chrono::hours(1);
    removed.deletion_policy = DeletionPolicy::orphan;
    CHECK(points(interlock(question)) == std::set<int>{3});
}

TEST_CASE("what a destruction does not ask does not stop it") {
    const Policy policy = open_policy();
    InterlockQuestion question = passing(policy);
    question.usage.state = UsageState::in_use;
    question.keep_text = "newest";
    question.end_of_life = now + std::chrono::hours(1);
    question.destruction = Destruction::lower_replicas;
    CHECK(interlock(question).empty());
    question.destruction = Destruction::remove_region;
    CHECK(points(interlock(question)) == std::set<int>{7, 9});
    question.destruction = Destruction::delete_version;
    CHECK(points(interlock(question)) == std::set<int>{7, 8, 9});
    for (int point = 1; point <= 12; ++point) CHECK(asks(Destruction::delete_version, point));
}

TEST_CASE("the brake allows the smaller of pass and percent, rounded down, at least one") {
    const auto limit = [](int per_pass, std::optional<int> percent, int total) {
        BrakeQuestion brakes;
        brakes.per_pass_max = per_pass;
        brakes.percent_max = percent;
        brakes.versions_total = total;
        return brake_limit(brakes);
    };
    CHECK(limit(10, 20, 38) == 7);
    CHECK(limit(10, 20, 3) == 1);
    CHECK(limit(10, 20, 1000) == 10);
    CHECK(limit(10, 0, 1000) == 0);
    CHECK(limit(0, 20, 1000) == 0);
    CHECK(limit(10, std::nullopt, 3) == 10);
    CHECK(limit(-3, 20, 100) == 0);
    CHECK(limit(2147483647, 100, 2147483647) == 2147483647);
}

TEST_CASE("approval lifts approval and the counting brakes, never window or hour") {
    const Policy policy = open_policy();
    InterlockQuestion question = passing(policy);
    question.brakes.deletions = 50;
    question.brakes.approval_required = true;
    CHECK(interlock(question).size() == 2);
    question.brakes.approved = true;
    CHECK(interlock(question).empty());
    question.brakes.hourly_left = 0;
    question.brakes.window =
        DeletionWindow{.days = {1}, .from_minute = 0, .to_minute = 60, .time_zone = "UTC"};  // the day is a Sunday
    const auto reasons = interlock(question);
    CHECK(reasons.size() == 2);
    CHECK(waits_only_for_release(reasons));
}

TEST_CASE("windows open by weekday and minute, across midnight, in zones that are known") {
    const Policy policy = open_policy();
    DeletionWindow window{
        .days = {0}, .from_minute = 22 * 60, .to_minute = 2 * 60, .time_zone = "UTC"};  // Sunday night
    const auto at = [&](const char* text) { return is_in_window(window, *parse_rfc3339(text), policy); };
    CHECK_FALSE(at("2026-03-01T21:59:59Z"));
    CHECK(at("2026-03-01T22:00:00Z"));
    CHECK(at("2026-03-02T01:59:59Z"));  // Monday's small hours belong to Sunday's window
    CHECK_FALSE(at("2026-03-02T02:00:00Z"));
    CHECK_FALSE(at("2026-03-01T01:00:00Z"));  // Saturday night is not
    window = {.days = {}, .from_minute = 60, .to_minute = 300, .time_zone = "Etc/GMT+5"};
    CHECK(at("2026-03-01T06:00:00Z"));  // 01:00 at UTC-5
    CHECK_FALSE(at("2026-03-01T05:59:00Z"));
    window.time_zone = "+05:30";
    CHECK(at("2026-02-28T19:30:00Z"));
    window.time_zone = "America/Toronto";
    CHECK_FALSE(at("2026-03-01T06:00:00Z"));  // nobody told its offset: it never opens
    Policy with_zones = open_policy();
    with_zones.zone_offset = [](const std::string& zone, TimePoint) -> std::optional<Duration> {
        if (zone == "America/Toronto") return -std::chrono::hours(5);
        return std::nullopt;
    };
    CHECK(is_in_window(window, *parse_rfc3339("2026-03-01T06:00:00Z"), with_zones));
    window.time_zone = "Mars/Olympus";
    CHECK_FALSE(is_in_window(window, *parse_rfc3339("2026-03-01T06:00:00Z"), with_zones));
}
