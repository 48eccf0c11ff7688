#include <cctype>
#include <charconv>

#include "controller/core/resource_id.h"
#include "controller/core/utf8.h"
#include "controller/simulator/graph_kql.h"

namespace galleryd::simulator::kql {
namespace {

constexpr std::size_t digits_max = 100;  // a number of more would be larger than any
constexpr double seconds_max = 1e12;     // 30,000 years in microseconds fit into 64 bits

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Reader {
  public:
    explicit Reader(std::string_view text) : text_(text) {}

    std::variant<std::vector<Token>, Problem> read() {
        std::vector<Token> tokens;
        while (true) {
            skip_blanks();
            Token token;
            token.line = line_;
            token.position = at_ - line_start_;
            if (at_ >= text_.size()) {
                token.text = "<EOF>";
                tokens.push_back(std::move(token));
                return tokens;
            }
            if (!read_one(token))
                return Problem{.token = printable(text_.substr(std::min(at_, text_.size() - 1), 4), 4),
                               .expected = "a token of the query language",
                               .line = token.line,
                               .position = token.position};
            tokens.push_back(std::move(token));
        }
    }

  private:
    char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

    void skip_blanks() {
        while (at_ < text_.size()) {
            if (text_[at_] == '\n') {
                ++line_;
                line_start_ = ++at_;
            } else if (std::isspace(static_cast<unsigned char>(text_[at_])) != 0) {
                ++at_;
            } else if (peek() == '/' && peek(1) == '/') {
                while (at_ < text_.size() && text_[at_] != '\n') ++at_;
            } else {
                return;
            }
        }
    }

    bool read_one(Token& token) {
        const char c = peek();
        if (c == '\'' || c == '"') return read_text(token, false);
        if (c == '@' && (peek(1) == '\'' || peek(1) == '"')) {
            ++at_;
            return read_text(token, true);
        }
        if (is_digit(c)) return read_number(token);
        if (is_letter(c)) {
            read_word(token);
            return true;
        }
        return read_symbol(token);
    }

    bool read_text(Token& token, bool verbatim) {
        const char quote = text_[at_++];
        token.kind = Token::Kind::text;
        while (at_ < text_.size() && text_[at_] != '\n') {
            const char c = text_[at_++];
            if (c == quote) {
                if (!verbatim || peek() != quote) return true;
                ++at_;
                token.text += quote;
            } else if (c == '\\' && !verbatim && at_ < text_.size()) {
                const char escaped = text_[at_++];
                token.text += escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped;
            } else {
                token.text += c;
            }
        }
        return false;
    }

    bool read_number(Token& token) {
        const std::size_t start = at_;
        while (is_digit(peek())) ++at_;
        if (peek() == '.' && is_digit(peek(1))) {
            ++at_;
            while (is_digit(peek())) ++at_;
        }
        token.kind = Token::Kind::number;
        if (at_ - start > digits_max) return false;
        token.text = std::string(text_.substr(start, at_ - start));
        const std::size_t unit_at = at_;
        while (is_letter(peek())) ++at_;
        const std::string_view unit = text_.substr(unit_at, at_ - unit_at);
        if (unit.empty()) return true;
        double amount = 0;
        std::from_chars(token.text.data(), token.text.data() + token.text.size(), amount);
        double seconds = 0;
        if (unit == "d") seconds = 86400;
        else if (unit == "h") seconds = 3600;
        else if (unit == "m") seconds = 60;
        else if (unit == "s") seconds = 1;
        else if (unit == "ms") seconds = 0.001;
        else return false;
        if (amount * seconds > seconds_max) return false;
        token.kind = Token::Kind::timespan;
        token.time = Duration(static_cast<std::int64_t>(amount * seconds * 1e6));
        return true;
    }

    void read_word(Token& token) {
        const std::size_t start = at_;
        while (is_letter(peek()) || is_digit(peek())) ++at_;
        token.kind = Token::Kind::word;
        token.text = std::string(text_.substr(start, at_ - start));
        if (token.text == "in" && peek() == '~') {
            token.text += '~';
            ++at_;
        }
        if (token.text == "datetime" && peek() == '(') read_date(token);
        if (token.text == "project" && text_.substr(at_).starts_with("-away")) {
            token.text += "-away";
            at_ += 5;
        }
    }

    // datetime(2026-03-01T00:00:00Z): what stands between the parentheses is no expression.
    void read_date(Token& token) {
        const std::size_t end = text_.find(')', at_);
        if (end == std::string_view::npos) return;  // the parser then misses its date
        token.kind = Token::Kind::date;
        token.text.clear();
        for (const char c : text_.substr(at_ + 1, end - at_ - 1)) {
            if (c != '\'' && c != '"' && c != ' ') token.text += c;
        }
        at_ = end + 1;
    }

    bool read_symbol(Token& token) {
        token.kind = Token::Kind::symbol;
        if (peek() == '!' && is_letter(peek(1))) {  // !in, !has, …
            ++at_;
            read_word(token);
            token.text.insert(0, "!");
            return true;
        }
        for (const std::string_view two : {"==", "!=", "=~", "!~", "<=", ">="}) {
            if (text_.substr(at_).starts_with(two)) {
                token.text = two;
                at_ += 2;
                return true;
            }
        }
        constexpr std::string_view single = "|,()[]=<>.+-";
        if (single.find(peek()) == std::string_view::npos) return false;
        token.text = std::string(1, text_[at_++]);
        return true;
    }

    std::string_view text_;
    std::size_t at_ = 0, line_ = 1, line_start_ = 0;
};

}  // namespace

std::variant<std::vector<Token>, Problem> read_tokens(std::string_view text) { return Reader(text).read(); }

}  // namespace galleryd::simulator::kql
