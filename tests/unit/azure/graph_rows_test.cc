#include "controller/adapters/azure/graph_rows.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "controller/adapters/azure/json_plain.h"
#include "tests/unit/azure/graph_bench.h"

using namespace galleryd;
using namespace galleryd::azure;
using namespace galleryd::azure::test;

namespace {

std::string page_text(const std::string& rows, const std::string& more = "") {
    return R"({"totalRecords":7,"count":2,"data":[)" + rows + R"(],"facets":[],"resultTruncated":"false")" + more + "}";
}

}  // namespace

TEST_CASE("a page is scanned into its rows, whatever stands in their texts") {
    const std::string first = R"({"id":"a","t":"]} \" \\","l":[1,{"x":[]}]})";
    const std::string second = "{\r\n \"id\" : \"b\" , \"n\" : null\t}";
    const std::string text = " \r\n" + page_text(first + " ,\r\n" + second, R"(,"$skipToken":"ew0K\/x")") + "\n";
    const auto page = scan_graph_page(text);
    REQUIRE_MESSAGE(page.has_value(), (page ? "" : page.error().message));
    REQUIRE(page->rows.size() == 2);
    CHECK(page->rows[0] == first);
    CHECK(page->rows[1] == second);
    CHECK(page->total == 7);
    CHECK(page->count == 2);
    CHECK_FALSE(page->truncated);
    CHECK(page->skip_token == "ew0K/x");
    const auto empty = scan_graph_page(R"({"totalRecords":0,"count":0,"data":[],"resultTruncated":"true"})");
    REQUIRE(empty.has_value());
    CHECK(empty->rows.empty());
    CHECK(empty->truncated);
}

TEST_CASE("every proper beginning of a page is an error and never a shorter page") {
    const std::string text = page_text(R"({"id":"a","p":{"q":[1,2,"]"]}},{"id":"b"})", R"(,"$skipToken":"t")");
    REQUIRE(scan_graph_page(text).has_value());
    for (std::size_t length = 0; length < text.size(); ++length) {
        CAPTURE(length);
        const auto page = scan_graph_page(std::string_view(text).substr(0, length));
        REQUIRE_FALSE(page.has_value());
        CHECK(page.error().kind == ErrorKind::transient);
    }
    CHECK_FALSE(scan_graph_page(text + "x").has_value());
    CHECK_FALSE(scan_graph_page(text + text).has_value());
    CHECK_FALSE(scan_graph_page(page_text(R"({"id":"a"} {"id":"b"})")).has_value());
    CHECK_FALSE(scan_graph_page(page_text(std::string(100, '[') + std::string(100, ']'))).has_value());
}

TEST_CASE("the quick parser and nlohmann's make the same tree of every text") {
    std::vector<std::string> texts{"0",
                                   "-0",
                                   "01",
                                   "1.5",
                                   "-3",
                                   "1e3",
                                   "123456789012345678",
                                   "1234567890123456789",
                                   "18446744073709551616",
                                   "\"\"",
                                   "\"a\\nb\"",
                                   "\"\xc3\xa9\"",
                                   "\"\xff\"",
                                   "\"\x01\"",
                                   "true",
                                   "truex",
                                   "nul",
                                   "[1,]",
                                   "{\"a\":1,}",
                                   "{}",
                                   "[]",
                                   "",
                                   " ",
                                   "{\"a\":1,\"a\":2}",
                                   "{\"b\":1,\"a\":{\"d\":[true,false,null,-7]}}",
                                   "[[[]]]",
                                   "{\"a\" 1}",
                                   "{a:1}",
                                   "\"a",
                                   "[1 2]",
                                   " [ 1 , 2 ] ",
                                   "-",
                                   "+1",
                                   ".5",
                                   "\"\\u00e9\"",
                                   "{\"\\u0061\":1}",
                                   "[\"\x7f\"]",
                                   "9007199254740993"};
    texts.push_back(gallery_body());
    texts.push_back(definition_body());
    texts.push_back(version_body());
    const std::size_t bodies_end = texts.size();
    std::mt19937 random(7);  // mutations: a byte replaced, removed or doubled
    for (int i = 0; i < 3000; ++i) {
        std::string text = texts[bodies_end - 1 - random() % 3];
        for (std::size_t n = random() % 3 + 1; n > 0; --n) {
            const std::size_t at = random() % text.size();
            const std::string_view bytes = "\"\\{}[],:0 1e-t\n\x80x";
            if (random() % 3 == 0) text.erase(at, 1);
            else if (random() % 2 == 0) text[at] = bytes[random() % bytes.size()];
            else text.insert(at, 1, text[at]);
        }
        texts.push_back(std::move(text));
    }
    std::size_t whole = 0;
    for (const std::string& text : texts) {
        const Json expected = Json::parse(text, nullptr, false);
        const Json made = parse_plain_json(text);
        CAPTURE(text);
        REQUIRE(made.is_discarded() == expected.is_discarded());
        if (expected.is_discarded()) continue;
        ++whole;
        REQUIRE(made == expected);
        REQUIRE(made.type() == expected.type());  // 1 and 1.0 are equal, but not the same
    }
    CHECK(whole > 100);
    CHECK(whole < texts.size() - 100);
}

TEST_CASE("a row that is none of ours or lacks its id is an error of the page") {
    IdSink sink;
    for (const std::string row :
         {"{}", "1", "{\"id\":1}", "{\"id\":\"/subscriptions/x\"}", "{\"id\":\"/a/b/c/d/e/f/g/h\"}", "{\"id\"",
          R"({"id":"/subscriptions/s/resourceGroups/r/providers/Microsoft.Compute/disks/d"})"}) {
        CAPTURE(row);
        const auto delivered = deliver_row(row, DecodeContext{}, sink);
        REQUIRE_FALSE(delivered.has_value());
        CHECK(delivered.error().kind == ErrorKind::transient);
    }
    CHECK(sink.galleries.size() + sink.definitions.size() + sink.versions.size() == 0);
}
