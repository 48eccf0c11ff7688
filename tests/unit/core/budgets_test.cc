#include "controller/core/budgets.h"

#include <doctest/doctest.h>

#include <vector>

using namespace galleryd;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

RequestClass create(const std::string& region = "eastus", const std::string& subscription = "s1") {
    return {.subscription = subscription,
            .region = region,
            .policy = "CreateUpdateGalleryImageVersion",
            .kind = RequestKind::write};
}
RequestClass get_gallery(const std::string& region = "eastus") {
    return {.subscription = "s1", .region = region, .policy = "GetGallery", .kind = RequestKind::read};
}

BudgetAnswer saying(const std::string& policy, std::int64_t left3, std::int64_t left30) {
    BudgetAnswer answer;
    answer.policies_left = {{.policy = policy + "3Min", .left = left3}, {.policy = policy + "30Min", .left = left30}};
    return answer;
}

// As many as may go at `now`, each answered at once without a word about budgets; at most `wanted`.
int spend(RequestBudgets& budgets, BudgetTime now, const RequestClass& request, int wanted,
          BudgetUse use = BudgetUse::burst) {
    for (int sent = 0; sent < wanted; ++sent) {
        if (budgets.ask(now, request, use).at > now) return sent;
        const auto ticket = budgets.note_sent(now, request, use);
        budgets.note_answer(now, ticket, {});
    }
    return wanted;
}

// The same in steps of a second up to `until`: ARM's bucket drips meanwhile.
int spend_until(RequestBudgets& budgets, BudgetTime& now, BudgetTime until, const RequestClass& request,
                BudgetUse use = BudgetUse::burst) {
    int sent = 0;
    for (; now < until; now += seconds{1}) sent += spend(budgets, now, request, 10'000, use);
    return sent;
}

// One limited thing of Azure's: fixed windows that start with the first request after the last one's end.
struct Azure {
    std::int64_t limit;
    BudgetTime length, started{-1'000'000'000'000'000};
    std::int64_t used = 0;
    // What is left after this request; -1: refused.
    std::int64_t ask(BudgetTime now) {
        if (now >= started + length) {
            started = now;
            used = 0;
        }
        return used >= limit ? -1 : limit - ++used;
    }
};

}  // namespace

TEST_CASE("in one window we take our share and not one more; at its end there is a new one") {
    for (const auto& [share, part] :
         std::vector<std::pair<double, int>>{{1.0, 375}, {0.5, 187}, {0.25, 93}, {0.01, 3}}) {
        CAPTURE(share);
        RequestBudgets budgets(share);
        BudgetTime now{0};
        CHECK(spend_until(budgets, now, minutes{3}, create()) == part);
        const auto verdict = budgets.ask(minutes{2}, create(), BudgetUse::burst);
        CHECK(verdict.at == minutes{3});
        CHECK(verdict.wall == RequestBudgets::Wall::share);
        CHECK(verdict.budget == "CreateUpdateGalleryImageVersion");
        CHECK(spend_until(budgets, now, minutes{6}, create()) == part);
    }
}

TEST_CASE("the long window counts across the short ones") {
    RequestBudgets budgets(1.0);
    BudgetTime now{0};
    CHECK(spend_until(budgets, now, minutes{30}, create()) == 1'200);
    CHECK(budgets.ask(minutes{20}, create(), BudgetUse::burst).at >= minutes{30});
    CHECK(spend_until(budgets, now, minutes{33}, create()) == 375);
}

TEST_CASE("looks take half of our share; a change finds the other half untouched") {
    RequestBudgets budgets(0.5);
    BudgetTime now{0};
    CHECK(spend_until(budgets, now, minutes{1}, get_gallery(), BudgetUse::steady) == 87);  // a quarter of 350
    CHECK(spend_until(budgets, now, minutes{2}, get_gallery(), BudgetUse::burst) == 175 - 87);
    CHECK(spend_until(budgets, now, minutes{3}, get_gallery(), BudgetUse::steady) == 0);
}

TEST_CASE("ARM's buckets: capacity and rate stay within the share, whatever is in them") {
    // No policy: ARM alone. A quarter of 250 at once and of 25 a second for looks, twice that in a burst.
    const RequestClass other{.subscription = "s1", .region = {}, .policy = {}, .kind = RequestKind::read};
    for (const auto& [use, at_once, rate] : std::vector<std::tuple<BudgetUse, int, double>>{
             {BudgetUse::steady, 62, 6.25}, {BudgetUse::burst, 125, 12.5}}) {
        RequestBudgets budgets(0.5);
        CHECK(spend(budgets, seconds{1}, other, 10'000, use) == at_once);
        const auto verdict = budgets.ask(seconds{1}, other, use);
        CHECK(verdict.at > seconds{1});
        CHECK(verdict.at <= seconds{1} + milliseconds{161});
        CHECK(verdict.budget == "ARM reads");
        int sent = 0;
        for (BudgetTime now = seconds{1}; now <= seconds{101}; now += milliseconds{10})
            sent += spend(budgets, now, other, 10'000, use);
        CHECK(sent >= static_cast<int>(rate * 100) - 1);
        CHECK(sent <= static_cast<int>(rate * 100) + 1);
    }
    RequestBudgets all(1.0);
    CHECK(spend(all, seconds{1}, other, 10'000) == 250);
}

TEST_CASE("regions, policies, kinds and subscriptions do not share what they do not share in Azure") {
    RequestBudgets budgets(1.0);
    CHECK(spend(budgets, seconds{1}, create("eastus"), 10'000) == 200);  // ARM's bucket is the smaller one
    CHECK(spend(budgets, seconds{1}, create("westus"), 10'000) == 0);    // and belongs to the subscription
    CHECK(spend(budgets, seconds{1}, create("eastus", "s2"), 10'000) == 200);
    CHECK(spend(budgets, seconds{1}, get_gallery(), 10'000) == 250);
    BudgetTime now = seconds{1};
    CHECK(spend_until(budgets, now, seconds{100}, create("eastus")) == 175);
    CHECK(spend_until(budgets, now, minutes{3}, create("westus")) == 375);
    CHECK(budgets.ask(minutes{3}, create("eastus"), BudgetUse::burst).at == seconds{181});
}

TEST_CASE("the header is the truth: what others used shrinks our part, and limits are learned in both directions") {
    SUBCASE("others used 175 of 375: half of the other 200 is ours") {
        RequestBudgets budgets(0.5);
        const auto ticket = budgets.note_sent(seconds{1}, create(), BudgetUse::burst);
        budgets.note_answer(seconds{1}, ticket, saying("CreateUpdateGalleryImageVersion", 375 - 175 - 1, 1'024));
        CHECK(spend(budgets, seconds{1}, create(), 10'000) == 99);
    }
    SUBCASE("others used all but one") {
        RequestBudgets budgets(0.5);
        const auto ticket = budgets.note_sent(seconds{1}, create(), BudgetUse::burst);
        budgets.note_answer(seconds{2}, ticket, saying("CreateUpdateGalleryImageVersion", 1, 800));
        CHECK(spend(budgets, seconds{2}, create(), 10'000) == 0);
        CHECK(budgets.ask(seconds{2}, create(), BudgetUse::burst).at == minutes{3} + seconds{2});
    }
    SUBCASE("ARM's header lowers the bucket, and the share drips from there") {
        RequestBudgets budgets(1.0);
        const auto ticket = budgets.note_sent(seconds{1}, create(), BudgetUse::burst);
        BudgetAnswer answer;
        answer.own_left = 3;
        budgets.note_answer(seconds{1}, ticket, answer);
        CHECK(spend(budgets, seconds{1}, create(), 10'000) == 3);
        CHECK(budgets.ask(seconds{1}, create(), BudgetUse::burst).at == seconds{1} + milliseconds{100});
    }
    SUBCASE("the whole subscription's bucket counts, too") {
        RequestBudgets budgets(1.0);
        const auto ticket = budgets.note_sent(seconds{1}, create(), BudgetUse::burst);
        BudgetAnswer answer;
        answer.own_left = 199;
        answer.global_left = 2;
        budgets.note_answer(seconds{1}, ticket, answer);
        CHECK(spend(budgets, seconds{1}, create(), 10'000) == 2);
        CHECK(budgets.ask(seconds{1}, create(), BudgetUse::burst).budget == "ARM writes of the whole subscription");
    }
    SUBCASE("a larger limit than the published one") {
        RequestBudgets budgets(1.0);
        const auto ticket = budgets.note_sent(seconds{1}, get_gallery(), BudgetUse::burst);
        budgets.note_answer(seconds{1}, ticket, saying("GetGallery", 699, 4'999));
        BudgetTime now = seconds{1};
        CHECK(spend_until(budgets, now, minutes{3}, get_gallery()) == 699);
    }
    SUBCASE("the older model of ARM counts down from an hour's number") {
        RequestBudgets budgets(1.0);
        const RequestClass write{.subscription = "s1", .region = {}, .policy = {}, .kind = RequestKind::write};
        const auto ticket = budgets.note_sent(seconds{1}, write, BudgetUse::burst);
        BudgetAnswer answer;
        answer.own_left = 1'199;
        budgets.note_answer(seconds{1}, ticket, answer);
        CHECK(spend(budgets, seconds{1}, write, 10'000) == 1'199);
        CHECK(budgets.ask(seconds{1}, write, BudgetUse::burst).at == seconds{4});  // a third of one in a second
    }
}

TEST_CASE("an answer that was overtaken changes nothing") {
    RequestBudgets budgets(1.0);
    const auto first = budgets.note_sent(seconds{1}, create(), BudgetUse::burst);
    const auto second = budgets.note_sent(seconds{1}, create(), BudgetUse::burst);
    budgets.note_answer(seconds{2}, second, saying("CreateUpdateGalleryImageVersion", 10, 900));
    budgets.note_answer(seconds{3}, first, saying("CreateUpdateGalleryImageVersion", 374, 1'199));
    CHECK(spend(budgets, seconds{3}, create(), 10'000) == 10);
}

TEST_CASE("a window that a stranger opened is found again: nothing is refused and little is lost") {
    // The stranger opens every window half a second after the last one's end, at times that we never see.
    RequestBudgets budgets(0.5);
    Azure short_window{.limit = 375, .length = minutes{3}}, long_window{.limit = 1'200, .length = minutes{30}};
    const std::string policy = "CreateUpdateGalleryImageVersion";
    int refused = 0, sent = 0;
    for (BudgetTime now{0}; now < hours{6}; now += milliseconds{500}) {
        if (now % seconds{4} == BudgetTime{0}) {  // 45 in three minutes
            short_window.ask(now);
            long_window.ask(now);
        }
        for (int i = 0; i < 4 && budgets.ask(now, create(), BudgetUse::burst).at <= now; ++i) {
            const auto ticket = budgets.note_sent(now, create(), BudgetUse::burst);
            const std::int64_t left3 = short_window.ask(now), left30 = long_window.ask(now);
            refused += left3 < 0 || left30 < 0 ? 1 : 0;
            ++sent;
            budgets.note_answer(now + milliseconds{200}, ticket, saying(policy, left3, left30));
        }
    }
    CHECK(refused == 0);
    // Of each of the twelve long windows ours is half of what the stranger has left of it after nine minutes.
    CHECK(sent >= 12 * (1'200 - 135) / 2 * 98 / 100);
    CHECK(sent <= 12 * 600);
}

TEST_CASE("after the end of a reported window one request goes ahead") {
    RequestBudgets budgets(1.0);
    const auto first = budgets.note_sent(seconds{0}, create(), BudgetUse::burst);
    budgets.note_answer(seconds{1}, first, saying("CreateUpdateGalleryImageVersion", 20, 1'199));
    const BudgetTime end = seconds{1} + minutes{3};
    REQUIRE(budgets.ask(end, create(), BudgetUse::burst).at == end);
    const auto probe = budgets.note_sent(end, create(), BudgetUse::burst);
    CHECK(budgets.ask(end, create(), BudgetUse::burst).at > end);
    SUBCASE("it finds a new window") {
        budgets.note_answer(end + seconds{1}, probe, saying("CreateUpdateGalleryImageVersion", 374, 1'198));
        CHECK(spend(budgets, end + seconds{1}, create(), 10'000) == 200);  // ARM's bucket
    }
    SUBCASE("it finds the old one: what is left there is used, and the next probe follows soon") {
        budgets.note_answer(end + seconds{1}, probe, saying("CreateUpdateGalleryImageVersion", 0, 1'198));
        CHECK(spend(budgets, end + seconds{1}, create(), 10'000) == 0);
        CHECK(budgets.ask(end + seconds{1}, create(), BudgetUse::burst).at == end + seconds{2});
    }
    SUBCASE("it is lost: the next one may go") {
        budgets.note_unanswered(end + seconds{1}, probe);
        CHECK(budgets.ask(end + seconds{1}, create(), BudgetUse::burst).at == end + seconds{1});
    }
}

TEST_CASE("a 429 closes the budget that refused until its time is over, to the second, and no other") {
    using Refuser = BudgetAnswer::Refuser;
    struct Row {
        Refuser refuser;
        bool same_region, other_region, other_policy, other_subscription;  // are closed, too
    };
    const RequestClass list{
        .subscription = "s1", .region = "eastus", .policy = "ListGalleryImagesInGallery", .kind = RequestKind::read};
    const auto at_region = [](RequestClass request, const std::string& region) {
        request.region = region;
        return request;
    };
    for (const Row& row : std::vector<Row>{{Refuser::policy, true, false, false, false},
                                           {Refuser::collection, true, true, false, false},
                                           {Refuser::subscription, true, true, true, false},
                                           {Refuser::unnamed, true, true, true, false},
                                           {Refuser::tenant, true, true, true, true}}) {
        CAPTURE(static_cast<int>(row.refuser));
        RequestBudgets budgets(1.0);
        const BudgetTime now = seconds{10}, end = now + seconds{120};
        const auto elsewhere =
            RequestClass{.subscription = "s2", .region = {}, .policy = {}, .kind = RequestKind::read};
        CHECK(spend(budgets, now, elsewhere, 1) == 1);  // its bucket is known
        BudgetAnswer answer;
        answer.refuser = row.refuser;
        answer.wait = seconds{120};
        budgets.note_answer(now, budgets.note_sent(now, list, BudgetUse::burst), answer);
        const auto closed = [&](const RequestClass& request) {
            const auto verdict = budgets.ask(now, request, BudgetUse::burst);
            if (verdict.at == now) return false;
            CHECK(verdict.at == end);
            CHECK(verdict.wall == RequestBudgets::Wall::azure);
            CHECK(budgets.ask(end - BudgetTime{1}, request, BudgetUse::burst).at == end);
            CHECK(budgets.ask(end, request, BudgetUse::burst).at == end);
            return true;
        };
        CHECK(closed(list) == row.same_region);
        CHECK(closed(at_region(list, "westus")) == row.other_region);
        CHECK(closed(get_gallery()) == row.other_policy);
        CHECK(closed(elsewhere) == row.other_subscription);
        CHECK_FALSE(closed(create()));  // another kind of request
        CHECK(budgets.held_until(now, "s1") == end);
        CHECK_FALSE(budgets.held_until(end, "s1").has_value());
    }
}

TEST_CASE("a provider's 429 that names the window ends the guessing") {
    RequestBudgets budgets(1.0);
    const auto ticket = budgets.note_sent(seconds{1}, create(), BudgetUse::burst);
    BudgetAnswer answer;
    answer.policies_left = {{.policy = "CreateUpdateGalleryImageVersion3Min", .left = 0}};
    answer.refuser = BudgetAnswer::Refuser::policy;
    answer.wait = seconds{40};
    budgets.note_answer(seconds{1}, ticket, answer);
    CHECK(spend(budgets, seconds{40}, create(), 1) == 0);
    CHECK(spend(budgets, seconds{41}, create(), 1) == 1);
}

TEST_CASE("Resource Graph: fifteen queries in five seconds, and the answer says when the window ends") {
    const RequestClass query{
        .subscription = {}, .region = {}, .policy = {}, .kind = RequestKind::write, .resource_graph = true};
    RequestBudgets budgets(1.0);
    CHECK(spend(budgets, seconds{1}, query, 100) == 15);
    CHECK(budgets.ask(seconds{1}, query, BudgetUse::burst).at == seconds{6});
    RequestBudgets told(1.0);
    BudgetAnswer answer;
    answer.graph_left = 0;
    answer.graph_resets_in = seconds{3};
    told.note_answer(seconds{1}, told.note_sent(seconds{1}, query, BudgetUse::burst), answer);
    CHECK(told.ask(seconds{1}, query, BudgetUse::burst).at == seconds{4});
    RequestBudgets half(0.5);
    CHECK(spend(half, seconds{1}, query, 100, BudgetUse::steady) == 3);
    CHECK(spend(half, seconds{1}, query, 100) == 4);
}

TEST_CASE("names from outside cannot make the table grow without end") {
    RequestBudgets budgets(0.5);
    for (int i = 0; i < 5'000; ++i) budgets.ask(seconds{1}, create("region" + std::to_string(i)), BudgetUse::burst);
    CHECK(budgets.classes() <= RequestBudgets::classes_max + 1);
}

TEST_CASE("principals have ARM buckets of their own and share the provider's windows") {
    RequestBudgets budgets(0.5);
    const auto as = [](RequestClass request, const std::string& principal) {
        request.principal = principal;
        return request;
    };
    const RequestClass other{.subscription = "s1", .region = {}, .policy = {}, .kind = RequestKind::read};
    const int alone = spend(budgets, BudgetTime{0}, as(other, "t/a"), 10'000);
    CHECK(alone > 0);
    CHECK(spend(budgets, BudgetTime{0}, as(other, "t/a"), 10'000) == 0);
    CHECK(spend(budgets, BudgetTime{0}, as(other, "t/b"), 10'000) == alone);
    CHECK(spend(budgets, BudgetTime{0}, other, 10'000) == alone);

    RequestBudgets shared(0.5);
    BudgetTime now{0};
    CHECK(spend_until(shared, now, minutes{2}, as(create(), "t/a")) == 187);
    CHECK(spend_until(shared, now, minutes{3}, as(create(), "t/b")) == 0);
    CHECK(shared.ask(now - seconds{1}, as(create(), "t/b"), BudgetUse::burst).at == minutes{3});
}

TEST_CASE("a refusal for the tenant holds that principal in every subscription, and no other principal") {
    RequestBudgets budgets(0.5);
    const auto read = [](const std::string& subscription, const std::string& principal) {
        return RequestClass{.subscription = subscription,
                            .region = {},
                            .policy = {},
                            .kind = RequestKind::read,
                            .principal = principal};
    };
    const auto free_at = [&](const RequestClass& request) {
        return budgets.ask(BudgetTime{0}, request, BudgetUse::burst).at;
    };
    for (const char* subscription : {"s1", "s2"}) {
        for (const char* principal : {"t/a", "t/b"}) CHECK(free_at(read(subscription, principal)) == BudgetTime{0});
    }
    const auto ticket = budgets.note_sent(BudgetTime{0}, read("s1", "t/a"), BudgetUse::burst);
    BudgetAnswer refused;
    refused.refuser = BudgetAnswer::Refuser::tenant;
    refused.wait = minutes{2};
    budgets.note_answer(BudgetTime{0}, ticket, refused);
    CHECK(free_at(read("s1", "t/a")) == minutes{2});
    CHECK(free_at(read("s2", "t/a")) == minutes{2});
    CHECK(free_at(read("s1", "t/b")) == BudgetTime{0});
    CHECK(free_at(read("s2", "t/b")) == BudgetTime{0});
}
