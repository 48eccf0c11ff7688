#include "reconcilers/lifecycle/usage_book.h"

#include <doctest/doctest.h>

// When it is certain enough that nobody uses a version (behaviour §6 point 7, decision 0027).
using namespace galleryd;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

const std::string consumer = "22222222-2222-2222-2222-222222222222";
const std::string owner = "11111111-1111-1111-1111-111111111111";
const ResourceId gallery = gallery_id(owner, "rg", "golden");
const ResourceId definition = definition_id(gallery, "ubuntu");

ResourceId version(const std::string& number) { return version_id(definition, number); }

ImageUser machine(const std::string& name, const std::string& number) {
    return {.kind = UserKind::virtual_machine,
            .id = ResourceId("/subscriptions/" + consumer +
                             "/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/" + name),
            .region = "eastus",
            .definition = definition,
            .version = number};
}

struct Bench {
    Instant now{.wall = *parse_rfc3339("2026-11-21T12:00:00Z"), .monotonic = hours(5)};
    UsageBook book;
    GalleryReach reach{.gallery = gallery, .found = true, .subscriptions = {}, .tenants = {}};
    std::vector<std::string> readable{owner, consumer};

    void pass(std::chrono::nanoseconds time) {
        now.wall += std::chrono::duration_cast<Duration>(time);
        now.monotonic += time;
    }
    void look(std::vector<ImageUser> users = {}) {
        UsageAnswer answer{.at = now.wall,
                           .users = std::move(users),
                           .hidden = {},
                           .galleries = {reach},
                           .readable = readable,
                           .requests = 4};
        sort_users(answer.users);
        book.note(std::move(answer), now, now);
    }
    VersionUsage usage(const std::string& number = "1.0.0") { return book.usage_of(version(number), nullptr, now); }
};

ObservedVersion observed(const std::string& number, std::vector<std::string> regions,
                         ReplicationState state = ReplicationState::completed) {
    ObservedVersion row;
    row.id = version(number);
    row.name = number;
    row.number = parse_image_version_number(number);
    row.state = ProvisioningState::succeeded;
    for (const std::string& region : regions) {
        TargetRegion target;
        target.name = region;
        row.target_regions.push_back(target);
        row.replication[region].state = state;
    }
    return row;
}

}  // namespace

TEST_CASE("before anybody has asked, usage is unknown") {
    Bench bench;
    CHECK(bench.usage().state == UsageState::unknown);
    CHECK(bench.usage().detail == "nobody has asked yet who uses it");
}

TEST_CASE("one look that shows nobody is not enough, a second one fifteen minutes later is") {
    Bench bench;
    bench.look();
    CHECK(bench.usage().state == UsageState::unknown);
    CHECK(bench.usage().detail ==
          "nobody uses it in 2 subscriptions that can be read since 2026-11-21T12:00:00Z; a second look, from "
          "2026-11-21T12:15:00Z on, decides");
    CHECK(bench.usage().way_out == "none needed: time does it");
    bench.pass(minutes(15) - seconds(1));
    bench.look();
    CHECK(bench.usage().state == UsageState::unknown);
    bench.pass(seconds(1));
    bench.look();
    CHECK(bench.usage().state == UsageState::not_in_use);
    CHECK(bench.usage().detail ==
          "nobody uses it in 2 subscriptions that can be read, at 2026-11-21T12:00:00Z and at 2026-11-21T12:15:00Z");
    CHECK(bench.usage().evidence.at("subscriptions_readable") == "2");
}

TEST_CASE("a user names itself, and after it has gone the wait begins anew") {
    Bench bench;
    bench.look();
    CHECK(bench.usage().state == UsageState::unknown);
    bench.pass(minutes(10));
    bench.look({machine("web-1", "1.0.0"), machine("web-2", "1.0.0"), machine("web-3", "1.0.0"),
                machine("web-4", "1.0.0"), machine("db", "1.1.0")});
    CHECK(bench.usage().state == UsageState::in_use);
    CHECK(bench.usage().detail ==
          "4 virtual machines in 1 subscription: web-1 (virtual machine, group rg-app, subscription " + consumer +
              "), web-2 (virtual machine, group rg-app, subscription " + consumer +
              "), web-3 (virtual machine, group rg-app, subscription " + consumer +
              ") and 1 more; seen in 2 subscriptions that can be read");
    CHECK(bench.usage().evidence.at("virtual_machines") == "4");
    bench.pass(minutes(10));
    bench.look();
    CHECK(bench.usage().state == UsageState::unknown);
    bench.pass(minutes(15));
    bench.look();
    CHECK(bench.usage().state == UsageState::not_in_use);
}

TEST_CASE("a look between that shows a user counts, also when nobody asked for that version then") {
    Bench bench;
    bench.look();
    CHECK(bench.usage().state == UsageState::unknown);
    bench.pass(minutes(8));
    bench.look({machine("web-1", "1.0.0")});
    bench.pass(minutes(8));
    bench.look();
    CHECK(bench.usage().state == UsageState::unknown);
}

TEST_CASE("an answer that is too old says nothing, whatever it said") {
    Bench bench;
    bench.look();
    CHECK(bench.usage().state == UsageState::unknown);
    bench.pass(minutes(15));
    bench.look();
    REQUIRE(bench.usage().state == UsageState::not_in_use);
    bench.pass(usage_age_max);
    CHECK(bench.usage().state == UsageState::not_in_use);
    CHECK(bench.book.is_fresh(gallery, UsageFor::plan, bench.now));
    CHECK_FALSE(bench.book.is_fresh(gallery, UsageFor::request, bench.now));
    bench.pass(seconds(1));
    CHECK(bench.usage().state == UsageState::unknown);
    CHECK(bench.usage().detail == "the last answer is from 2026-11-21T12:15:00Z");
    CHECK_FALSE(bench.book.is_fresh(gallery_id(owner, "rg", "other"), UsageFor::plan, bench.now));
}

TEST_CASE("an answer that took many requests is good for longer in a plan, and for one minute before a request") {
    Bench bench;
    UsageAnswer large{.at = bench.now.wall,
                      .users = {},
                      .hidden = {},
                      .galleries = {bench.reach},
                      .readable = bench.readable,
                      .requests = 40};
    const Instant began = bench.now;
    bench.pass(minutes(2));  // that long it took
    bench.book.note(large, began, bench.now);
    bench.pass(minutes(20));
    CHECK(bench.book.is_fresh(gallery, UsageFor::plan, bench.now));
    CHECK_FALSE(bench.book.is_fresh(gallery, UsageFor::request, bench.now));
    bench.pass(seconds(1));
    CHECK_FALSE(bench.book.is_fresh(gallery, UsageFor::plan, bench.now));
    large.requests = 5000;
    bench.book.note(large, began, bench.now);
    bench.pass(minutes(60));
    CHECK(bench.book.is_fresh(gallery, UsageFor::plan, bench.now));
    bench.pass(seconds(1));
    CHECK_FALSE(bench.book.is_fresh(gallery, UsageFor::plan, bench.now));
}

TEST_CASE("a step of the wall clock shortens no wait") {
    Bench bench;
    bench.look();
    CHECK(bench.usage().state == UsageState::unknown);
    bench.now.wall += hours(24);
    bench.look();
    CHECK(bench.usage().state == UsageState::unknown);
}

TEST_CASE("a failed look makes usage unknown and is not repeated at once") {
    Bench bench;
    bench.look();
    CHECK(bench.usage().state == UsageState::unknown);
    bench.pass(minutes(15));
    bench.look();
    REQUIRE(bench.usage().state == UsageState::not_in_use);
    Error refused{.kind = ErrorKind::throttled, .reason = "Throttled", .message = "too many"};
    refused.retry_after = seconds(90);
    bench.book.note_failure(refused, bench.now);
    CHECK(bench.usage().state == UsageState::unknown);
    CHECK(bench.usage().detail == "Resource Graph could not be asked who uses it: too many");
    bench.pass(seconds(89));
    CHECK(bench.book.has_just_failed(bench.now));
    bench.pass(seconds(1));
    CHECK_FALSE(bench.book.has_just_failed(bench.now));
    bench.look();
    CHECK(bench.usage().state == UsageState::not_in_use);
}

TEST_CASE("a subscription that can no longer be read makes usage unknown for thirty days, also after a restart") {
    Bench bench;
    bench.look();
    CHECK(bench.book.missing().empty());
    const std::string saved = bench.book.save();
    bench.book = UsageBook();
    bench.book.load(saved, bench.now);
    bench.readable = {owner};
    bench.pass(minutes(16));
    bench.look();
    CHECK(bench.book.missing() == std::map<std::string, std::string>{{consumer, "2026-11-21"}});
    CHECK(bench.usage().state == UsageState::unknown);
    CHECK(bench.usage().detail ==
          "subscription " + consumer + " could be read on 2026-11-21 and cannot be read any more");
    CHECK(bench.usage().way_out == "grant this identity Reader on the subscription, or set retention.inUse: Ignore");
    CHECK(bench.usage().evidence.at("subscriptions_total") == "2");
    bench.pass(hours(24) * 30);
    bench.look();
    CHECK(bench.book.missing().empty());
}

TEST_CASE("the wait goes on over a restart, and text that cannot be read only makes it longer") {
    Bench bench;
    bench.look();
    CHECK(bench.usage().state == UsageState::unknown);
    const std::string saved = bench.book.save();
    CHECK(saved == "subscription " + owner + " 2026-11-21\nsubscription " + consumer +
                       " 2026-11-21\nunused 2026-11-21T12:00:00Z " + version("1.0.0").key() + "\n");
    for (const std::string& text : {saved, std::string("unused yesterday x\nnonsense\n\nunused\n") + saved,
                                    "unused 2026-11-22T12:00:00Z " + version("1.0.0").key()}) {
        Bench later;
        later.book.load(text, later.now);
        later.pass(minutes(15));
        later.look();
        const bool kept = text.contains("unused 2026-11-21T12:00:00Z");
        CHECK(later.usage().state == (kept ? UsageState::not_in_use : UsageState::unknown));
    }
}

TEST_CASE("who else may use the gallery decides whether nobody is certain") {
    Bench bench;
    std::string wanted;
    SUBCASE("anybody") {
        bench.reach.permissions = SharingPermissions::community;
        wanted = "its gallery is a community gallery, which anybody may use unseen";
    }
    SUBCASE("whole tenants") {
        bench.reach.permissions = SharingPermissions::groups;
        bench.reach.tenants = {"aaaa"};
        wanted = "its gallery is shared with whole tenants (aaaa)";
    }
    SUBCASE("groups that nobody told of") {
        bench.reach.permissions = SharingPermissions::groups;
        bench.reach.groups_known = false;
        wanted = "nobody told with whom its gallery is shared";
    }
    SUBCASE("a subscription that cannot be read") {
        bench.reach.permissions = SharingPermissions::groups;
        bench.reach.subscriptions = {consumer, "99999999-9999-9999-9999-999999999999"};
        wanted = "its gallery is shared with subscriptions that cannot be read: 99999999-9999-9999-9999-999999999999";
    }
    SUBCASE("only subscriptions that can be read") {
        bench.reach.permissions = SharingPermissions::groups;
        bench.reach.subscriptions = {consumer};
    }
    bench.look();
    static_cast<void>(bench.usage());
    bench.pass(minutes(15));
    bench.look();
    CHECK(bench.usage().state == (wanted.empty() ? UsageState::not_in_use : UsageState::unknown));
    if (!wanted.empty()) CHECK(bench.usage().detail == wanted);
}

TEST_CASE("what takes latest uses the version that latest may mean where it runs") {
    Bench bench;
    ImageUser model = machine("web", "");
    model.kind = UserKind::scale_set_model;
    model.takes_latest = true;
    std::vector<ObservedVersion> versions{observed("1.0.0", {"eastus", "westus"}), observed("1.1.0", {"eastus"}),
                                          observed("1.2.0", {"eastus"}, ReplicationState::replicating)};
    bench.look({model});
    const auto state = [&](const char* number) {
        return bench.book.usage_of(version(number), &versions, bench.now).state;
    };
    CHECK(state("1.0.0") == UsageState::unknown);  // 1.1.0 serves eastus; settles like any other
    CHECK(state("1.1.0") == UsageState::in_use);
    CHECK(state("1.2.0") == UsageState::in_use);  // may be latest any minute
    versions[1].target_regions[0].exclude_from_latest = true;
    CHECK(state("1.0.0") == UsageState::in_use);
    CHECK(state("1.1.0") == UsageState::unknown);
    CHECK(bench.book.usage_of(version("1.0.0"), &versions, bench.now)
              .detail.starts_with("1 scale set in 1 subscription: web (scale set that takes latest, group rg-app"));
}

TEST_CASE("the users of many machines are found without looking at all of them for each version") {
    Bench bench;
    std::vector<ImageUser> users;
    for (int i = 0; i < 20'000; ++i) users.push_back(machine("vm" + std::to_string(i), "1.0." + std::to_string(i)));
    std::vector<ObservedVersion> versions;
    for (int i = 0; i < 1000; ++i) versions.push_back(observed("1.0." + std::to_string(i * 21), {"eastus"}));
    bench.look(std::move(users));
    const auto all = bench.book.usage_of_all(versions, bench.now);
    CHECK(all.size() == 1000);
    CHECK(all.at(version("1.0.0").key()).state == UsageState::in_use);
    CHECK(all.at(version("1.0.20979").key()).state == UsageState::unknown);
}
