#include <doctest/doctest.h>

#include "controller/simulator/json.h"

using namespace galleryd::simulator;

namespace {

// What Azure's galleries send: two blanks a level, CR LF (recorded).
std::string by_library(const Json& value) {
    std::string text = value.dump(2, ' ', false, Json::error_handler_t::replace), printed;
    for (const char c : text) {
        if (c == '\n') printed += '\r';
        printed += c;
    }
    return printed;
}

}  // namespace

TEST_CASE("bodies are printed as the library prints them, with Azure's line ends") {
    const Json body = Json::parse(R"({"name": "1.0.0", "empty": {}, "none": [], "null": null, "yes": true, "n": -12,
        "f": 0.25, "big": 18446744073709551615, "list": [1, "two", [], {"deep": [null]}],
        "quoted\"name": "a \"b\" \\ / \u00e9 \u2028 \ud83d\ude00 \u0001 \t tab", "": ""})");
    CHECK(print_pretty(body) == by_library(body));
    for (const Json& each : body) CHECK(print_pretty(each) == (each.is_null() ? "" : by_library(each)));
}

TEST_CASE("text that is no UTF-8 is replaced, not refused") {
    const Json body{{"tag", std::string("a\xff\xc3") + "b"}};
    CHECK(print_pretty(body) == by_library(body));
}
