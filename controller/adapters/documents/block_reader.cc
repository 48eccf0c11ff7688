#include "controller/adapters/documents/block_reader.h"

#include "controller/adapters/documents/scalar.h"

namespace galleryd::documents {
namespace {

constexpr std::size_t key_length_max = 256;  // YAML's own limit for a key on one line is 1024

bool is_alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_word(char c) { return is_alphanumeric(c) || c == '_' || c == '.' || c == '/' || c == '-'; }
bool is_printable_ascii(char c) { return c >= 0x20 && c < 0x7f; }

std::string_view without_blanks_behind(std::string_view text) {
    return text.substr(0, text.find_last_not_of(' ') + 1);  // npos + 1 is 0
}

bool is_dash(std::string_view text) { return text == "-" || text.starts_with("- "); }
bool is_null_word(std::string_view text) { return is_one_of(text, {"null", "Null", "NULL"}); }

// Length of the word that `text` begins with, when it is the key of a map: "name: …" or "name:" at the end. 0: none.
std::size_t key_length(std::string_view text) {
    if (text.empty() || !(is_alphanumeric(text.front()) || text.front() == '_')) return 0;
    std::size_t length = 1;
    while (length < text.size() && is_word(text[length])) ++length;
    if (length == text.size() || text[length] != ':' || length > key_length_max) return 0;
    if (length + 1 < text.size() && text[length + 1] != ' ') return 0;
    return is_null_word(text.substr(0, length)) ? 0 : length;
}

// What a plain scalar may begin with here; YAML allows a little more.
bool begins_plainly(std::string_view text) {
    if (text.empty() || is_null_word(text)) return false;
    const char first = text.front();
    if (is_alphanumeric(first) || first == '_' || first == '/') return true;
    return (first == '-' || first == '+' || first == '.') && text.size() > 1 && is_alphanumeric(text[1]);
}

class BlockReader {
  public:
    explicit BlockReader(const Piece& piece) : left_(piece.text), number_(piece.line) {}

    std::optional<Tree> read() {
        if (!next_line()) return std::nullopt;
        if (line_.indent == 0 && line_.text == "---" && !next_line()) return std::nullopt;
        if (line_.indent != 0 || !read_map(0) || !at_end_) return std::nullopt;
        return builder_.take();
    }

  private:
    struct Line {
        std::string_view text;  // without the indentation and without blanks behind
        std::size_t indent = 0;
        std::uint32_t number = 0;
    };

    Place place(std::size_t column) const { return {line_.number, static_cast<std::uint32_t>(column) + 1}; }

    // To the next line that holds anything; false at the end of the text, and where something else than ASCII stands.
    bool next_line() {
        while (!left_.empty()) {
            const std::size_t end = std::min(left_.find('\n'), left_.size());
            const std::string_view row = left_.substr(0, end);
            left_.remove_prefix(std::min(end + 1, left_.size()));
            const std::uint32_t number = number_++;
            const std::size_t indent = row.find_first_not_of(' ');
            if (indent == std::string_view::npos || row[indent] == '#') continue;
            line_ = {without_blanks_behind(row.substr(indent)), indent, number};
            return std::ranges::all_of(row, is_printable_ascii);
        }
        at_end_ = true;
        return false;
    }

    // Past a line that has been read whole. False: not ours.
    bool go_on() { return next_line() || at_end_; }

    bool read_map(std::size_t column) {
        builder_.begin(true, place(column));
        do {
            if (!read_entry(column)) return false;
        } while (!at_end_ && line_.indent == column);
        builder_.end();
        return at_end_ || line_.indent < column;
    }

    bool read_entry(std::size_t column) {
        const std::size_t length = key_length(line_.text);
        if (length == 0) return false;
        builder_.scalar(nullptr, std::string(line_.text.substr(0, length)), place(column));
        const std::size_t value = line_.text.find_first_not_of(' ', length + 1);
        if (value != std::string_view::npos) return read_value(line_.text.substr(value), column + value) && go_on();
        if (!next_line() || line_.indent < column) return false;
        if (is_dash(line_.text)) return read_list(line_.indent);  // also one that is not indented
        return line_.indent > column && read_map(line_.indent);
    }

    bool read_list(std::size_t column) {
        builder_.begin(false, place(column));
        do {
            if (!read_item(column)) return false;
        } while (!at_end_ && line_.indent == column && is_dash(line_.text));
        builder_.end();
        return at_end_ || line_.indent <= column;
    }

    bool read_item(std::size_t column) {
        const std::size_t skipped = line_.text.find_first_not_of(' ', 1);
        if (skipped == std::string_view::npos) return false;
        const std::string_view item = line_.text.substr(skipped);
        if (key_length(item) == 0) return read_value(item, column + skipped) && go_on();
        line_.text = item;
        line_.indent = column + skipped;
        return read_map(line_.indent);
    }

    bool read_value(std::string_view text, std::size_t column) {
        const char first = text.front();
        if (first == '{' || first == '[') return read_flow(text, column);
        if (first == '"' || first == '\'') {
            if (text.size() < 2 || text.back() != first) return false;
            const std::string_view inside = text.substr(1, text.size() - 2);
            if (inside.contains(first) || (first == '"' && inside.contains('\\'))) return false;
            builder_.scalar(std::string(inside), {}, place(column));
            return true;
        }
        if (!begins_plainly(text) || text.back() == ':' || text.contains(": ") || text.contains(" #")) return false;
        builder_.scalar(plain_value(std::string(text), place(column)), {}, place(column));
        return true;
    }

    bool read_flow(std::string_view text, std::size_t column) {
        std::size_t at = 0;
        return read_collection(text, at, column) && at == text.size();
    }

    static void skip_blanks(std::string_view text, std::size_t& at) {
        at = std::min(text.find_first_not_of(' ', at), text.size());
    }

    // `at`: the bracket that opens; then behind the one that closes.
    bool read_collection(std::string_view text, std::size_t& at, std::size_t column) {
        const bool is_map = text[at] == '{';
        const char close = is_map ? '}' : ']';
        builder_.begin(is_map, place(column + at));
        skip_blanks(text, ++at);
        if (at < text.size() && text[at] == close) {
            builder_.end();
            ++at;
            return true;
        }
        for (;; skip_blanks(text, ++at)) {
            if (is_map) {
                const std::size_t length = key_length(text.substr(at));
                if (length == 0) return false;
                builder_.scalar(nullptr, std::string(text.substr(at, length)), place(column + at));
                skip_blanks(text, at += length + 1);
            }
            if (!read_flow_value(text, at, column)) return false;
            skip_blanks(text, at);
            if (at == text.size()) return false;
            if (text[at] != ',') break;
        }
        builder_.end();
        return text[at++] == close;
    }

    bool read_flow_value(std::string_view text, std::size_t& at, std::size_t column) {
        if (at < text.size() && (text[at] == '{' || text[at] == '[')) return read_collection(text, at, column);
        const std::size_t stop = std::min(text.find_first_of(",[]{}", at), text.size());
        const std::string_view word = without_blanks_behind(text.substr(at, stop - at));
        const bool is_plain = std::ranges::all_of(word, [](char c) { return is_word(c) || c == '+' || c == ' '; });
        if (!is_plain || !begins_plainly(word)) return false;
        builder_.scalar(plain_value(std::string(word), place(column + at)), {}, place(column + at));
        at += word.size();
        return true;
    }

    std::string_view left_;  // lines that have not been looked at
    std::uint32_t number_;   // of the first of them
    Line line_;
    bool at_end_ = false;
    TreeBuilder builder_;
};

}  // namespace

std::optional<ReadTree> read_blocks(const Piece& piece) {
    try {
        auto tree = BlockReader(piece).read();
        if (!tree) return std::nullopt;
        return ReadTree{.tree = std::move(*tree), .failure = std::nullopt};
    } catch (const ReadFailure& failure) {
        if (failure.problem.code == too_many_values_code)
            return ReadTree{.tree = {}, .failure = TextProblem{failure.problem, failure.place}};
        return std::nullopt;  // a field twice, 010, too deep: yaml-cpp's reading finds it too, and is told
    }
}

}  // namespace galleryd::documents
