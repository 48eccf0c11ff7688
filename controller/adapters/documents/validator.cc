#include "controller/adapters/documents/validator.h"

#include <cmath>

namespace galleryd::documents {
namespace {

using nlohmann::json;

std::string in_quotes(std::string_view text) {
    return "\"" + std::string(shortened(text)) + (text.size() > 80 ? "…\"" : "\"");
}

std::string type_name(SchemaType type) {
    switch (type) {
        case SchemaType::object: return "a map";
        case SchemaType::array: return "a list";
        case SchemaType::string: return "text";
        case SchemaType::integer: return "a whole number";
        case SchemaType::number: return "a number";
        case SchemaType::boolean: return "true or false";
        case SchemaType::integer_or_string: return "a whole number or text";
        case SchemaType::any: break;
    }
    return "a value";
}

std::string shown(const json& value) {
    if (value.is_object()) return "a map";
    if (value.is_array()) return "a list";
    if (value.is_string()) return in_quotes(value.get_ref<const std::string&>());
    return value.dump();
}

std::string plain_number(double number) {
    return std::floor(number) == number ? std::to_string(static_cast<std::int64_t>(number)) : json(number).dump();
}

std::string range_remedy(const Schema& schema) {
    if (schema.minimum && schema.maximum)
        return "Write a number from " + plain_number(*schema.minimum) + " to " + plain_number(*schema.maximum) + ".";
    return schema.minimum ? "Write " + plain_number(*schema.minimum) + " or more."
                          : "Write " + plain_number(*schema.maximum) + " or less.";
}

// What the field means, as a remedy for a pattern that nobody should have to read.
std::string described(const Schema& schema) {
    return schema.description.empty() ? "It must match " + schema.pattern + "."
                                      : "Meaning of the field: " + schema.description;
}

bool type_matches(const Schema& schema, const json& value) {
    switch (schema.type) {
        case SchemaType::any: return true;
        case SchemaType::object: return value.is_object();
        case SchemaType::array: return value.is_array();
        case SchemaType::string: return value.is_string();
        case SchemaType::boolean: return value.is_boolean();
        case SchemaType::number: return value.is_number();
        case SchemaType::integer:
            return value.is_number_integer() ||
                   (value.is_number_float() && std::floor(value.get<double>()) == value.get<double>() &&
                    std::abs(value.get<double>()) < 1e15);
        case SchemaType::integer_or_string: return value.is_number_integer() || value.is_string();
    }
    return false;
}

std::size_t code_points(const std::string& text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

void Validator::add(const char* code, const std::string& pointer, std::string message, std::string remedy,
                    bool at_key) {
    if (problems_.size() >= problems_max) return;
    problems_.push_back({.code = code,
                         .pointer = pointer,
                         .message = std::move(message),
                         .remedy = std::move(remedy),
                         .at_key = at_key});
}

void Validator::check(const Schema& schema, json& value, const std::string& pointer) {
    if (value.is_null() && !schema.nullable) {
        add("GD1025", pointer, "the value is empty (null)",
            "Write " + type_name(schema.type) + ", or remove the field.");
        return;
    }
    if (!type_matches(schema, value)) {
        wrong_type(schema, value, pointer);
        return;
    }
    if (value.is_object()) {
        check_object(schema, value, pointer);
    } else if (value.is_array()) {
        check_array(schema, value, pointer);
    } else if (value.is_string()) {
        check_string(schema, value.get_ref<const std::string&>(), pointer);
    } else if (value.is_number()) {
        if (schema.type == SchemaType::integer && value.is_number_float())
            value = static_cast<std::int64_t>(value.get<double>());
        check_number(schema, value, pointer);
    }
}

void Validator::wrong_type(const Schema& schema, const json& value, const std::string& pointer) {
    if (schema.type == SchemaType::string && (value.is_number() || value.is_boolean())) {
        std::string raw =
            piece_ != nullptr && places_ != nullptr ? raw_scalar(*piece_, places_->value_at(pointer)) : "";
        if (raw.empty()) raw = value.dump();
        add("GD1019", pointer,
            raw + " is " + (value.is_boolean() ? "true/false" : "a number") + " in YAML, but text is wanted here",
            "Quote it: \"" + raw + "\".");
        return;
    }
    add("GD1013", pointer, shown(value) + " is not " + type_name(schema.type), "Write " + type_name(schema.type) + ".");
}

void Validator::check_string(const Schema& schema, const std::string& value, const std::string& pointer) {
    if (!schema.choices.empty()) {
        if (std::ranges::find(schema.choices, value) != schema.choices.end()) return;
        const std::string meant = nearest(value, schema.choices);
        add("GD1014", pointer, in_quotes(value) + " is not one of " + listed(schema.choices, "and"),
            meant.empty() ? "Write one of them." : "Did you mean " + meant + "?");
        return;
    }
    const bool maybe_long = schema.length_max && value.size() > *schema.length_max;
    if (maybe_long && code_points(value) > *schema.length_max) {
        add("GD1016", pointer,
            "the text has " + std::to_string(code_points(value)) + " characters; at most " +
                std::to_string(*schema.length_max) + " are allowed",
            "Shorten it.");
        return;
    }
    if (schema.length_min && value.size() < *schema.length_min && code_points(value) < *schema.length_min) {
        add("GD1016", pointer,
            "the text has " + std::to_string(code_points(value)) + " characters; at least " +
                std::to_string(*schema.length_min) + " are needed",
            value.empty() ? "Write a value, or remove the field." : "Write a longer one.");
        return;
    }
    if (schema.regex && (value.size() > 8192 || !std::regex_search(value, *schema.regex))) {
        add("GD1015", pointer, in_quotes(value) + " does not have the form " + schema.pattern, described(schema));
    }
}

void Validator::check_number(const Schema& schema, const json& value, const std::string& pointer) {
    const double number = value.get<double>();
    if (schema.minimum && number < *schema.minimum)
        add("GD1012", pointer, value.dump() + " is below the minimum " + plain_number(*schema.minimum),
            range_remedy(schema));
    if (schema.maximum && number > *schema.maximum)
        add("GD1012", pointer, value.dump() + " is above the maximum " + plain_number(*schema.maximum),
            range_remedy(schema));
}

void Validator::unknown_field(const Schema& schema, const std::string& key, const std::string& pointer) {
    if (problems_.size() >= problems_max) return;
    std::vector<std::string> names;
    for (const auto& [name, unused] : schema.properties) names.push_back(name);
    const std::string meant = nearest(key, names);
    add("GD1010", pointer_join(pointer, key),
        "there is no field " + in_quotes(key) + (pointer.empty() ? "" : " in " + dotted(pointer)),
        meant.empty() ? "Remove it. Known fields: " + listed(names, "and") + "." : "Did you mean " + meant + "?", true);
}

void Validator::check_object(const Schema& schema, json& value, const std::string& pointer) {
    if (schema.properties_max && value.size() > *schema.properties_max) {
        add("GD1017", pointer,
            "there are " + std::to_string(value.size()) + " entries; at most " +
                std::to_string(*schema.properties_max) + " are allowed",
            "Remove some.");
        return;
    }
    for (const std::string& name : schema.required) {
        if (!value.contains(name))
            add("GD1011", pointer, "the field " + name + " is missing",
                "Add " + name + ": " + schema.properties.find(name)->second->description);
    }
    for (const auto& [name, child] : schema.properties) {
        if (child->default_value && !value.contains(name)) value[name] = *child->default_value;
    }
    for (auto& [key, item] : value.items()) {
        if (const auto found = schema.properties.find(key); found != schema.properties.end()) {
            check(*found->second, item, pointer_join(pointer, key));
        } else if (schema.additional) {
            check(*schema.additional, item, pointer_join(pointer, key));
        } else {
            unknown_field(schema, key, pointer);
        }
    }
}

void Validator::check_array(const Schema& schema, json& value, const std::string& pointer) {
    if (schema.items_max && value.size() > *schema.items_max) {
        add("GD1017", pointer,
            "the list has " + std::to_string(value.size()) + " items; at most " + std::to_string(*schema.items_max) +
                " are allowed",
            "Remove some.");
        return;
    }
    if (schema.items_min && value.size() < *schema.items_min) {
        add("GD1017", pointer,
            "the list has " + std::to_string(value.size()) + " items; at least " + std::to_string(*schema.items_min) +
                " are needed",
            "Add one, or remove the field.");
    }
    for (std::size_t i = 0; i < value.size(); ++i) check(*schema.items, value[i], pointer + "/" + std::to_string(i));
    check_list_keys(schema, value, pointer);
}

void Validator::check_list_keys(const Schema& schema, const json& value, const std::string& pointer) {
    if (!schema.is_set && schema.list_keys.empty()) return;
    std::map<std::string, std::size_t> seen;
    for (std::size_t i = 0; i < value.size(); ++i) {
        std::string key, words;
        if (schema.is_set) {
            key = words = shown(value[i]);
        } else {
            for (const std::string& name : schema.list_keys) {
                if (!value[i].is_object() || !value[i].contains(name)) continue;
                key += value[i][name].dump() + "/";
                words += (words.empty() ? "" : ", ") + name + " " + shown(value[i][name]);
            }
        }
        const auto [first, inserted] = seen.emplace(key, i);
        if (!inserted)
            add("GD1018", pointer + "/" + std::to_string(i),
                words + " is in the list twice (also item " + std::to_string(first->second) + ")",
                "Remove one of them.");
    }
}

void Validator::check_rules(const Schema& schema, const json& value, const json* old_value,
                            const std::string& pointer) {
    if (value.is_object()) {
        for (const auto& [key, item] : value.items()) {
            const auto found = schema.properties.find(key);
            const Schema* child = found != schema.properties.end() ? found->second.get() : schema.additional.get();
            if (child == nullptr) continue;
            const json* old_item = old_value != nullptr && old_value->is_object() && old_value->contains(key)
                                       ? &(*old_value)[key]
                                       : nullptr;
            check_rules(*child, item, old_item, pointer_join(pointer, key));
        }
    } else if (value.is_array() && schema.items) {
        for (std::size_t i = 0; i < value.size(); ++i) {
            const json* old_item =
                nullptr;  // only items of keyed lists can be told to be the same (Kubernetes: "correlatable")
            if (old_value != nullptr && old_value->is_array() && !schema.list_keys.empty()) {
                const auto same = std::ranges::find_if(*old_value, [&](const json& item) {
                    return std::ranges::all_of(schema.list_keys, [&](const std::string& name) {
                        return item.contains(name) && item[name] == value[i].at(name);
                    });
                });
                if (same != old_value->end()) old_item = &*same;
            }
            check_rules(*schema.items, value[i], old_item, pointer + "/" + std::to_string(i));
        }
    }
    for (const SchemaRule& rule : schema.rules) {
        if (rule.rule.is_transition() && old_value == nullptr) continue;
        if (!rule.rule.holds(value, old_value))
            add(rule.rule.is_transition() ? "GD1021" : "GD1020", pointer + rule.field_path, rule.message, "");
    }
}

}  // namespace galleryd::documents
