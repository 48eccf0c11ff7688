#include "tests/unit/lifecycle/usage_book_bench.h"

// When it is certain enough that nobody uses a version (behaviour §6 point 7, decision 0027).
using namespace galleryd;
using namespace galleryd::test;

TEST_CASE("before anybody has asked, usage is unknown") {
    UsageBookBench bench;
    CHECK(bench.usage().state == UsageState::unknown);
    CHECK(bench.usage().detail == "nobody has asked yet who uses it");
}

TEST_CASE("one look that shows nobody is not enough, a second one fifteen minutes later is") {
    UsageBookBench bench;
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
    UsageBookBench bench;
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
    UsageBookBench bench;
    bench.look();
    CHECK(bench.usage().state == UsageState::unknown);
    bench.pass(minutes(8));
    bench.look({machine("web-1", "1.0.0")});
    bench.pass(minutes(8));
    bench.look();
    CHECK(bench.usage().state == UsageState::unknown);
}

TEST_CASE("an answer that is too old says nothing, whatever it said") {
    UsageBookBench bench;
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
    UsageBookBench bench;
    UsageAnswer large{.at = bench.now.wall,
                      .users = {},
                      .hidden = {},
                      .galleries = {bench.reach},
                      .readable = bench.readable,
                      .requests = 40};
    const Instant began = bench.now;
    bench.pass(minutes(2));  // that long it took
    bench.book.note(large, began, bench.now);
    bench.pass(minutes(18));
    CHECK(bench.book.is_fresh(gallery, UsageFor::plan, bench.now));
    CHECK_FALSE(bench.book.is_fresh(gallery, UsageFor::request, bench.now));
    bench.pass(seconds(1));
    CHECK_FALSE(bench.book.is_fresh(gallery, UsageFor::plan, bench.now));
    large.requests = 5000;
    bench.book.note(large, bench.now, bench.now);
    bench.pass(minutes(60));
    CHECK(bench.book.is_fresh(gallery, UsageFor::plan, bench.now));
    bench.pass(seconds(1));
    CHECK_FALSE(bench.book.is_fresh(gallery, UsageFor::plan, bench.now));
}

TEST_CASE("a step of the wall clock shortens no wait") {
    UsageBookBench bench;
    bench.look();
    CHECK(bench.usage().state == UsageState::unknown);
    bench.now.wall += hours(24);
    bench.look();
    CHECK(bench.usage().state == UsageState::unknown);
}

TEST_CASE("a failed look makes usage unknown and is not repeated at once") {
    UsageBookBench bench;
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

TEST_CASE("a subscription that can no longer be read makes usage unknown for good, also after a restart") {
    UsageBookBench bench;
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
    for (int month = 0; month < 24; ++month) {
        bench.pass(hours(24) * 31);
        bench.look();
    }
    bench.pass(minutes(16));
    bench.look();
    CHECK(bench.book.missing() == std::map<std::string, std::string>{{consumer, "2026-11-21"}});
    CHECK(bench.usage().state == UsageState::unknown);
    bench.readable = {owner, consumer};
    bench.look();
    CHECK(bench.book.missing().empty());
}

TEST_CASE("the wait goes on over a restart, and text that cannot be read only makes it longer") {
    UsageBookBench bench;
    bench.look();
    CHECK(bench.usage().state == UsageState::unknown);
    const std::string saved = bench.book.save();
    CHECK(saved == "subscription " + owner + " 2026-11-21\nsubscription " + consumer +
                       " 2026-11-21\nunused 2026-11-21T12:00:00Z " + version("1.0.0").key() + "\n");
    for (const std::string& text : {saved, std::string("unused yesterday x\nnonsense\n\nunused\n") + saved,
                                    "unused 2026-11-22T12:00:00Z " + version("1.0.0").key()}) {
        UsageBookBench later;
        later.book.load(text, later.now);
        later.pass(minutes(15));
        later.look();
        const bool kept = text.contains("unused 2026-11-21T12:00:00Z");
        CHECK(later.usage().state == (kept ? UsageState::not_in_use : UsageState::unknown));
    }
}

TEST_CASE("an answer is as old as the beginning of its look, however late it arrived") {
    UsageBookBench bench;
    const UsageAnswer slow{.at = bench.now.wall,
                           .users = {},
                           .hidden = {},
                           .galleries = {bench.reach},
                           .readable = bench.readable,
                           .requests = 4};
    const Instant began = bench.now;
    bench.pass(seconds(25));
    bench.book.note(slow, began, bench.now);
    bench.pass(seconds(35));
    CHECK(bench.book.is_fresh(gallery, UsageFor::request, bench.now));
    bench.pass(seconds(1));
    CHECK_FALSE(bench.book.is_fresh(gallery, UsageFor::request, bench.now));
    bench.pass(usage_age_max - seconds(61));
    CHECK(bench.book.is_fresh(gallery, UsageFor::plan, bench.now));
    bench.pass(seconds(1));
    CHECK_FALSE(bench.book.is_fresh(gallery, UsageFor::plan, bench.now));
}

TEST_CASE("a look that takes longer than a minute may be relied on for as long again, up to an hour in all") {
    UsageBookBench bench;
    const auto good_for = [&](std::chrono::nanoseconds took) {
        UsageAnswer large{.at = bench.now.wall,
                          .users = {},
                          .hidden = {},
                          .galleries = {bench.reach},
                          .readable = bench.readable,
                          .requests = 400};
        const Instant began = bench.now;
        bench.pass(took);
        bench.book.note(std::move(large), began, bench.now);
        std::chrono::nanoseconds good{-1};
        while (bench.book.is_fresh(gallery, UsageFor::request, bench.now)) {
            good += seconds(1);
            bench.pass(seconds(1));
        }
        return good;
    };
    CHECK(good_for(minutes(2)) / seconds(1) == 120);
    CHECK(good_for(minutes(59)) / seconds(1) == 60);
    CHECK(good_for(minutes(61)) < seconds(0));
}

TEST_CASE("only what a plan wants away is remembered, and nothing is said to change while nothing does") {
    UsageBookBench bench;
    std::vector<ObservedVersion> versions;
    for (int i = 0; i < 500; ++i) versions.push_back(UsageBookBench::row("1.0." + std::to_string(i)));
    bench.look();
    bench.book.note_saved();
    for (int i = 0; i < 3; ++i) {
        CHECK(bench.book.usage_of_all(versions, bench.now).size() == 500);
        bench.book.follow(definition, {}, versions, bench.now);
    }
    CHECK(bench.book.waits() == 0);
    CHECK_FALSE(bench.book.is_changed());
    bench.book.follow(definition, {version("1.0.7").key()}, versions, bench.now);
    CHECK(bench.book.waits() == 1);
    CHECK(bench.book.is_changed());
    bench.book.note_saved();
    bench.pass(seconds(30));
    bench.look();
    bench.book.follow(definition, {version("1.0.7").key()}, versions, bench.now);
    CHECK_FALSE(bench.book.is_changed());
    bench.look({machine("web-1", "1.0.7")});
    CHECK(bench.book.waits() == 0);
    CHECK(bench.book.is_changed());
    bench.book.note_saved();
    bench.pass(hours(24));
    bench.look();
    CHECK(bench.book.is_changed());  // the day on which the subscriptions could be read
}

TEST_CASE("a version made again under a name inherits no wait") {
    UsageBookBench bench;
    bench.look();
    CHECK(bench.usage().state == UsageState::unknown);
    bench.pass(minutes(15));
    bench.look();
    REQUIRE(bench.usage().state == UsageState::not_in_use);
    bench.book.follow(definition_id(gallery, "ubuntu2"), {}, {}, bench.now);  // another definition's view
    CHECK(bench.book.waits() == 1);
    // A pass while an operation is in flight wants nothing away, and ends no wait: the flag of a region's removal would
    // go on and off for ever.
    bench.book.follow(definition, {}, {UsageBookBench::row("1.0.0")}, bench.now);
    CHECK(bench.usage().state == UsageState::not_in_use);
    bench.book.follow(definition, {}, {}, bench.now);  // deleted: no view shows it any more
    CHECK(bench.book.waits() == 0);
    CHECK_FALSE(bench.book.save().contains("unused"));
    CHECK(bench.usage().state == UsageState::unknown);
}

TEST_CASE("a gallery that somebody else looks at from now on waits anew, the others go on") {
    UsageBookBench bench;
    bench.look();
    CHECK(bench.usage().state == UsageState::unknown);
    bench.book.note_saved();
    bench.book.end_waits_in(gallery_id(owner, "rg", "gold"));
    CHECK(bench.book.waits() == 1);
    CHECK_FALSE(bench.book.is_changed());
    bench.book.end_waits_in(gallery);
    CHECK(bench.book.waits() == 0);
    CHECK(bench.book.is_changed());
    bench.pass(minutes(15));
    bench.look();
    CHECK(bench.usage().state == UsageState::unknown);
}
