#include "controller/adapters/documents/cel.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "controller/adapters/documents/cel_node.h"
#include "controller/adapters/documents/cel_value.h"

namespace galleryd::documents {
namespace {

using namespace cel;
using nlohmann::json;

class Evaluator {
  public:
    Evaluator(const json& self, const json* old_self) {
        slots_[0] = wrap(self);
        if (old_self != nullptr) slots_[1] = wrap(*old_self);
    }

    Value eval(const CelNode& node) {
        switch (node.op) {
            case CelOp::null: return {nullptr};
            case CelOp::boolean: return {node.integer == 1};
            case CelOp::integer: return {node.integer};
            case CelOp::real: return {node.real};
            case CelOp::text: return {node.text};
            case CelOp::list: return list_literal(node);
            case CelOp::name: return slots_[static_cast<std::size_t>(node.slot)];
            case CelOp::member:
            case CelOp::has: return member(node);
            case CelOp::index: return index(node);
            case CelOp::negate:
            case CelOp::invert: return unary(node);
            case CelOp::conditional: return conditional(node);
            case CelOp::logical_and: return logical(node, false);
            case CelOp::logical_or: return logical(node, true);
            case CelOp::all:
            case CelOp::exists:
            case CelOp::exists_one:
            case CelOp::filter:
            case CelOp::map: return macro(node);
            case CelOp::size:
            case CelOp::to_integer:
            case CelOp::to_real:
            case CelOp::to_text: return convert(node);
            case CelOp::matches:
            case CelOp::starts_with:
            case CelOp::ends_with:
            case CelOp::contains:
            case CelOp::split: return text_function(node);
            default: return binary(node);
        }
    }

  private:
    Value list_literal(const CelNode& node) {
        auto list = std::make_shared<std::vector<Value>>();
        for (const auto& child : node.children) {
            list->push_back(eval(*child));
            if (is_error(list->back())) return list->back();
        }
        return {list};
    }

    Value member(const CelNode& node) {
        const Value value = eval(*node.children[0]);
        if (is_error(value)) return value;
        const json* object = object_of(value);
        if (object == nullptr) return error("no such field: " + node.text);
        const auto found = object->find(node.text);
        if (node.op == CelOp::has) return {found != object->end()};
        return found == object->end() ? error("no such field: " + node.text) : wrap(*found);
    }

    Value index(const CelNode& node) {
        const Value value = eval(*node.children[0]);
        const Value at = eval(*node.children[1]);
        if (is_error(value)) return value;
        if (const auto length = list_size(value)) {
            const auto* i = std::get_if<std::int64_t>(&at.is);
            if (i == nullptr || *i < 0 || static_cast<std::size_t>(*i) >= *length) return error("index out of range");
            return list_item(value, static_cast<std::size_t>(*i));
        }
        const json* object = object_of(value);
        const auto* key = std::get_if<std::string>(&at.is);
        if (object == nullptr || key == nullptr || !object->contains(*key)) return error("no such key");
        return wrap((*object)[*key]);
    }

    Value unary(const CelNode& node) {
        const Value value = eval(*node.children[0]);
        if (is_error(value)) return value;
        if (node.op == CelOp::invert) {
            const auto* boolean = std::get_if<bool>(&value.is);
            return boolean == nullptr ? error("! needs a bool") : Value{!*boolean};
        }
        if (const auto* whole = std::get_if<std::int64_t>(&value.is)) return {-*whole};
        if (const auto* real = std::get_if<double>(&value.is)) return {-*real};
        return error("- needs a number");
    }

    Value conditional(const CelNode& node) {
        const Value condition = eval(*node.children[0]);
        if (is_error(condition)) return condition;
        const auto* boolean = std::get_if<bool>(&condition.is);
        if (boolean == nullptr) return error("?: needs a bool");
        return eval(*node.children[*boolean ? 1 : 2]);
    }

    // `decisive` decides alone (true for ||), also when the other side is an error.
    Value logical(const CelNode& node, bool decisive) {
        Value left = eval(*node.children[0]);
        if (const auto* boolean = std::get_if<bool>(&left.is); boolean != nullptr && *boolean == decisive) return left;
        Value right = eval(*node.children[1]);
        if (const auto* boolean = std::get_if<bool>(&right.is); boolean != nullptr && *boolean == decisive)
            return right;
        if (is_error(left)) return left;
        if (is_error(right)) return right;
        if (!std::holds_alternative<bool>(left.is) || !std::holds_alternative<bool>(right.is))
            return error("&& and || need bools");
        return {!decisive};
    }

    std::optional<std::vector<Value>> range_of(const Value& value) {
        std::vector<Value> items;
        if (const auto length = list_size(value)) {
            for (std::size_t i = 0; i < *length; ++i) items.push_back(list_item(value, i));
            return items;
        }
        const json* object = object_of(value);
        if (object == nullptr) return std::nullopt;
        for (const auto& [key, unused] : object->items()) items.push_back({key});  // a map is walked by its keys
        return items;
    }

    Value macro(const CelNode& node) {
        const Value range = eval(*node.children[0]);
        if (is_error(range)) return range;
        const auto items = range_of(range);
        if (!items) return error("not a list or map");
        auto result = std::make_shared<std::vector<Value>>();
        std::int64_t hits = 0;
        std::optional<Value> failed;
        for (const Value& item : *items) {
            slots_[static_cast<std::size_t>(node.slot)] = item;
            Value value = eval(*node.children[1]);
            if (node.op == CelOp::map && !is_error(value)) {
                result->push_back(std::move(value));
                continue;
            }
            const auto* boolean = std::get_if<bool>(&value.is);
            if (boolean == nullptr) {
                if (!failed) failed = is_error(value) ? value : error("a bool is expected");
                continue;
            }
            hits += *boolean ? 1 : 0;
            if (*boolean) result->push_back(item);
            if (*boolean && node.op == CelOp::exists) return {true};
            if (!*boolean && node.op == CelOp::all) return {false};
        }
        if (failed) return *failed;
        if (node.op == CelOp::all) return {true};
        if (node.op == CelOp::exists) return {false};
        if (node.op == CelOp::exists_one) return {hits == 1};
        return {result};
    }

    Value convert(const CelNode& node) {
        const Value value = eval(*node.children[0]);
        if (is_error(value)) return value;
        const auto* text = std::get_if<std::string>(&value.is);
        if (node.op == CelOp::size) {
            if (text != nullptr) return {static_cast<std::int64_t>(code_points(*text))};
            if (const auto length = list_size(value)) return {static_cast<std::int64_t>(*length)};
            if (const json* object = object_of(value)) return {static_cast<std::int64_t>(object->size())};
            return error("size() of a value without size");
        }
        if (node.op == CelOp::to_text) return text != nullptr ? value : Value{text_of(value)};
        if (node.op == CelOp::to_real) {
            if (const auto number = number_of(value)) return {*number};
            return error("double() needs a number");
        }
        if (text != nullptr) {
            std::int64_t whole = 0;
            const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), whole);
            if (failed != std::errc{} || end != text->data() + text->size()) return error("int() of \"" + *text + "\"");
            return {whole};
        }
        if (const auto number = number_of(value); number && std::abs(*number) < 9e18)
            return {static_cast<std::int64_t>(*number)};
        return error("int() needs a number");
    }

    Value text_function(const CelNode& node) {
        const Value value = eval(*node.children[0]);
        const Value argument = eval(*node.children[1]);
        if (is_error(value)) return value;
        if (is_error(argument)) return argument;
        const auto* text = std::get_if<std::string>(&value.is);
        const auto* word = std::get_if<std::string>(&argument.is);
        if (text == nullptr || word == nullptr) return error("a text function needs texts");
        switch (node.op) {
            case CelOp::matches:
                return text->size() > 4096 ? error("too long for matches()")
                                           : Value{std::regex_search(*text, *node.regex)};
            case CelOp::starts_with: return {text->starts_with(*word)};
            case CelOp::ends_with: return {text->ends_with(*word)};
            case CelOp::contains: return {text->contains(*word)};
            default: break;
        }
        if (word->empty()) return error("split() by nothing");
        auto parts = std::make_shared<std::vector<Value>>();
        std::size_t at = 0;
        for (std::size_t end = text->find(*word); end != std::string::npos; end = text->find(*word, at)) {
            parts->push_back({text->substr(at, end - at)});
            at = end + word->size();
        }
        parts->push_back({text->substr(at)});
        return {parts};
    }

    Value binary(const CelNode& node) {
        const Value a = eval(*node.children[0]);
        if (is_error(a)) return a;
        const Value b = eval(*node.children[1]);
        if (is_error(b)) return b;
        switch (node.op) {
            case CelOp::equal: return {equals(a, b)};
            case CelOp::unequal: return {!equals(a, b)};
            case CelOp::in: return contains(a, b);
            case CelOp::less:
            case CelOp::less_equal:
            case CelOp::greater:
            case CelOp::greater_equal: return compare(node.op, a, b);
            default: return arithmetic(node.op, a, b);
        }
    }

    static Value contains(const Value& a, const Value& b) {
        if (const json* object = object_of(b)) {
            const auto* key = std::get_if<std::string>(&a.is);
            return {key != nullptr && object->contains(*key)};
        }
        const auto length = list_size(b);
        if (!length) return error("in needs a list or map");
        for (std::size_t i = 0; i < *length; ++i) {
            if (equals(a, list_item(b, i))) return {true};
        }
        return {false};
    }

    static Value compare(CelOp op, const Value& a, const Value& b) {
        std::partial_ordering order = std::partial_ordering::unordered;
        const auto x = number_of(a), y = number_of(b);
        const auto *s = std::get_if<std::string>(&a.is), *t = std::get_if<std::string>(&b.is);
        if (x && y) {
            order = *x <=> *y;
        } else if (s != nullptr && t != nullptr) {
            order = *s <=> *t;
        } else {
            return error("values of different types are compared");
        }
        if (op == CelOp::less) return {order < 0};
        if (op == CelOp::less_equal) return {order <= 0};
        if (op == CelOp::greater) return {order > 0};
        return {order >= 0};
    }

    static Value arithmetic(CelOp op, const Value& a, const Value& b) {
        const auto *s = std::get_if<std::string>(&a.is), *t = std::get_if<std::string>(&b.is);
        if (op == CelOp::add && s != nullptr && t != nullptr) return {*s + *t};
        const auto *i = std::get_if<std::int64_t>(&a.is), *j = std::get_if<std::int64_t>(&b.is);
        if (i != nullptr && j != nullptr) return whole_arithmetic(op, *i, *j);
        const auto x = number_of(a), y = number_of(b);
        if (!x || !y || op == CelOp::modulo) return error("arithmetic on values that are no numbers");
        if (op == CelOp::add) return {*x + *y};
        if (op == CelOp::subtract) return {*x - *y};
        if (op == CelOp::multiply) return {*x * *y};
        return {*x / *y};
    }

    static Value whole_arithmetic(CelOp op, std::int64_t a, std::int64_t b) {
        std::int64_t result = 0;
        bool overflow = false;
        if (op == CelOp::add) overflow = __builtin_add_overflow(a, b, &result);
        if (op == CelOp::subtract) overflow = __builtin_sub_overflow(a, b, &result);
        if (op == CelOp::multiply) overflow = __builtin_mul_overflow(a, b, &result);
        if (op == CelOp::divide || op == CelOp::modulo) {
            if (b == 0 || (b == -1 && a == INT64_MIN)) return error("division by zero");
            result = op == CelOp::divide ? a / b : a % b;
        }
        return overflow ? error("integer overflow") : Value{result};
    }

    static std::string text_of(const Value& value) {
        if (const auto* whole = std::get_if<std::int64_t>(&value.is)) return std::to_string(*whole);
        if (const auto* real = std::get_if<double>(&value.is)) return json(*real).dump();
        const auto* boolean = std::get_if<bool>(&value.is);
        return boolean != nullptr && *boolean ? "true" : "false";
    }

    std::array<Value, cel_variables_max> slots_;
};

json to_json(const Value& value) {
    if (const auto length = list_size(value)) {
        json list = json::array();
        for (std::size_t i = 0; i < *length; ++i) list.push_back(to_json(list_item(value, i)));
        return list;
    }
    if (const auto* tree = std::get_if<const json*>(&value.is)) return **tree;
    if (const auto* text = std::get_if<std::string>(&value.is)) return *text;
    if (const auto* boolean = std::get_if<bool>(&value.is)) return *boolean;
    if (const auto* whole = std::get_if<std::int64_t>(&value.is)) return *whole;
    if (const auto* real = std::get_if<double>(&value.is)) return *real;
    return nullptr;
}

}  // namespace

CelRule::CelRule() = default;
CelRule::CelRule(CelRule&&) noexcept = default;
CelRule& CelRule::operator=(CelRule&&) noexcept = default;
CelRule::~CelRule() = default;

CelRule::Compiled CelRule::compile(const std::string& text) {
    CelParsed parsed = parse_cel(text);
    if (!parsed.root) return {std::nullopt, parsed.error};
    CelRule rule;
    rule.root_ = std::move(parsed.root);
    rule.transition_ = parsed.transition;
    return {std::move(rule), ""};
}

bool CelRule::holds(const json& self, const json* old_self) const {
    const Value value = Evaluator(self, old_self).eval(*root_);
    const auto* boolean = std::get_if<bool>(&value.is);
    return boolean != nullptr && *boolean;
}

std::string CelRule::evaluate(const json& self, const json* old_self) const {
    const Value value = Evaluator(self, old_self).eval(*root_);
    if (const auto* failure = std::get_if<Failure>(&value.is)) return "error: " + failure->text;
    return to_json(value).dump();
}

}  // namespace galleryd::documents
