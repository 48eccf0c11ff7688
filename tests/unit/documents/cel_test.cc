#include "controller/adapters/documents/cel.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "controller/adapters/documents/schema.h"

using namespace galleryd::documents;
using nlohmann::json;

namespace {

std::string value_of(const std::string& rule, const json& self = json::object(), const json* old_self = nullptr) {
    const auto compiled = CelRule::compile(rule);
    if (!compiled.rule) return "does not compile: " + compiled.error;
    return compiled.rule->evaluate(self, old_self);
}

}  // namespace

TEST_CASE("expressions give what the language says") {
    const json self = json::parse(
        R"({"a": 1, "b": "text", "list": [1, 2, 3], "map": {"x": 1, "y": 2}, "real": 2.5, "items": [{"n": "p", "v": 1}, {"n": "q", "v": 2}]})");
    const std::vector<std::pair<std::string, std::string>> cases{
        {"1 + 2 * 3 - 4 / 2 % 3", "5"},
        {"(1 + 2) * 3", "9"},
        {"-self.a", "-1"},
        {"self.real * 2.0", "5.0"},
        {"'a' + \"b\"", "\"ab\""},
        {"self.a == 1 && self.b != 'x'", "true"},
        {"self.a < 2 ? 'low' : 'high'", "\"low\""},
        {"2 in self.list", "true"},
        {"'z' in self.map", "false"},
        {"has(self.a)", "true"},
        {"has(self.none)", "false"},
        {"has(self.map.x) && !has(self.map.z)", "true"},
        {"size(self.list)", "3"},
        {"self.b.size()", "4"},
        {"size('äö')", "2"},
        {"size(self.map)", "2"},
        {"self.list[2]", "3"},
        {"self.map['y']", "2"},
        {"self.b.matches('^t.*t$')", "true"},
        {"self.b.startsWith('te')", "true"},
        {"self.b.endsWith('te')", "false"},
        {"self.b.contains('ex')", "true"},
        {"'1.2.3'.split('.')", "[\"1\",\"2\",\"3\"]"},
        {"'1.2.3'.split('.').all(p, int(p) <= 3)", "true"},
        {"int('12') + int(1.9)", "13"},
        {"double(1)", "1.0"},
        {"string(12) + 'x'", "\"12x\""},
        {"self.list.all(i, i > 0)", "true"},
        {"self.list.exists(i, i == 2)", "true"},
        {"self.list.exists_one(i, i > 1)", "false"},
        {"self.list.filter(i, i != 2)", "[1,3]"},
        {"self.list.map(i, i * 10)", "[10,20,30]"},
        {"self.map.all(k, k != 'z')", "true"},
        {"self.items.all(x, self.items.exists_one(y, y.n == x.n))", "true"},
        {"self.items.filter(x, x.v > 1).map(x, x.n)", "[\"q\"]"},
        {"[has(self.a), has(self.z)].filter(x, x).size() == 1", "true"},
        {"self.list == [1, 2, 3]", "true"},
        {"null == null", "true"},
        {"1 == '1'", "false"}};
    for (const auto& [rule, expected] : cases) {
        CAPTURE(rule);
        CHECK(value_of(rule, self) == expected);
    }
}

TEST_CASE("errors are values that && and || may swallow") {
    const json self = json::object();
    CHECK(value_of("self.a == 1", self).starts_with("error"));
    CHECK(value_of("self.a == 1 || true", self) == "true");
    CHECK(value_of("true || self.a == 1", self) == "true");
    CHECK(value_of("self.a == 1 && false", self) == "false");
    CHECK(value_of("self.a == 1 && true", self).starts_with("error"));
    CHECK(value_of("[1, 2].exists(x, x == 2 || self.a == 1)", self) == "true");
    CHECK(value_of("1 / 0").starts_with("error"));
    CHECK(value_of("9223372036854775807 + 1").starts_with("error"));
    CHECK(value_of("int('x')").starts_with("error"));
    CHECK(value_of("[1][1]").starts_with("error"));
    CHECK(value_of("1 < 'a'").starts_with("error"));
    CHECK(value_of("!1").starts_with("error"));
}

TEST_CASE("oldSelf makes a transition rule") {
    const auto compiled = CelRule::compile("self == oldSelf");
    REQUIRE(compiled.rule.has_value());
    CHECK(compiled.rule->is_transition());
    const json before = {{"a", {1, 2}}}, after = {{"a", {1, 3}}};
    CHECK(compiled.rule->holds(before, &before));
    CHECK_FALSE(compiled.rule->holds(after, &before));
}

TEST_CASE("what is not understood does not compile, so no rule is passed over silently") {
    for (const char* rule : {"", "self.", "self.a +", "other", "self.unknown()", "frob(1)", "self.a.all(x)",
                             "has(self)", "self.b.matches(self.a)", "'open", "self.b.matches('[')", "1 2", "a.b",
                             "self.list.all(x, y)", "#", "'\\q'", "self.a ? 1"}) {
        CAPTURE(rule);
        CHECK(value_of(rule).starts_with("does not compile"));
    }
}

TEST_CASE("every embedded schema compiles, and describes and bounds every field") {
    for (const auto kind : {galleryd::Kind::gallery, galleryd::Kind::image_definition, galleryd::Kind::image_version,
                            galleryd::Kind::lifecycle_policy}) {
        std::vector<std::pair<std::string, const Schema*>> open{{"", &schema_of(kind)}};
        while (!open.empty()) {
            const auto [path, schema] = open.back();
            open.pop_back();
            CAPTURE(path);
            if (path != "/metadata") CHECK((!schema->description.empty() || path.ends_with("/*")));
            if (schema->type == SchemaType::string && !path.starts_with("/apiVersion") && !path.starts_with("/kind")) {
                CHECK((schema->length_max || !schema->choices.empty() || !schema->format.empty()));
            }
            if (schema->type == SchemaType::array) CHECK(schema->items_max.has_value());
            if (schema->additional) CHECK(schema->properties_max.has_value());
            for (const SchemaRule& rule : schema->rules) CHECK(rule.message.size() > 20);
            for (const auto& [name, child] : schema->properties) open.emplace_back(path + "/" + name, child.get());
            if (schema->items) open.emplace_back(path + "/[]", schema->items.get());
            if (schema->additional) open.emplace_back(path + "/*", schema->additional.get());
        }
    }
}

TEST_CASE("a schema with an unknown word or rule is refused as a whole") {
    CHECK(compile_schema(json::parse(R"({"type": "string", "oneOf": []})")).error.contains("oneOf"));
    CHECK(compile_schema(json::parse(R"({"description": "no type"})")).error.contains("type"));
    CHECK(compile_schema(json::parse(R"({"type": "string", "pattern": "["})")).error.contains("pattern"));
    CHECK(compile_schema(
              json::parse(
                  R"x({"type": "string", "x-kubernetes-validations": [{"rule": "self.frob()", "message": "m"}]})x"))
              .error.contains("frob"));
}
