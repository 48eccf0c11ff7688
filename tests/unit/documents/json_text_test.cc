#include "controller/adapters/documents/json_text.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using galleryd::documents::JsonText;
using Ordered = nlohmann::ordered_json;

TEST_CASE("what is only written is written as ordered_json writes it, byte for byte") {
    std::string every;
    for (int c = 1; c < 128; ++c) every += static_cast<char>(c);
    every += "\xc3\xa9\xe2\x82\xac";
    const std::vector<std::string> texts{"", "a", every}, no_texts;
    const std::map<std::string, std::string> tags{{"b", "1"}, {"a\"", every}}, no_tags;
    JsonText ours{{"text", every},  {"literal", "x"}, {"true", true},
                  {"false", false}, {"int", -7},      {"big", std::int64_t{1} << 62}};
    Ordered theirs{{"text", every},  {"literal", "x"}, {"true", true},
                   {"false", false}, {"int", -7},      {"big", std::int64_t{1} << 62}};
    const auto both = [&](auto change) {
        change(ours, JsonText(), JsonText::array(), JsonText::object());
        change(theirs, Ordered(), Ordered::array(), Ordered::object());
        CHECK(ours.dump() == theirs.dump());
    };
    for (const double number : {10.0, 0.1, 1e300, 1e15, 1e16, -2.5e-7, 123456789.125})
        both([&](auto& json, auto, auto, auto) { json["numbers"].push_back(number); });
    both([&](auto& json, auto, auto, auto) { json["texts"] = texts; });
    both([&](auto& json, auto, auto, auto) { json["none"] = no_texts; });
    both([&](auto& json, auto, auto, auto) { json["tags"] = tags; });
    both([&](auto& json, auto, auto, auto) { json["no tags"] = no_tags; });
    both([&](auto& json, auto null, auto array, auto object) {
        json["a"]["b"]["c"] = 1;
        json["a"]["d"] = null;
        json["list"] = array;
        json["list"].push_back("x");
        json["map"] = object;
        json["text"] = "instead";  // at its old place
        json.erase("literal");
        json.update(json["a"]);
    });
    CHECK(JsonText().is_null());
    CHECK(JsonText().dump() == "null");
    CHECK(JsonText::array().empty());
    CHECK(JsonText::object().dump() == "{}");
    CHECK(ours["missing"].is_null());
}
