#include "tests/unit/lifecycle/usage_book_bench.h"

// Who counts as a user of a version, and who may be one without being seen (decision 0027).
using namespace galleryd;
using namespace galleryd::test;

TEST_CASE("a wait does not begin while somebody takes latest, nor by an answer that is too old") {
    UsageBookBench bench;
    ImageUser model = machine("web", "");
    model.kind = UserKind::scale_set_model;
    model.takes_latest = true;
    const std::vector<ObservedVersion> versions{observed("1.0.0", {"eastus"}), observed("1.1.0", {"eastus"})};
    const std::set<std::string> wanted{version("1.0.0").key(), version("1.1.0").key()};
    bench.look({model});
    bench.book.follow(definition, wanted, versions, bench.now);
    CHECK(bench.book.save().contains(version("1.0.0").key()));
    CHECK_FALSE(bench.book.save().contains(version("1.1.0").key()));
    bench.look();
    bench.pass(usage_age_max + seconds(1));
    bench.book.follow(definition, wanted, versions, bench.now);
    CHECK_FALSE(bench.book.save().contains(version("1.1.0").key()));
}

TEST_CASE("who else may use the gallery decides whether nobody is certain") {
    UsageBookBench bench;
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
    UsageBookBench bench;
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

TEST_CASE("rows without replication tell a user of latest, and only reads begin the wait anew (SEED=18)") {
    UsageBookBench bench;
    ImageUser model = machine("web", "");
    model.kind = UserKind::scale_set_model;
    model.takes_latest = true;
    // By reads 1.1.0 is what latest means in eastus; rows do not know that its copy there is complete.
    const std::vector<ObservedVersion> reads{observed("1.0.0", {"eastus"}), observed("1.1.0", {"eastus"})};
    std::vector<ObservedVersion> rows = reads;
    rows[1].replication_known = false;
    rows[1].replication.clear();
    const ResourceId old = version("1.0.0");
    bench.look({model});
    CHECK(bench.book.usage_of(old, &reads, bench.now).state == UsageState::unknown);
    bench.book.follow(definition, {old.key()}, reads, bench.now);
    REQUIRE(bench.book.waits() == 1);
    bench.pass(minutes(16));
    bench.look({model});
    CHECK(bench.book.usage_of(old, &rows, bench.now, UsageView::rows).state == UsageState::in_use);
    CHECK(bench.book.usage_of_all(rows, bench.now, UsageView::rows).at(old.key()).state == UsageState::in_use);
    CHECK(bench.book.waits() == 1);
    CHECK(bench.book.usage_of(old, &reads, bench.now).state == UsageState::not_in_use);
    CHECK(bench.book.usage_of(old, &rows, bench.now, UsageView::reads).state == UsageState::in_use);
    CHECK(bench.book.waits() == 0);
}

TEST_CASE("who takes latest makes a version that is not to be seen unknown, not unused") {
    UsageBookBench bench;
    ImageUser model = machine("web", "");
    model.kind = UserKind::scale_set_model;
    model.takes_latest = true;
    const std::vector<ObservedVersion> versions{observed("1.0.0", {"eastus"})};
    bench.look({model});
    const auto found = [&](const std::string& number, const std::vector<ObservedVersion>* all) {
        return find_users(*bench.book.answer(), {.version = version(number), .versions = all, .missing = {}});
    };
    CHECK(found("1.0.0", &versions).users.size() == 1);
    CHECK(found("1.0.0", &versions).doubts.empty());
    CHECK(found("1.1.0", &versions).users.empty());
    CHECK(found("1.1.0", &versions).doubts ==
          std::vector<std::string>{"the version is not to be seen in Azure, so nobody can say whether it is what "
                                   "`latest` means to web"});
    CHECK(found("1.1.0", nullptr).doubts.empty());  // a look that is only noted asks for no `latest`
}

TEST_CASE("the users of many machines are found without looking at all of them for each version") {
    UsageBookBench bench;
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
