#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <vector>

// The syntax tree of a rule; made by cel_parser.cc, walked by cel.cc.
namespace galleryd::documents {

enum class CelOp : std::uint8_t {
    null,
    boolean,
    integer,
    real,
    text,
    list,  // literals
    name,
    member,
    index,
    has,  // self, a.b, a[b], has(a.b)
    negate,
    invert,
    conditional,
    logical_and,
    logical_or,
    equal,
    unequal,
    less,
    less_equal,
    greater,
    greater_equal,
    in,
    add,
    subtract,
    multiply,
    divide,
    modulo,
    all,
    exists,
    exists_one,
    filter,
    map,  // children: range, body [, second body]; text: variable
    size,
    matches,
    starts_with,
    ends_with,
    contains,
    split,
    to_integer,
    to_real,
    to_text,
};

struct CelNode {
    CelOp op = CelOp::null;
    std::vector<std::unique_ptr<CelNode>> children;
    std::string text;
    std::int64_t integer = 0;
    double real = 0;
    int slot = 0;                     // name and macros: index into the variables
    std::optional<std::regex> regex;  // matches() with a literal
};

struct CelParsed {
    std::unique_ptr<CelNode> root;
    bool transition = false;
    std::string error;
};
CelParsed parse_cel(const std::string& text);
inline constexpr int cel_variables_max = 8;  // self, oldSelf and nested macro variables

}  // namespace galleryd::documents
