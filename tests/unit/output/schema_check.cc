#include "tests/unit/output/schema_check.h"

#include <regex>
#include <set>

namespace galleryd {
namespace {

using Json = nlohmann::ordered_json;

class Checker {
  public:
    explicit Checker(const Json& root) : root_(root) {}

    void check(const Json& schema, const Json& value, const std::string& at) {
        for (const auto& [keyword, rule] : schema.items()) {
            if (keyword == "$ref") {
                check(root_.at(Json::json_pointer(rule.get<std::string>().substr(1))), value, at);
            } else if (keyword == "type") {
                check_type(rule, value, at);
            } else if (keyword == "const") {
                if (value != rule) say(at, "is not " + rule.dump());
            } else if (keyword == "enum") {
                if (std::find(rule.begin(), rule.end(), value) == rule.end())
                    say(at, value.dump() + " is none of " + rule.dump());
            } else if (keyword == "pattern") {
                if (value.is_string() &&
                    !std::regex_search(value.get<std::string>(), std::regex(rule.get<std::string>())))
                    say(at, value.dump() + " does not match");
            } else if (keyword == "minimum" || keyword == "maximum") {
                const bool fits = !value.is_number() || (keyword == "minimum" ? value >= rule : value <= rule);
                if (!fits) say(at, "is out of range");
            } else if (keyword == "minItems") {
                if (value.is_array() && value.size() < rule.get<std::size_t>()) say(at, "has too few items");
            } else if (keyword == "required") {
                check_required(rule, value, at);
            } else if (keyword == "properties") {
                check_properties(rule, value, at);
            } else if (keyword == "items") {
                for (std::size_t i = 0; value.is_array() && i < value.size(); ++i)
                    check(rule, value[i], at + "/" + std::to_string(i));
            } else if (!ignored.contains(keyword)) {
                say(at, "the schema uses " + keyword + ", which is not checked");
            }
        }
    }
    std::vector<std::string> problems;

  private:
    inline static const std::set<std::string> ignored{"description", "title", "$schema", "$id", "$defs"};

    void say(const std::string& at, const std::string& what) { problems.push_back(at + ": " + what); }

    static bool is_type(const std::string& type, const Json& value) {
        if (type == "integer") return value.is_number_integer();
        if (type == "number") return value.is_number();
        return type == value.type_name();
    }

    void check_type(const Json& rule, const Json& value, const std::string& at) {
        const Json types = rule.is_array() ? rule : Json::array({rule});
        for (const Json& type : types) {
            if (is_type(type.get<std::string>(), value)) return;
        }
        say(at, std::string("is a ") + value.type_name() + ", not " + rule.dump());
    }

    void check_required(const Json& rule, const Json& value, const std::string& at) {
        for (const Json& name : rule) {
            if (value.is_object() && !value.contains(name.get<std::string>()))
                say(at, name.get<std::string>() + " is missing");
        }
    }

    void check_properties(const Json& rule, const Json& value, const std::string& at) {
        if (!value.is_object()) return;
        for (const auto& [name, member] : value.items()) {
            const auto known = rule.find(name);
            if (known == rule.end()) {
                say(at, name + " is not documented");
            } else {
                check(*known, member, at + "/" + name);
            }
        }
    }

    const Json& root_;
};

}  // namespace

std::vector<std::string> check_schema(const Json& schema, const Json& value) {
    Checker checker(schema);
    checker.check(schema, value, "");
    return checker.problems;
}

}  // namespace galleryd
