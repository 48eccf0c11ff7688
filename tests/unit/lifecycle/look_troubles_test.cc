#include "reconcilers/lifecycle/look_troubles.h"

#include <doctest/doctest.h>

using namespace galleryd;

namespace {

ResourceId gallery_in(const std::string& subscription) { return gallery_id(subscription, "rg", "g"); }

Error error(ErrorKind kind, const std::string& reason, const std::string& code) {
    return {.kind = kind, .reason = reason, .message = "what is wrong", .code = code};
}
const Error no_sign_in = error(ErrorKind::denied, "AuthenticationFailed", "GD3011");
const Error no_right = error(ErrorKind::denied, "AuthorizationFailed", "GD3020");

}  // namespace

TEST_CASE("a sign-in that fails is told once for all scopes, and once when it is over") {
    LookTroubles troubles;
    const auto first = troubles.failed({.scope = "a", .gallery = gallery_in("s1")}, no_sign_in);
    REQUIRE(first.size() == 1);
    CHECK(first[0].warning);
    CHECK(first[0].reason == "AuthenticationFailed");
    CHECK(first[0].object == "azure");
    CHECK(first[0].message == "what is wrong (GD3011)");
    CHECK(troubles.failed({.scope = "a", .gallery = gallery_in("s1")}, no_sign_in).empty());
    CHECK(troubles.failed({.scope = "b", .gallery = gallery_in("s2")}, no_sign_in).empty());
    CHECK(troubles.succeeded("a").empty());  // b still suffers
    const auto over = troubles.succeeded("b");
    REQUIRE(over.size() == 1);
    CHECK_FALSE(over[0].warning);
    CHECK(over[0].reason == "Resumed");
    CHECK(over[0].object == "azure");
    CHECK(troubles.succeeded("b").empty());
    CHECK(troubles.failed({.scope = "a", .gallery = gallery_in("s1")}, no_sign_in).size() == 1);  // again is told again
}

TEST_CASE("a missing right concerns its subscription, other causes their scope") {
    LookTroubles troubles;
    CHECK(troubles.failed({.scope = "a", .gallery = gallery_in("s1")}, no_right).front().object == "subscription s1");
    CHECK(troubles.failed({.scope = "b", .gallery = gallery_in("s1")}, no_right).empty());
    CHECK(troubles.failed({.scope = "c", .gallery = gallery_in("s2")}, no_right).front().object == "subscription s2");
    CHECK(
        troubles.failed({.scope = "d", .gallery = gallery_in("s1")}, error(ErrorKind::invalid, "InvalidSpec", "GD3060"))
            .front()
            .object == "d");
}

TEST_CASE("what passes by itself is not told and does not end what was told") {
    LookTroubles troubles;
    CHECK(troubles.failed({.scope = "a", .gallery = gallery_in("s1")}, no_right).size() == 1);
    for (const ErrorKind kind :
         {ErrorKind::transient, ErrorKind::throttled, ErrorKind::conflict, ErrorKind::not_ready, ErrorKind::bug})
        CHECK(
            troubles.failed({.scope = "a", .gallery = gallery_in("s1")}, error(kind, "AzureError", "GD3090")).empty());
    CHECK(troubles.failed({.scope = "a", .gallery = gallery_in("s1")}, no_right).empty());
    // Another cause in its place is told; nothing is over before the scope was looked at without an error.
    const auto changed = troubles.failed({.scope = "a", .gallery = gallery_in("s1")}, no_sign_in);
    REQUIRE(changed.size() == 1);
    CHECK(changed[0].reason == "AuthenticationFailed");
    CHECK(troubles.failed({.scope = "a", .gallery = gallery_in("s1")}, no_right).empty());
    const auto over = troubles.succeeded("a");
    REQUIRE(over.size() == 2);
    CHECK((over[0].reason == "Resumed" && over[1].reason == "Resumed"));
    CHECK((over[0].object == "azure" && over[1].object == "subscription s1"));
    CHECK(troubles.succeeded("a").empty());
}

TEST_CASE("one object that two causes stood in the way of resumes once, when the last is over") {
    LookTroubles troubles;
    const Error no_secret = error(ErrorKind::denied, "AuthenticationFailed", "GD3012");
    CHECK(troubles.failed({.scope = "a", .gallery = gallery_in("s1")}, no_sign_in).size() == 1);
    CHECK(troubles.failed({.scope = "b", .gallery = gallery_in("s1")}, no_secret).size() == 1);
    CHECK(troubles.failed({.scope = "a", .gallery = gallery_in("s1")}, no_secret).empty());
    CHECK(troubles.succeeded("a").empty());  // b still suffers
    CHECK(troubles.succeeded("b").size() == 1);
}

TEST_CASE("scopes that are no longer declared are forgotten without a word") {
    LookTroubles troubles;
    CHECK(troubles.failed({.scope = "a", .gallery = gallery_in("s1")}, no_right).size() == 1);
    troubles.keep_only([](const std::string&) { return false; });
    CHECK(troubles.succeeded("a").empty());
    CHECK(troubles.failed({.scope = "b", .gallery = gallery_in("s1")}, no_right).size() == 1);
}

TEST_CASE("a gallery's own credential that fails is told apart from galleryd's own and from another gallery's") {
    LookTroubles troubles;
    const Error no_secret = error(ErrorKind::denied, "AuthenticationFailed", "GD3029");
    const auto at = [](const std::string& scope, const std::string& credential) {
        return LookTroubles::Place{.scope = scope, .gallery = gallery_in("s1"), .credential = credential};
    };
    CHECK(troubles.failed(at("a", "images/one"), no_secret).front().object == "credential images/one");
    CHECK(troubles.failed(at("b", "images/one"), no_secret).empty());
    CHECK(troubles.failed(at("c", "images/two"), no_secret).front().object == "credential images/two");
    CHECK(troubles.failed(at("d", ""), no_secret).front().object == "azure");
    CHECK(troubles.succeeded("a").empty());
    CHECK(troubles.succeeded("b").front().object == "credential images/one");
    CHECK(troubles.failed(at("a", "images/one"), no_right).front().object ==
          "subscription s1 with credential images/one");
    CHECK(troubles.failed(at("d", ""), no_right).back().object == "subscription s1");
}
