#include "controller/simulator/graph_expr.h"

#include <algorithm>
#include <charconv>

#include "controller/core/resource_id.h"

namespace galleryd::simulator::kql {
namespace {

// The segment behind a literal of an id: the subscription, the group.
std::string id_segment(const std::string& id, std::string_view folded_literal) {
    const std::string folded = fold_case(id);
    const std::size_t at = folded.find(folded_literal);
    if (at == std::string::npos) return {};
    const std::size_t from = at + folded_literal.size();
    return folded.substr(from, folded.find('/', from) - from);
}

// Types and groups come in lower case, ids keep their spelling (azure-facts §8 [R for type]). Text columns without a
// value are "", the others null (as the examples of the specification show for kind and tags).
Value source_cell(const Rows& rows, const Source& source, const std::string& column) {
    if (source.is_row) return Value::refer(member(*source.body, column));
    if (column == "type") return Value::of(std::string(source.type));
    if (column == "resourceGroup") return Value::of(id_segment(text_of(*source.body, "id"), "/resourcegroups/"));
    if (column == "subscriptionId") return Value::of(id_segment(text_of(*source.body, "id"), "/subscriptions/"));
    if (column == "tenantId") return Value::of(rows.tenant);
    const Json& found = member(*source.body, column);
    if (found.is_null() && (column == "kind" || column == "managedBy" || column == "location")) return Value::of("");
    return Value::refer(found);
}

Value path_value(const Expr& expression, const Rows& rows, const Row& row) {
    const Value start = cell_of(rows, row, expression.name);
    if (expression.path.empty()) return start;
    if (start.kind() != Value::Kind::json) return {};
    const Json* at = &start.json();
    for (const PathStep& step : expression.path) {
        if (step.is_index) {
            if (!at->is_array() || step.index >= at->size()) return {};
            at = &(*at)[step.index];
        } else {
            at = &member(*at, step.name);
        }
    }
    return start.is_reference() ? Value::refer(*at) : Value::of(*at);
}

Value number_of(const Value& value) {
    if (value.kind() != Value::Kind::json) return {};
    if (value.json().is_number()) return Value::of(static_cast<std::int64_t>(value.json().get<double>()));
    if (!value.is_text()) return {};
    const auto& text = value.json().get_ref<const std::string&>();
    std::int64_t number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem != std::errc{} || end != text.data() + text.size()) return {};
    return Value::of(number);
}

Value boolean_of(const Value& value) {
    if (value.kind() == Value::Kind::json && value.json().is_boolean()) return value;
    const std::string text = fold_case(value.text());
    if (text == "true" || text == "false") return Value::of(text == "true");
    return {};
}

std::string upper(std::string text) {
    for (char& c : text) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return text;
}

Value call_with(std::string_view name, const std::vector<Value>& given, TimePoint now) {
    const Value& first = given.empty() ? Value() : given.front();
    if (name == "tolower") return Value::of(fold_case(first.text()));
    if (name == "toupper") return Value::of(upper(first.text()));
    if (name == "tostring") return Value::of(first.text());
    if (name == "toint" || name == "tolong") return number_of(first);
    if (name == "tobool") return boolean_of(first);
    if (name == "now") return Value::time(now + (given.empty() ? Duration{} : first.duration()));
    if (name == "ago") return Value::time(now - first.duration());
    if (name == "isnull") return Value::of(first.is_null());
    if (name == "isnotnull") return Value::of(!first.is_null());
    if (name == "isempty") return Value::of(first.text().empty());
    if (name == "isnotempty") return Value::of(!first.text().empty());
    if (name == "strlen") return Value::of(first.text().size());
    if (name == "not") return Value::of(!first.is_true());
    if (name == "iff") return first.is_true() ? given[1] : given[2];
    if (name == "array_length") {
        if (first.kind() != Value::Kind::json || !first.json().is_array()) return {};
        return Value::of(first.json().size());
    }
    if (name == "todatetime") {
        const auto time = parse_time(first);
        return time ? Value::time(*time) : Value();
    }
    if (name == "coalesce") {
        const auto filled = std::ranges::find_if(
            given, [](const Value& one) { return !one.is_null() && !(one.is_text() && one.text().empty()); });
        return filled == given.end() ? Value() : *filled;
    }
    std::string joined;  // strcat
    for (const Value& one : given) joined += one.text();
    return Value::of(joined);
}

bool is_among(const Expr& expression, const Value& left, const Rows& rows, const Row& row, TimePoint now,
              std::string_view operation) {
    for (std::size_t i = 1; i < expression.arguments.size(); ++i) {
        if (compare(operation, left, evaluate(expression.arguments[i], rows, row, now))) return true;
    }
    return false;
}

Value binary_value(const Expr& expression, const Rows& rows, const Row& row, TimePoint now) {
    const std::string& name = expression.name;
    const Value left = evaluate(expression.arguments[0], rows, row, now);
    if (name == "and") return Value::of(left.is_true() && holds(expression.arguments[1], rows, row, now));
    if (name == "or") return Value::of(left.is_true() || holds(expression.arguments[1], rows, row, now));
    if (name == "in") return Value::of(is_among(expression, left, rows, row, now, "=="));
    if (name == "!in") return Value::of(!is_among(expression, left, rows, row, now, "=="));
    if (name == "in~") return Value::of(is_among(expression, left, rows, row, now, "=~"));
    if (name == "!in~") return Value::of(!is_among(expression, left, rows, row, now, "=~"));
    if (name == "has_any") return Value::of(is_among(expression, left, rows, row, now, "has"));
    if (name == "has_all") {
        for (std::size_t i = 1; i < expression.arguments.size(); ++i) {
            if (!compare("has", left, evaluate(expression.arguments[i], rows, row, now))) return Value::of(false);
        }
        return Value::of(true);
    }
    const Value right = evaluate(expression.arguments[1], rows, row, now);
    if (name == "+" || name == "-") return add(left, right, name == "-");
    return Value::of(compare(name, left, right));
}

}  // namespace

Value cell_of(const Rows& rows, const Row& row, const std::string& column) {
    const auto made = std::ranges::find(rows.made, column);
    if (made != rows.made.end()) return row.cells[static_cast<std::size_t>(made - rows.made.begin())];
    return source_cell(rows, row.source, column);
}

Value evaluate(const Expr& expression, const Rows& rows, const Row& row, TimePoint now) {
    switch (expression.kind) {
        case Expr::Kind::literal: return Value::refer(expression.literal);
        case Expr::Kind::datetime: return Value::time(TimePoint(expression.time));
        case Expr::Kind::timespan: return Value::length(expression.time);
        case Expr::Kind::path: return path_value(expression, rows, row);
        case Expr::Kind::binary: return binary_value(expression, rows, row, now);
        case Expr::Kind::call: break;
    }
    std::vector<Value> given;
    given.reserve(expression.arguments.size());
    for (const Expr& argument : expression.arguments) given.push_back(evaluate(argument, rows, row, now));
    return call_with(expression.name, given, now);
}

}  // namespace galleryd::simulator::kql
