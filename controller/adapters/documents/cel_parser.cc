#include <charconv>
#include <map>

#include "controller/adapters/documents/cel_node.h"

namespace galleryd::documents {
namespace {

struct CelSyntaxError {
    std::string text;
};

using NodePtr = std::unique_ptr<CelNode>;

NodePtr make(CelOp op, std::vector<NodePtr> children = {}) {
    auto node = std::make_unique<CelNode>();
    node->op = op;
    node->children = std::move(children);
    return node;
}

template <class... Nodes>
NodePtr make_of(CelOp op, Nodes... nodes) {
    std::vector<NodePtr> children;
    (children.push_back(std::move(nodes)), ...);
    return make(op, std::move(children));
}

enum class TokenType : std::uint8_t { end, name, integer, real, text, symbol };
struct Token {
    TokenType type = TokenType::end;
    std::string text;
    std::size_t at = 0;
};

bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string read_text_literal(const std::string& input, std::size_t& at) {
    const char quote = input[at++];
    std::string text;
    while (at < input.size() && input[at] != quote) {
        if (input[at] == '\\') {
            ++at;
            const std::string_view known = "\\'\"nt";
            const std::size_t which = at < input.size() ? known.find(input[at]) : std::string_view::npos;
            if (which == std::string_view::npos) throw CelSyntaxError{"unknown escape at " + std::to_string(at)};
            text += std::string_view("\\'\"\n\t")[which];
        } else {
            text += input[at];
        }
        ++at;
    }
    if (at >= input.size()) throw CelSyntaxError{"text is not closed"};
    ++at;
    return text;
}

std::vector<Token> tokens_of(const std::string& input) {
    std::vector<Token> tokens;
    for (std::size_t at = 0; at < input.size();) {
        const char c = input[at];
        const std::size_t begin = at;
        if (c == ' ' || c == '\n' || c == '\t') {
            ++at;
        } else if (c == '\'' || c == '"') {
            std::string text = read_text_literal(input, at);
            tokens.push_back({TokenType::text, std::move(text), begin});
        } else if (is_digit(c)) {
            while (at < input.size() &&
                   (is_digit(input[at]) || (input[at] == '.' && at + 1 < input.size() && is_digit(input[at + 1]))))
                ++at;
            const std::string text = input.substr(begin, at - begin);
            tokens.push_back({text.find('.') == std::string::npos ? TokenType::integer : TokenType::real, text, begin});
        } else if (is_name_char(c)) {
            while (at < input.size() && is_name_char(input[at])) ++at;
            tokens.push_back({TokenType::name, input.substr(begin, at - begin), begin});
        } else {
            static constexpr std::string_view pairs[] = {"&&", "||", "==", "!=", "<=", ">="};
            const bool pair = std::ranges::find(pairs, std::string_view(input).substr(at, 2)) != std::end(pairs);
            if (!pair && std::string_view("!-+*/%<>?:()[].,").find(c) == std::string_view::npos)
                throw CelSyntaxError{"unexpected character at " + std::to_string(at)};
            tokens.push_back({TokenType::symbol, input.substr(at, pair ? 2 : 1), begin});
            at += pair ? 2 : 1;
        }
    }
    tokens.push_back({TokenType::end, "", input.size()});
    return tokens;
}

class Parser {
  public:
    explicit Parser(const std::string& input) : tokens_(tokens_of(input)) {}

    NodePtr parse() {
        NodePtr root = expression();
        if (now().type != TokenType::end) fail("unexpected \"" + now().text + "\"");
        return root;
    }
    bool transition() const { return transition_; }

  private:
    [[noreturn]] void fail(const std::string& why) const {
        throw CelSyntaxError{why + " at " + std::to_string(now().at)};
    }
    const Token& now() const { return tokens_[at_]; }
    bool take(std::string_view symbol) {
        if (now().type != TokenType::symbol || now().text != symbol) return false;
        ++at_;
        return true;
    }
    void need(std::string_view symbol) {
        if (!take(symbol)) fail("\"" + std::string(symbol) + "\" expected");
    }

    NodePtr expression() {
        if (++depth_ > 50) fail("nested too deeply");
        NodePtr condition = logical(0);
        if (take("?")) {
            NodePtr yes = logical(0);
            need(":");
            NodePtr no = expression();
            condition = make_of(CelOp::conditional, std::move(condition), std::move(yes), std::move(no));
        }
        --depth_;
        return condition;
    }

    NodePtr logical(int level) {  // 0: ||, 1: &&
        NodePtr left = level == 0 ? logical(1) : relation();
        while (take(level == 0 ? "||" : "&&")) {
            NodePtr right = level == 0 ? logical(1) : relation();
            left = make_of(level == 0 ? CelOp::logical_or : CelOp::logical_and, std::move(left), std::move(right));
        }
        return left;
    }

    NodePtr relation() {
        static const std::map<std::string, CelOp, std::less<>> operators{
            {"==", CelOp::equal},  {"!=", CelOp::unequal},       {"<", CelOp::less}, {"<=", CelOp::less_equal},
            {">", CelOp::greater}, {">=", CelOp::greater_equal}, {"in", CelOp::in}};
        NodePtr left = sum();
        for (;;) {
            const auto found =
                now().type == TokenType::symbol || now().text == "in" ? operators.find(now().text) : operators.end();
            if (found == operators.end()) return left;
            ++at_;
            left = make_of(found->second, std::move(left), sum());
        }
    }

    NodePtr sum() {
        NodePtr left = product();
        for (;;) {
            if (take("+")) {
                left = make_of(CelOp::add, std::move(left), product());
            } else if (take("-")) {
                left = make_of(CelOp::subtract, std::move(left), product());
            } else {
                return left;
            }
        }
    }

    NodePtr product() {
        NodePtr left = unary();
        for (;;) {
            if (take("*")) {
                left = make_of(CelOp::multiply, std::move(left), unary());
            } else if (take("/")) {
                left = make_of(CelOp::divide, std::move(left), unary());
            } else if (take("%")) {
                left = make_of(CelOp::modulo, std::move(left), unary());
            } else {
                return left;
            }
        }
    }

    NodePtr unary() {
        if (take("!")) return make_of(CelOp::invert, unary());
        if (take("-")) return make_of(CelOp::negate, unary());
        return postfix();
    }

    NodePtr postfix() {
        NodePtr value = primary();
        for (;;) {
            if (take("[")) {
                value = make_of(CelOp::index, std::move(value), expression());
                need("]");
            } else if (take(".")) {
                if (now().type != TokenType::name) fail("a name is expected after \".\"");
                const std::string name = tokens_[at_++].text;
                value = take("(") ? method(std::move(value), name) : member(std::move(value), name);
            } else {
                return value;
            }
        }
    }

    static NodePtr member(NodePtr value, const std::string& name) {
        NodePtr node = make_of(CelOp::member, std::move(value));
        node->text = name;
        return node;
    }

    NodePtr method(NodePtr value, const std::string& name) {
        static const std::map<std::string, CelOp, std::less<>> macros{{"all", CelOp::all},
                                                                      {"exists", CelOp::exists},
                                                                      {"exists_one", CelOp::exists_one},
                                                                      {"filter", CelOp::filter},
                                                                      {"map", CelOp::map}};
        if (const auto macro = macros.find(name); macro != macros.end())
            return macro_call(std::move(value), macro->second);
        if (name == "size") {
            need(")");
            return make_of(CelOp::size, std::move(value));
        }
        static const std::map<std::string, CelOp, std::less<>> functions{{"matches", CelOp::matches},
                                                                         {"startsWith", CelOp::starts_with},
                                                                         {"endsWith", CelOp::ends_with},
                                                                         {"contains", CelOp::contains},
                                                                         {"split", CelOp::split}};
        const auto function = functions.find(name);
        if (function == functions.end()) fail("unknown function \"" + name + "\"");
        NodePtr argument = expression();
        need(")");
        const bool literal = argument->op == CelOp::text;
        NodePtr node = make_of(function->second, std::move(value), std::move(argument));
        if (node->op == CelOp::matches) {
            if (!literal) fail("matches() needs a literal");
            node->regex.emplace(node->children[1]->text, std::regex::ECMAScript | std::regex::optimize);
        }
        return node;
    }

    NodePtr macro_call(NodePtr range, CelOp op) {
        if (now().type != TokenType::name) fail("a variable is expected");
        const std::string variable = tokens_[at_++].text;
        need(",");
        const int slot = 2 + static_cast<int>(variables_.size());
        if (slot >= cel_variables_max) fail("macros nested too deeply");
        variables_.push_back(variable);
        NodePtr node = make_of(op, std::move(range), expression());
        node->slot = slot;
        variables_.pop_back();
        need(")");
        return node;
    }

    NodePtr primary() {
        const Token token = now();
        if (take("(")) {
            NodePtr inner = expression();
            need(")");
            return inner;
        }
        if (take("[")) {
            std::vector<NodePtr> items;
            while (!take("]")) {
                if (!items.empty()) need(",");
                items.push_back(expression());
            }
            return make(CelOp::list, std::move(items));
        }
        ++at_;
        switch (token.type) {
            case TokenType::text: {
                NodePtr node = make(CelOp::text);
                node->text = token.text;
                return node;
            }
            case TokenType::integer: {
                NodePtr node = make(CelOp::integer);
                std::from_chars(token.text.data(), token.text.data() + token.text.size(), node->integer);
                return node;
            }
            case TokenType::real: {
                NodePtr node = make(CelOp::real);
                std::from_chars(token.text.data(), token.text.data() + token.text.size(), node->real);
                return node;
            }
            case TokenType::name: return named(token.text);
            default: --at_; fail("a value is expected");
        }
    }

    NodePtr named(const std::string& name) {
        if (name == "null") return make(CelOp::null);
        if (name == "true" || name == "false") {
            NodePtr node = make(CelOp::boolean);
            node->integer = name == "true" ? 1 : 0;
            return node;
        }
        if (take("(")) return call(name);
        NodePtr node = make(CelOp::name);
        node->text = name;
        if (name == "oldSelf") {
            node->slot = 1;
            transition_ = true;
        } else if (name != "self") {
            const auto found = std::ranges::find(variables_, name);
            if (found == variables_.end()) fail("unknown name \"" + name + "\"");
            node->slot = 2 + static_cast<int>(found - variables_.begin());
        }
        return node;
    }

    NodePtr call(const std::string& name) {
        static const std::map<std::string, CelOp, std::less<>> functions{{"size", CelOp::size},
                                                                         {"int", CelOp::to_integer},
                                                                         {"double", CelOp::to_real},
                                                                         {"string", CelOp::to_text},
                                                                         {"has", CelOp::has}};
        const auto function = functions.find(name);
        if (function == functions.end()) fail("unknown function \"" + name + "\"");
        NodePtr argument = expression();
        need(")");
        if (function->second != CelOp::has) return make_of(function->second, std::move(argument));
        if (argument->op != CelOp::member) fail("has() needs a field");
        argument->op = CelOp::has;
        return argument;
    }

    std::vector<Token> tokens_;
    std::size_t at_ = 0;
    int depth_ = 0;
    bool transition_ = false;
    std::vector<std::string> variables_;
};

}  // namespace

CelParsed parse_cel(const std::string& text) {
    try {
        Parser parser(text);
        NodePtr root = parser.parse();
        return {std::move(root), parser.transition(), ""};
    } catch (const CelSyntaxError& error) {
        return {nullptr, false, error.text};
    } catch (const std::regex_error& error) {
        return {nullptr, false, std::string("bad regular expression: ") + error.what()};
    }
}

}  // namespace galleryd::documents
