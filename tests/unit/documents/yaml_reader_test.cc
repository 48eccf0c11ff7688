#include <doctest/doctest.h>

#include "controller/adapters/documents/tree.h"

using namespace galleryd::documents;

namespace {

std::string outcome(const std::string& text) {
    const ReadTree read = read_tree({text, 1});
    if (read.empty) return "empty";
    if (read.failure)
        return read.failure->problem.code + " " + std::to_string(read.failure->place.line) + ":" +
               std::to_string(read.failure->place.column);
    return read.tree.value.dump();
}

}  // namespace

TEST_CASE("plain scalars have the types of the YAML 1.2 core schema") {
    CHECK(outcome("[yes, no, on, off, y, 1:30, 2024-01-01, ., -, +, 0x, -x, 1.2.3]") ==
          R"(["yes","no","on","off","y","1:30","2024-01-01",".","-","+","0x","-x","1.2.3"])");
    CHECK(outcome("[true, True, FALSE, null, ~, Null]") == "[true,true,false,null,null,null]");
    CHECK(outcome("[0, 12, -7, +3, 0x1F, 0o17, 1.5, -2e3, .5, 4.]") == "[0,12,-7,3,31,15,1.5,-2000.0,0.5,4.0]");
    CHECK(outcome("['1', \"true\", !!str 12, ! x]") == R"(["1","true","12","x"])");
    CHECK(outcome("{1: a, true: b, 'c': d}") == R"({"1":"a","c":"d","true":"b"})");
}

TEST_CASE("numbers that readers disagree about are refused") {
    CHECK(outcome("a: 010") == "GD1026 1:4");
    CHECK(outcome("a: -01") == "GD1026 1:4");
    CHECK(outcome("a: .nan") == "GD1026 1:4");
    CHECK(outcome("a: -.inf") == "GD1026 1:4");
    CHECK(outcome("a: 9223372036854775808") == "GD1026 1:4");
    CHECK(outcome("a: 9223372036854775807") == R"({"a":9223372036854775807})");
    CHECK(outcome("a: 1e999") == "GD1026 1:4");
}

TEST_CASE("what could grow, loop or hide is refused with its place") {
    CHECK(outcome(",") == "GD1001 1:1");
    CHECK(outcome("a: &x 1\nb: *x") == "GD1003 1:4");
    CHECK(outcome("a: *x") == "GD1001 1:4");
    CHECK(outcome("<<: {a: 1}") == "GD1003 1:1");
    CHECK(outcome("a: 1\nb: 2\na: 3") == "GD1002 3:1");
    CHECK(outcome("a: !!binary aGVsbG8=") == "GD1004 1:4");
    CHECK(outcome("? [a, b]\n: c") == "GD1009 1:3");
    CHECK(outcome("'': a") == "GD1009 1:1");
    CHECK(outcome("a: \"\\0\"") == "GD1007 1:4");
    CHECK(outcome(std::string(64, '[') + std::string(64, ']')) == std::string(64, '[') + std::string(64, ']'));
    CHECK(outcome(std::string(65, '[') + std::string(65, ']')).starts_with("GD1005"));
    CHECK(outcome(std::string(1'000'000, '[')) == "GD1005 1:65");
    std::string many = "a: [b";
    for (int i = 0; i < 20'000; ++i) many += ",b";
    CHECK(outcome(many + "]").starts_with("GD1006"));
    many.clear();
    for (int i = 0; i < 50'000; ++i) many += "- a\n";
    CHECK(outcome(many).starts_with("GD1006"));
}

TEST_CASE("a quote that is never closed is refused, as in a half-written file") {
    CHECK(outcome("a: \"half\n") == "GD1001 1:4");
    CHECK(outcome("a: 'half\n") == "GD1001 1:4");
    CHECK(outcome("a: 'it''s\n") == "GD1001 1:4");
    CHECK(outcome("a: \"b\\\"\n") == "GD1001 1:4");
    CHECK(outcome("a: !!str 'half\n") == "GD1001 1:4");
    CHECK(outcome("a: 'it''s'\n") == R"({"a":"it's"})");
    CHECK(outcome("a: \"b\\\"\"\n") == R"({"a":"b\""})");
    CHECK(outcome("a: [1, 2\n").starts_with("GD1001"));
    CHECK(outcome("a: {b: c\n").starts_with("GD1001"));
}

TEST_CASE("comments alone are no document") {
    CHECK(outcome("# nothing here\n") == "empty");
    CHECK(cut_documents("# a\n\n---\n# b\n---\n...\n").empty());
}

TEST_CASE("documents are cut at their markers, with their lines") {
    const auto pieces =
        cut_documents("\xef\xbb\xbf# head\n---\na: 1\n---\n---\nb: |\n  --- not a marker\n...\nc: 3\n--- {d: 4}\n");
    REQUIRE(pieces.size() == 4);
    CHECK(pieces[0].line == 1);
    CHECK(pieces[1].line == 5);
    CHECK(pieces[2].line == 9);
    CHECK(pieces[3].line == 10);
    CHECK(read_yaml(pieces[1]).tree.value.dump() == R"({"b":"--- not a marker\n"})");
    CHECK(read_yaml(pieces[3]).tree.value.dump() == R"({"d":4})");
}

TEST_CASE("every value knows its place") {
    const ReadTree read =
        read_yaml({"spec:\n  list:\n    - name: x\n      n: 1\n    - {name: y, n: 22}\n  a/b: z\n", 11});
    REQUIRE_FALSE(read.failure.has_value());
    const Places& places = read.tree.places;
    const auto at = [](Place place) { return std::to_string(place.line) + ":" + std::to_string(place.column); };
    CHECK(at(places.value_at("/spec/list/1/n")) == "15:20");
    CHECK(at(places.key_at("/spec/list/1/n")) == "15:17");
    CHECK(at(places.value_at(pointer_join("/spec", "a/b"))) == "16:8");
    CHECK(at(places.value_at("/spec/list/1/missing/deeper")) == "15:7");
    CHECK(at(places.below("/spec/list/0").value_at("/n")) == "14:10");
    CHECK(dotted("/spec/list/1/a~1b") == "spec.list[1][\"a/b\"]");
}

TEST_CASE("JSON is read by its own rules, with places") {
    CHECK(outcome("{\"a\": [1, -2.5e1, true, null, \"x\\u00e4\\ud83d\\ude00\\/\"]}") ==
          "{\"a\":[1,-25.0,true,null,\"xä😀/\"]}");
    CHECK(outcome("{\n\t\"a\": 1,\n\t\"a\": 2}") == "GD1002 3:2");
    CHECK(outcome("{\"a\": 01}") == "GD1001 1:7");
    CHECK(read_json({"{\"a\": 1,}", 1}).failure->problem.code == "GD1001");
    CHECK(read_json({"{\"a\": 1} x", 1}).failure->problem.code == "GD1001");
    CHECK(read_json({"{\"a\": \"x", 1}).failure->problem.code == "GD1001");
    CHECK(read_json({"{\"a\": \"\\ud800\"}", 1}).failure->problem.code == "GD1001");
    CHECK(read_json({"{\"a\": \"\\u0000\"}", 1}).failure->problem.code == "GD1007");
    CHECK(read_json({"{\"a\": 99999999999999999999}", 1}).failure->problem.code == "GD1026");
    CHECK(read_json({"{\"\": 1}", 1}).failure->problem.code == "GD1009");
    CHECK(outcome(std::string(200, '{') + "\"a\":").starts_with("GD"));
}

TEST_CASE("encoding, size and conflict markers are looked at before parsing") {
    const auto code = [](const std::string& text) {
        const auto problem = find_text_problem(text);
        return problem ? problem->problem.code + " " + std::to_string(problem->place.line) + ":" +
                             std::to_string(problem->place.column)
                       : "";
    };
    CHECK(code("a: ä 😀\tb\r\n") == "");
    CHECK(code("\xef\xbb\xbf"
               "a: 1") == "");
    CHECK(code("\xff\xfe"
               "a") == "GD1007 1:1");
    CHECK(code(std::string("a: 1\nb: \0", 9)) == "GD1007 2:4");
    CHECK(code("a: \xc3") == "GD1007 1:4");
    CHECK(code("a: \xed\xa0\x80") == "GD1007 1:4");
    CHECK(code("a: \xe2\x80\xae"
               "b") == "GD1007 1:4");
    CHECK(code("a: 1\n<<<<<<< HEAD\n") == "GD1008 2:1");
    CHECK(code("a: 1\n=======\n") == "GD1008 2:1");
    CHECK(code("a: <<<<<<< b\n") == "");
    CHECK(code(std::string(1024 * 1024, '#')) == "");
    CHECK(code(std::string(1024 * 1024 + 1, '#')) == "GD1006 1:1");
}
