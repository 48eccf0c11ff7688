#include "reconcilers/lifecycle/operation_schedule.h"

#include <doctest/doctest.h>

#include "reconcilers/lifecycle/absence.h"

using namespace galleryd;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace {

FollowedOperation creation() {
    FollowedOperation operation;
    operation.traits = operation_traits("CreateVersion");
    operation.started = operation.followed = minutes{10};
    return operation;
}

OperationWatch bulk() {
    OperationWatch watch;
    watch.in_bulk = true;
    watch.index_asked = minutes{12};
    watch.index_due = minutes{12} + index_interval;
    return watch;
}

}  // namespace

TEST_CASE("operation schedule: few operations are asked about at their own addresses, as Azure wishes") {
    FollowedOperation operation = creation();
    OperationWatch watch;
    NextQuestion next = next_question(operation, watch);
    CHECK(next.to == QuestionTo::operation);
    CHECK(next.at == minutes{10} + std::chrono::milliseconds{500});
    operation.asked = minutes{11};
    operation.polls = 5;
    CHECK(next_question(operation, watch).at == minutes{11} + seconds{16});
    operation.not_before = minutes{31};  // Retry-After: 1200
    CHECK(next_question(operation, watch).at == minutes{31});
    CHECK(poll_pause(1'000'000) == seconds{30});
}

TEST_CASE("operation schedule: what is overdue is asked about every five minutes, however it is watched") {
    FollowedOperation operation = creation();
    const nanoseconds overdue = operation.started + operation.traits.deadline + seconds{1};
    SUBCASE("alone") {
        operation.asked = overdue;
        CHECK(next_question(operation, OperationWatch{}).at == overdue + overdue_interval);
        operation.asked = overdue - seconds{2};
        CHECK(next_question(operation, OperationWatch{}).at < overdue + seconds{30});
    }
    SUBCASE("by its resource, until that says something") {
        operation.has_address = false;
        operation.asked = overdue;
        CHECK(next_question(operation, OperationWatch{}).at == overdue + overdue_interval);
        operation.agreeing = 1;
        CHECK(next_question(operation, OperationWatch{}).at == overdue + agreement_interval);
    }
    SUBCASE("the first question after a start does not wait") {
        operation.started = -std::chrono::hours{7};
        operation.followed = minutes{1};
        CHECK(next_question(operation, OperationWatch{}).at == minutes{1} + std::chrono::milliseconds{500});
    }
}

TEST_CASE("operation schedule: short operations are never left to the index") {
    FollowedOperation operation = creation();
    operation.traits = operation_traits("CreateDefinition");
    CHECK(next_question(operation, bulk()).to == QuestionTo::operation);
}

TEST_CASE("operation schedule: in bulk the index is asked, and what left its list is read once") {
    FollowedOperation operation = creation();
    OperationWatch watch = bulk();
    SUBCASE("what it shows") {
        operation.shown = watch.index_asked;
        const NextQuestion next = next_question(operation, watch);
        CHECK(next.to == QuestionTo::index);
        CHECK(next.at == watch.index_due);
    }
    SUBCASE("what it showed before and does not show now") {
        operation.shown = *watch.index_asked - index_interval;
        const NextQuestion next = next_question(operation, watch);
        CHECK(next.to == QuestionTo::resource);
        CHECK(next.at <= *watch.index_asked);
    }
    SUBCASE("a deletion is asked about at its address: what is gone cannot tell") {
        operation.traits = operation_traits("DeleteVersion");
        operation.shown = *watch.index_asked - index_interval;
        CHECK(next_question(operation, watch).to == QuestionTo::operation);
    }
    SUBCASE("so is an update: a replica that lags shows the rest before it") {
        operation.traits = operation_traits("UpdateVersion");
        operation.shown = *watch.index_asked - index_interval;
        CHECK(next_question(operation, watch).to == QuestionTo::operation);
        operation.shown = watch.index_asked;  // and a guess is confirmed there as well
        watch.usual_length = std::chrono::minutes{1};
        watch.may_guess = true;
        CHECK(next_question(operation, watch).is_guess);
        CHECK(next_question(operation, watch).to == QuestionTo::operation);
    }
    SUBCASE("the index was wrong: the read since then found it running") {
        operation.shown = *watch.index_asked - index_interval;
        operation.asked = *watch.index_asked + seconds{1};
        CHECK(next_question(operation, watch).to == QuestionTo::index);
        watch.index_due = minutes{20};
        const NextQuestion next = next_question(operation, watch);
        CHECK(next.to == QuestionTo::resource);
        CHECK(next.at == *operation.asked + single_interval);
    }
}

TEST_CASE("operation schedule: a lagging index makes single questions earlier, its silence ends nothing") {
    FollowedOperation operation = creation();
    OperationWatch watch = bulk();
    watch.index_due = minutes{60};
    SUBCASE("it has not shown the operation a minute after the beginning") {
        const NextQuestion next = next_question(operation, watch);
        CHECK(next.to == QuestionTo::operation);
        CHECK(next.at == operation.started + single_interval);
    }
    SUBCASE("it never answered") {
        watch.index_asked.reset();
        CHECK(next_question(operation, watch).to == QuestionTo::operation);
    }
    SUBCASE("it shows what ended more than a minute ago") {
        operation.shown = watch.index_asked;
        operation.asked = minutes{12};
        watch.index_due = minutes{12} + index_interval;
        CHECK(next_question(operation, watch).to == QuestionTo::index);
        watch.index_due = minutes{60};
        watch.index_is_behind = true;
        CHECK(next_question(operation, watch).to == QuestionTo::operation);
        CHECK(next_question(operation, watch).at == minutes{13});
    }
    SUBCASE("it has not answered for two turns") {
        operation.shown = watch.index_asked;
        watch.index_due = *watch.index_asked + 2 * index_interval + seconds{1};
        CHECK(next_question(operation, watch).to == QuestionTo::operation);
    }
    SUBCASE("the oldest one is the canary") {
        operation.shown = watch.index_asked;
        operation.asked = minutes{12};
        watch.is_oldest = true;
        CHECK(next_question(operation, watch).to == QuestionTo::operation);
        CHECK(next_question(operation, watch).at == minutes{12} + index_interval);
    }
    SUBCASE("as long as others took: a guess, while guesses are affordable") {
        watch.index_asked = operation.shown = minutes{17} - seconds{15};
        watch.index_due = minutes{17} + seconds{15};
        watch.usual_length = minutes{7};
        watch.may_guess = true;
        const NextQuestion next = next_question(operation, watch);
        CHECK(next.to == QuestionTo::resource);
        CHECK(next.is_guess);
        CHECK(next.at == minutes{17});
        watch.may_guess = false;
        CHECK(next_question(operation, watch).to == QuestionTo::index);
    }
}

TEST_CASE("operation schedule: without an address the resource is read, each minute, and soon again once it rests") {
    FollowedOperation operation = creation();
    operation.has_address = false;
    NextQuestion next = next_question(operation, bulk());
    CHECK(next.to == QuestionTo::resource);
    CHECK(next.at == operation.followed + agreement_interval);
    operation.asked = minutes{11};
    operation.polls = 1;
    CHECK(next_question(operation, bulk()).at == minutes{11} + single_interval);
    operation.agreeing = 1;
    CHECK(next_question(operation, bulk()).at == minutes{11} + agreement_interval);
}

TEST_CASE("operation schedule: after a restart nothing is asked in one burst") {
    FollowedOperation operation = creation();
    operation.started = -std::chrono::hours{3};
    operation.followed = minutes{12};
    OperationWatch watch = bulk();
    CHECK(next_question(operation, watch).at >= watch.index_due);
    CHECK(next_question(operation, OperationWatch{}).at == operation.followed + std::chrono::milliseconds{500});
}

TEST_CASE("Z5: ten reads in a row, fifteen seconds apart, make an absence; one that finds it starts anew") {
    AbsenceMemory memory;
    nanoseconds now = minutes{1};
    for (int i = 1; i < absence_reads_min; ++i, now += absence_read_interval)
        CHECK_FALSE(memory.note_missing("/a", now));
    SUBCASE("the tenth") { CHECK(memory.note_missing("/a", now)); }
    SUBCASE("reads in a burst count once") {
        const nanoseconds last = now - absence_read_interval;
        for (int i = 0; i < 100; ++i) CHECK_FALSE(memory.note_missing("/a", last + std::chrono::milliseconds{i}));
    }
    SUBCASE("a read that finds it") {
        memory.note_seen("/a");
        CHECK_FALSE(memory.note_missing("/a", now));
        CHECK(memory.size() == 1);
    }
    SUBCASE("a long pause ends no row") { CHECK(memory.note_missing("/a", now + std::chrono::hours{5})); }
    SUBCASE("what nobody asks about any more is forgotten") {
        CHECK_FALSE(memory.note_missing("/b", now + std::chrono::hours{7}));
        CHECK(memory.size() == 1);
    }
    SUBCASE("what is asked: open from the first miss on, agreed from the tenth") {
        CHECK(memory.is_open("/a"));
        CHECK_FALSE(memory.agrees("/a"));
        CHECK(memory.note_missing("/a", now));
        CHECK(memory.agrees("/a"));
        memory.keep_only(std::set<std::string>{"/b"});
        CHECK_FALSE(memory.is_open("/a"));
        CHECK_FALSE(memory.agrees("/a"));
    }
    SUBCASE("others count for themselves") { CHECK_FALSE(memory.note_missing("/b", now)); }
}
