#include "controller/simulator/graph_kql.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "controller/core/resource_id.h"
#include "controller/core/utf8.h"

namespace galleryd::simulator::kql {
namespace {

constexpr std::size_t depth_max = 40;  // of nested parentheses and calls
constexpr std::size_t quoted_max = 80;
constexpr std::array<std::string_view, 30> comparisons{"==",
                                                       "!=",
                                                       "=~",
                                                       "!~",
                                                       "<",
                                                       "<=",
                                                       ">",
                                                       ">=",
                                                       "in",
                                                       "in~",
                                                       "!in",
                                                       "!in~",
                                                       "has",
                                                       "!has",
                                                       "has_cs",
                                                       "!has_cs",
                                                       "contains",
                                                       "!contains",
                                                       "contains_cs",
                                                       "!contains_cs",
                                                       "startswith",
                                                       "!startswith",
                                                       "endswith",
                                                       "!endswith",
                                                       "startswith_cs",
                                                       "!startswith_cs",
                                                       "endswith_cs",
                                                       "!endswith_cs",
                                                       "has_any",
                                                       "has_all"};
// Name and how many arguments it takes at least and at most.
struct Function {
    std::string_view name;
    std::size_t least, most;
};
constexpr std::array<Function, 22> functions{
    {{"tolower", 1, 1},      {"toupper", 1, 1}, {"tostring", 1, 1},  {"todatetime", 1, 1}, {"toint", 1, 1},
     {"tolong", 1, 1},       {"tobool", 1, 1},  {"ago", 1, 1},       {"now", 0, 1},        {"isempty", 1, 1},
     {"isnotempty", 1, 1},   {"isnull", 1, 1},  {"isnotnull", 1, 1}, {"coalesce", 1, 16},  {"strcat", 1, 16},
     {"array_length", 1, 1}, {"not", 1, 1},     {"iff", 3, 3},       {"strlen", 1, 1},     {"count", 0, 0},
     {"min", 1, 1},          {"max", 1, 1}}};

bool is_aggregate(const Expr& value) {
    return value.kind == Expr::Kind::call && (value.name == "count" || value.name == "min" || value.name == "max");
}

struct Refused {
    Problem problem;
};

class Parser {
  public:
    explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

    Query parse() {
        Query query;
        query.table = fold_case(word("a table"));
        while (take_symbol("|")) query.stages.push_back(stage());
        if (now().kind != Token::Kind::end) refuse("'|' or the end of the query");
        return query;
    }

  private:
    const Token& now() const { return tokens_[at_]; }
    [[noreturn]] void refuse(std::string expected) const {
        throw Refused{
            {.token = now().text, .expected = std::move(expected), .line = now().line, .position = now().position}};
    }
    bool is_symbol(std::string_view text) const { return now().kind == Token::Kind::symbol && now().text == text; }
    bool take_symbol(std::string_view text) {
        if (!is_symbol(text)) return false;
        ++at_;
        return true;
    }
    bool take_word(std::string_view text) {
        if (now().kind != Token::Kind::word || now().text != text) return false;
        ++at_;
        return true;
    }
    void need_symbol(std::string_view text) {
        if (!take_symbol(text)) refuse("'" + std::string(text) + "'");
    }
    std::string word(const std::string& what) {
        if (now().kind != Token::Kind::word) refuse(what);
        return tokens_[at_++].text;
    }
    std::size_t number() {
        if (now().kind != Token::Kind::number) refuse("a number");
        std::size_t value = 0;
        const std::string& text = now().text;
        const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (problem != std::errc{} || end != text.data() + text.size()) refuse("a whole number");
        ++at_;
        return value;
    }

    Stage stage() {
        Stage stage;
        if (take_word("where") || take_word("filter")) {
            stage.condition = expression();
        } else if (take_word("project")) {
            stage.kind = Stage::Kind::project;
            stage.columns = named_list(false);
        } else if (take_word("project-away")) {
            stage.kind = Stage::Kind::project_away;
            stage.columns = named_list(false);
        } else if (take_word("extend")) {
            stage.kind = Stage::Kind::extend;
            stage.columns = named_list(false);
        } else if (take_word("order") || take_word("sort")) {
            if (!take_word("by")) refuse("'by'");
            stage.kind = Stage::Kind::order;
            stage.order = order_list();
        } else if (take_word("take") || take_word("limit")) {
            stage.kind = Stage::Kind::take;
            stage.rows = number();
        } else if (take_word("summarize")) {
            stage.kind = Stage::Kind::summarize;
            if (!take_word("by")) {
                stage.columns = named_list(true);
                if (!take_word("by")) return stage;
            }
            stage.groups = named_list(false);
        } else if (take_word("distinct")) {
            stage.kind = Stage::Kind::distinct;
            stage.groups = named_list(false);
        } else if (take_word("count")) {
            stage.kind = Stage::Kind::count;
        } else {
            refuse("where, project, project-away, extend, order, sort, take, limit, summarize, distinct or count");
        }
        return stage;
    }

    std::vector<Named> named_list(bool aggregates) {
        std::vector<Named> list;
        do {
            Named one;
            if (now().kind == Token::Kind::word && tokens_[at_ + 1].kind == Token::Kind::symbol &&
                tokens_[at_ + 1].text == "=") {
                one.name = word("a name");
                ++at_;
            }
            const Token start = now();
            one.value = expression();
            if (is_aggregate(one.value) != aggregates) {
                throw Refused{{.token = start.text,
                               .expected = aggregates ? "count(), min() or max()" : "an expression of one row",
                               .line = start.line,
                               .position = start.position}};
            }
            if (one.name.empty()) one.name = default_name(one.value, list.size());
            list.push_back(std::move(one));
        } while (take_symbol(","));
        return list;
    }

    // As Kusto names a column without a name: the last step of a path with underscores, count_, min_x, Column1.
    static std::string default_name(const Expr& value, std::size_t index) {
        if (value.kind == Expr::Kind::path) {
            std::string name = value.name;
            for (const PathStep& step : value.path)
                name += "_" + (step.is_index ? std::to_string(step.index) : step.name);
            return name;
        }
        if (is_aggregate(value))
            return value.name + "_" + (value.arguments.empty() ? "" : default_name(value.arguments[0], 0));
        return "Column" + std::to_string(index + 1);
    }

    std::vector<Ordered> order_list() {
        std::vector<Ordered> list;
        do {
            Ordered one{.value = expression()};
            if (take_word("asc")) one.ascending = true;
            else take_word("desc");
            list.push_back(std::move(one));
        } while (take_symbol(","));
        return list;
    }

    Expr binary(std::string name, Expr left, Expr right) {
        if (++operators_ > operators_max) refuse("a query of fewer conditions");
        Expr made;
        made.kind = Expr::Kind::binary;
        made.name = std::move(name);
        made.arguments.push_back(std::move(left));
        made.arguments.push_back(std::move(right));
        return made;
    }

    Expr expression() {
        if (++depth_ > depth_max) refuse("an expression that is nested less deeply");
        Expr left = conjunction();
        while (take_word("or")) left = binary("or", std::move(left), conjunction());
        --depth_;
        return left;
    }

    Expr conjunction() {
        Expr left = comparison();
        while (take_word("and")) left = binary("and", std::move(left), comparison());
        return left;
    }

    Expr comparison() {
        Expr left = sum();
        if (now().kind != Token::Kind::symbol && now().kind != Token::Kind::word) return left;
        if (std::ranges::find(comparisons, now().text) == comparisons.end()) return left;
        std::string name = tokens_[at_++].text;
        const bool takes_list = name.ends_with("in") || name.ends_with("in~") || name == "has_any" || name == "has_all";
        if (!takes_list) return binary(std::move(name), std::move(left), sum());
        Expr made;
        made.kind = Expr::Kind::binary;
        made.name = std::move(name);
        made.arguments.push_back(std::move(left));
        need_symbol("(");
        do {
            made.arguments.push_back(expression());
        } while (take_symbol(","));
        need_symbol(")");
        return made;
    }

    Expr sum() {
        Expr left = primary();
        while (is_symbol("+") || is_symbol("-")) {
            std::string name = tokens_[at_++].text;
            left = binary(std::move(name), std::move(left), primary());
        }
        return left;
    }

    Expr primary() {
        const Token token = now();
        Expr made;
        if (take_symbol("(")) {
            made = expression();
            need_symbol(")");
            return made;
        }
        if (token.kind == Token::Kind::text || token.kind == Token::Kind::number ||
            token.kind == Token::Kind::timespan) {
            ++at_;
            return literal(token);
        }
        if (token.kind != Token::Kind::word && token.kind != Token::Kind::date) refuse("an expression");
        ++at_;
        if (token.kind == Token::Kind::date) return datetime(token);
        if (token.text == "true" || token.text == "false") {
            made.literal = token.text == "true";
            return made;
        }
        if (take_symbol("(")) return call(token);
        return path(token);
    }

    static Expr literal(const Token& token) {
        Expr made;
        if (token.kind == Token::Kind::text) {
            made.literal = token.text;
        } else if (token.kind == Token::Kind::timespan) {
            made.kind = Expr::Kind::timespan;
            made.time = token.time;
        } else if (token.text.find('.') == std::string::npos && token.text.size() < 19) {
            made.literal = std::stoll(token.text);
        } else {
            made.literal = std::stod(token.text);
        }
        return made;
    }

    // A date alone is midnight, a time without zone is UTC.
    static Expr datetime(const Token& token) {
        std::string text = token.text;
        if (text.size() == 10) text += "T00:00:00Z";
        else if (!text.ends_with('Z') && text.find('+') == std::string::npos) text += 'Z';
        const auto time = parse_rfc3339(text);
        if (!time) throw Refused{{.token = text, .expected = "a date", .line = token.line, .position = token.position}};
        Expr made;
        made.kind = Expr::Kind::datetime;
        made.time = time->time_since_epoch();
        return made;
    }

    Expr call(const Token& name) {
        Expr made;
        made.kind = Expr::Kind::call;
        made.name = name.text;
        const auto known = std::ranges::find(functions, std::string_view(name.text), &Function::name);
        if (known == functions.end()) {
            throw Refused{{.code = "UnknownFunction",
                           .message = "Unknown function: '" + name.text + "'.",
                           .token = name.text,
                           .expected = {},
                           .line = name.line,
                           .position = name.position}};
        }
        while (!is_symbol(")")) {
            made.arguments.push_back(expression());
            if (!take_symbol(",") && !is_symbol(")")) refuse("',' or ')'");
        }
        if (made.arguments.size() < known->least || made.arguments.size() > known->most)
            refuse("another number of arguments for " + name.text);
        ++at_;
        return made;
    }

    Expr path(const Token& column) {
        Expr made;
        made.kind = Expr::Kind::path;
        made.name = column.text;
        while (true) {
            PathStep step;
            if (take_symbol(".")) {
                step.name = word("a member's name");
            } else if (take_symbol("[")) {
                step.is_index = now().kind == Token::Kind::number;
                if (step.is_index) {
                    step.index = number();
                } else {
                    if (now().kind != Token::Kind::text) refuse("a member's name or a number");
                    step.name = tokens_[at_++].text;
                }
                need_symbol("]");
            } else {
                return made;
            }
            made.path.push_back(std::move(step));
        }
    }

    std::vector<Token> tokens_;  // the last one is the end
    std::size_t at_ = 0, depth_ = 0, operators_ = 0;
};

}  // namespace

std::variant<Query, Problem> parse_query(std::string_view text) {
    if (text.size() > query_bytes_max)
        return Problem{.token = printable(text, quoted_max), .expected = "a query of at most 256 KiB"};
    auto tokens = read_tokens(text);
    if (auto* problem = std::get_if<Problem>(&tokens)) return std::move(*problem);
    try {
        return Parser(std::move(std::get<std::vector<Token>>(tokens))).parse();
    } catch (Refused& refused) {
        Problem& problem = refused.problem;
        for (std::string* quoted : {&problem.message, &problem.token}) *quoted = printable(*quoted, quoted_max);
        return std::move(problem);
    }
}

}  // namespace galleryd::simulator::kql
