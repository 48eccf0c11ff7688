#include "reconcilers/lifecycle/write_pauses.h"

#include <doctest/doctest.h>

using namespace galleryd;
using std::chrono::hours;
using std::chrono::seconds;

namespace {

Change version_change(const std::string& version) {
    Change change;
    change.arm_id = ResourceId(
        "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/"
        "Microsoft.Compute/galleries/g/images/i/versions/" +
        version);
    change.step = DeleteVersion{};
    change.destructive = true;
    return change;
}

Error error_of(ErrorKind kind) { return Error{.kind = kind, .reason = "R", .message = "m"}; }

}  // namespace

TEST_CASE("Z13: write pauses: what Azure refused for good is tried again after an hour, not before") {
    WritePauses pauses;
    const Change change = version_change("1.0.0");
    pauses.note_failure(change, "d1", error_of(ErrorKind::denied), seconds{100});
    REQUIRE(pauses.find(change, "d1", seconds{100} + hours{1} - seconds{1}) != nullptr);
    CHECK(pauses.find(change, "d1", seconds{100} + hours{1} - seconds{1})->reason == "R");
    CHECK(pauses.find(change, "d1", seconds{100} + hours{1}) == nullptr);
}

TEST_CASE("write pauses: a document that changed is tried at once, and another resource never waited") {
    WritePauses pauses;
    const Change change = version_change("1.0.0");
    pauses.note_failure(change, "d1", error_of(ErrorKind::invalid), seconds{0});
    CHECK(pauses.find(change, "d2", seconds{1}) == nullptr);
    CHECK(pauses.find(version_change("1.0.1"), "d1", seconds{1}) == nullptr);
    CHECK(pauses.find(change, "d1", seconds{1}) != nullptr);
}

TEST_CASE("write pauses: a success starts the count anew") {
    WritePauses pauses;
    const Change change = version_change("1.0.0");
    const auto longest = [&](int failures) {
        for (int i = 0; i < failures; ++i) {
            pauses.note_failure(change, "d", error_of(ErrorKind::transient), seconds{0});
        }
        int waited = 0;
        while (pauses.find(change, "d", seconds{waited}) != nullptr) ++waited;
        return waited;
    };
    const int once = longest(1);
    CHECK(longest(3) > once);
    pauses.note_success(change);
    CHECK(pauses.find(change, "d", seconds{0}) == nullptr);
    CHECK(longest(1) == once);
}

TEST_CASE("write pauses: what nobody asked about for a day is forgotten") {
    WritePauses pauses;
    pauses.note_failure(version_change("1.0.0"), "d", error_of(ErrorKind::invalid), seconds{0});
    pauses.note_failure(version_change("1.0.1"), "d", error_of(ErrorKind::invalid), hours{20});
    pauses.prune(hours{25});
    CHECK(pauses.size() == 2);
    pauses.prune(hours{26});
    CHECK(pauses.size() == 1);
    CHECK(pauses.find(version_change("1.0.1"), "d", hours{20}) != nullptr);
}
