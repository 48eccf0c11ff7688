#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "controller/core/time.h"
#include "controller/simulator/json.h"

// Internal: the part of the Kusto query language that the built-in Resource Graph understands.
//   table | where E | project [n =] E, … | project-away c, … | extend n = E, … | order by E [asc|desc], …
//         | take N | limit N | top N by E | summarize [n =] count(), min(E), max(E) [by [n =] E, …] | distinct c, …
//         | count
//   E: literals, paths (properties.a['b'][0]), and/or, == != =~ !~ < <= > >=, in in~ !in !in~, has contains startswith
//      endswith and their ! and _cs forms, + - of times and numbers, the functions that graph_kql.cc lists.
// Everything else is a syntax error: the real service knows far more, a query that we do not check must not pass.
namespace galleryd::simulator::kql {

// The service publishes neither limit. Ours name 300 ids of 200 bytes and some hundred prefixes at most; a mebibyte
// would cost 170 MB, and a chain of conditions is as many calls deep as it is long.
inline constexpr std::size_t query_bytes_max = 256 * 1024;
inline constexpr std::size_t operators_max = 1000;  // and, or, comparisons, + and - of a query

struct PathStep {
    std::string name;  // member
    std::size_t index = 0;
    bool is_index = false;
};

struct Expr {
    enum class Kind : std::uint8_t { literal, datetime, timespan, path, call, binary };
    Kind kind = Kind::literal;
    Json literal;
    Duration time{};             // datetime: since 1970; timespan: length
    std::string name;            // path: the column; call: the function; binary: the operator, lower case
    std::vector<PathStep> path;  // behind the column
    std::vector<Expr> arguments;
};

struct Named {
    std::string name;
    Expr value;
};
struct Ordered {
    Expr value;
    bool ascending = false;  // Kusto sorts descending unless told otherwise
};

struct Stage {
    enum class Kind : std::uint8_t { where, project, project_away, extend, order, take, summarize, distinct, count };
    Kind kind = Kind::where;
    Expr condition;
    std::vector<Named> columns;  // project, extend; summarize: the aggregates
    std::vector<Named> groups;   // summarize: by
    std::vector<Ordered> order;
    std::size_t rows = 0;  // take
};

struct Query {
    std::string table;  // lower case
    std::vector<Stage> stages;
};

// What the recorded error tells of a syntax error (azure-facts §8).
struct Problem {
    std::string code = "ParserFailure", message = "ParserFailure", token, expected;
    std::size_t line = 1, position = 0;
};

struct Token {
    enum class Kind : std::uint8_t { word, text, number, timespan, date, symbol, end };
    Kind kind = Kind::end;
    std::string text;  // a string without its quotes; operators as one token ("!in~", "==")
    Duration time{};
    std::size_t line = 1, position = 0;
};

std::variant<std::vector<Token>, Problem> read_tokens(std::string_view text);
// A problem also for a query beyond the limits above. What a problem quotes is whole UTF-8, at most 80 bytes and an
// ellipsis.
std::variant<Query, Problem> parse_query(std::string_view text);

}  // namespace galleryd::simulator::kql
