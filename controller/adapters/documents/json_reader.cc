#include <charconv>

#include "controller/adapters/documents/tree.h"

// JSON (RFC 8259) with the place of each value; nlohmann's own parser does not tell places.
namespace galleryd::documents {
namespace {

class JsonReader {
  public:
    explicit JsonReader(const Piece& piece) : text_(piece.text), line_(piece.line) {}

    Tree read() {
        skip_blanks();
        read_value();
        skip_blanks();
        if (!at_end()) refuse("there is text after the end of the document");
        return builder_.take();
    }

  private:
    // Depth is bounded by the builder (64), so recursion is too.
    void read_value() {
        const Place place = here();
        switch (peek()) {
            case '{': return read_object(place);
            case '[': return read_array(place);
            case '"': {
                std::string text = read_string();
                builder_.scalar(text, text, place);
                return;
            }
            case 't': return read_word("true", true, place);
            case 'f': return read_word("false", false, place);
            case 'n': return read_word("null", nullptr, place);
            default: return read_number(place);
        }
    }

    void read_object(Place place) {
        builder_.begin(true, place);
        advance();
        skip_blanks();
        while (peek() != '}') {
            const Place key_place = here();
            if (peek() != '"') refuse("a field name in double quotes is expected");
            const std::string key = read_string();
            if (key.empty())
                throw ReadFailure{{.code = "GD1009",
                                   .pointer = "",
                                   .message = "a field has no name",
                                   .remedy = "Write \"name\": value."},
                                  key_place};
            builder_.scalar(key, key, key_place);
            skip_blanks();
            if (peek() != ':') refuse("':' is expected after a field name");
            advance();
            skip_blanks();
            read_value();
            skip_separator('}');
        }
        advance();
        builder_.end();
    }

    void read_array(Place place) {
        builder_.begin(false, place);
        advance();
        skip_blanks();
        while (peek() != ']') {
            read_value();
            skip_separator(']');
        }
        advance();
        builder_.end();
    }

    void skip_separator(char close) {
        skip_blanks();
        if (peek() == close) return;
        if (peek() != ',') refuse(std::string("',' or '") + close + "' is expected");
        advance();
        skip_blanks();
        if (peek() == close) refuse("a comma before the closing bracket is not JSON");
    }

    void read_word(std::string_view word, nlohmann::json value, Place place) {
        if (text_.substr(at_, word.size()) != word) refuse("a value is expected");
        for (std::size_t i = 0; i < word.size(); ++i) advance();
        builder_.scalar(std::move(value), std::string(word), place);
    }

    void read_number(Place place) {
        const std::size_t begin = at_;
        while (!at_end() && std::string_view("+-.eE0123456789").find(text_[at_]) != std::string_view::npos) advance();
        const std::string number(text_.substr(begin, at_ - begin));
        if (!is_number(number)) refuse_at("a value is expected", place);
        const char* const end = number.data() + number.size();
        if (number.find_first_of(".eE") == std::string::npos) {
            std::int64_t whole = 0;
            if (std::from_chars(number.data(), end, whole).ec != std::errc{}) refuse_number(number, place);
            builder_.scalar(whole, number, place);
            return;
        }
        double real = 0;
        if (std::from_chars(number.data(), end, real).ec != std::errc{}) refuse_number(number, place);
        builder_.scalar(real, number, place);
    }

    // -? (0 | [1-9][0-9]*) (\.[0-9]+)? ([eE][-+]?[0-9]+)?
    static bool is_number(std::string_view text) {
        const auto digits = [&text] {
            const std::size_t length = std::min(text.find_first_not_of("0123456789"), text.size());
            text.remove_prefix(length);
            return length;
        };
        if (text.starts_with('-')) text.remove_prefix(1);
        const bool zero = text.starts_with('0');
        const std::size_t whole = digits();
        if (whole == 0 || (zero && whole > 1)) return false;
        if (text.starts_with('.')) {
            text.remove_prefix(1);
            if (digits() == 0) return false;
        }
        if (text.starts_with('e') || text.starts_with('E')) {
            text.remove_prefix(1);
            if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
            if (digits() == 0) return false;
        }
        return text.empty();
    }

    [[noreturn]] static void refuse_number(const std::string& number, Place place) {
        throw ReadFailure{{.code = "GD1026",
                           .pointer = "",
                           .message = "the number " + shortened(number) + " does not fit into 64 bits",
                           .remedy = "Write a smaller number, or quote it when text is meant."},
                          place};
    }

    std::string read_string() {
        const Place place = here();
        advance();
        std::string text;
        while (peek() != '"') {
            const char c = text_[at_];
            if (static_cast<unsigned char>(c) < 0x20) refuse("a text is not closed at the end of the line");
            advance();
            if (c != '\\') {
                text += c;
            } else {
                read_escape(text, place);
            }
        }
        advance();
        return text;
    }

    void read_escape(std::string& text, Place place) {
        const char c = peek();
        advance();
        switch (c) {
            case '"':
            case '\\':
            case '/': text += c; return;
            case 'n': text += '\n'; return;
            case 't': text += '\t'; return;
            case 'r':
            case 'b':
            case 'f': refuse_control(place);
            case 'u': break;
            default: refuse("this escape is not JSON");
        }
        char32_t point = read_hex();
        if (point >= 0xd800 && point < 0xdc00 && text_.substr(at_, 2) == "\\u") {
            advance();
            advance();
            const char32_t low = read_hex();
            if (low < 0xdc00 || low > 0xdfff) refuse("half a surrogate pair");
            point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
        }
        if (point >= 0xd800 && point < 0xe000) refuse("half a surrogate pair");
        if ((point < 0x20 && point != '\n' && point != '\t') || point == 0x7f) refuse_control(place);
        append_utf8(text, point);
    }

    [[noreturn]] static void refuse_control(Place place) {
        throw ReadFailure{{.code = "GD1007",
                           .pointer = "",
                           .message = "the text contains a control character",
                           .remedy = "Remove the escape; only printable text, tabs and line ends are allowed."},
                          place};
    }

    char32_t read_hex() {
        std::uint32_t point = 0;
        const std::string_view digits = text_.substr(std::min(at_, text_.size()), 4);
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), point, 16);
        if (error != std::errc{} || digits.size() != 4 || end != digits.data() + 4)
            refuse("four hexadecimal digits are expected after \\u");
        for (int i = 0; i < 4; ++i) advance();
        return point;
    }

    static void append_utf8(std::string& text, char32_t point) {
        const auto push = [&text](char32_t byte) { text += static_cast<char>(static_cast<unsigned char>(byte)); };
        if (point < 0x80) {
            push(point);
        } else if (point < 0x800) {
            push(0xc0 | (point >> 6)), push(0x80 | (point & 0x3f));
        } else if (point < 0x10000) {
            push(0xe0 | (point >> 12)), push(0x80 | ((point >> 6) & 0x3f)), push(0x80 | (point & 0x3f));
        } else {
            push(0xf0 | (point >> 18)), push(0x80 | ((point >> 12) & 0x3f)), push(0x80 | ((point >> 6) & 0x3f)),
                push(0x80 | (point & 0x3f));
        }
    }

    bool at_end() const { return at_ >= text_.size(); }
    char peek() const {
        if (at_end()) refuse("the text ends in the middle of a value");
        return text_[at_];
    }
    void advance() {
        if (text_[at_] == '\n') {
            ++line_;
            line_begin_ = at_ + 1;
        }
        ++at_;
    }
    void skip_blanks() {
        while (!at_end() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
            advance();
    }
    Place here() const { return {line_, static_cast<std::uint32_t>(at_ - line_begin_ + 1)}; }
    [[noreturn]] void refuse(const std::string& message) const { refuse_at(message, here()); }
    [[noreturn]] static void refuse_at(const std::string& message, Place place) {
        throw ReadFailure{{.code = "GD1001",
                           .pointer = "",
                           .message = "this is not JSON: " + message,
                           .remedy = "Check quotes, commas and brackets around here."},
                          place};
    }

    std::string_view text_;
    std::uint32_t line_;
    std::size_t at_ = 0, line_begin_ = 0;
    TreeBuilder builder_;
};

}  // namespace

ReadTree read_json(const Piece& piece) {
    try {
        return {.tree = JsonReader(piece).read(), .failure = std::nullopt};
    } catch (const ReadFailure& failure) {
        return {.tree = {}, .failure = TextProblem{failure.problem, failure.place}};
    }
}

}  // namespace galleryd::documents
