#include "controller/program/suggest.h"

#include <doctest/doctest.h>

using galleryd::nearest;

namespace {
const std::vector<std::string> verbs{"demo", "run", "plan", "apply", "validate", "get", "events", "wait", "approve"};
}

TEST_CASE("a misspelt command suggests the one that was meant") {
    CHECK(nearest("plna", verbs) == "plan");
    CHECK(nearest("aply", verbs) == "apply");
    CHECK(nearest("validat", verbs) == "validate");
    CHECK(nearest("plan", verbs) == "plan");
}

TEST_CASE("three letters of a command are enough, two are not") {
    CHECK(nearest("val", verbs) == "validate");
    CHECK(nearest("app", verbs) == "apply");
    CHECK_FALSE(nearest("va", {"validate"}).has_value());
}

TEST_CASE("a word that resembles nothing suggests nothing") {
    CHECK_FALSE(nearest("kubernetes", verbs).has_value());
    CHECK_FALSE(nearest("", verbs).has_value());
    CHECK_FALSE(nearest("xyz", verbs).has_value());
    CHECK_FALSE(nearest("plan", {}).has_value());
    CHECK_FALSE(nearest("abcdefgh", {"abcd1234"}).has_value());
    CHECK(nearest("abcdefgh", {"abcde123"}) == "abcde123");
}
