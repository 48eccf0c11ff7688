#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <spanstream>

#include "controller/adapters/documents/block_reader.h"
#include "controller/adapters/documents/scalar.h"
#include "controller/adapters/documents/tree.h"
#include "controller/core/utf8.h"

// yaml-cpp's event interface: no Node is built, because Nodes accept duplicate keys, follow aliases and cost 40 KB a
// document.
namespace galleryd::documents {
namespace {

bool has_control_character(std::string_view text) {
    return std::ranges::any_of(
        text, [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f; });
}

// yaml-cpp 0.7 takes a quoted text that never ends, as a half-written file has one, for a text up to the end of the
// file.
bool is_closed(std::string_view text) {
    while (text.starts_with('!')) {  // the mark of a tagged scalar is the tag's
        text.remove_prefix(std::min(text.find_first_of(" \t\r\n"), text.size()));
        text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    }
    if (text.empty() || (text.front() != '"' && text.front() != '\'')) return true;
    const char quote = text.front();
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (quote == '"' && text[i] == '\\') {
            ++i;
        } else if (text[i] == quote) {
            if (quote == '"' || i + 1 >= text.size() || text[i + 1] != quote) return true;
            ++i;  // '' inside a single-quoted text
        }
    }
    return false;
}

// yaml-cpp 0.7 keeps every token of a flow collection ({…}, […]) until its end, because it might be a key: a megabyte
// of brackets would cost 300 MB before the first event. This look ahead takes every bracket for one, also in texts and
// comments; no real document comes near the limits.
std::optional<ReadFailure> find_flow_excess(const Piece& piece) {
    constexpr std::size_t parts_max = 20'000;
    std::size_t depth = 0, parts = 0;
    Place place{piece.line, 0};
    for (const char c : piece.text) {
        place = c == '\n' ? Place{place.line + 1, 0} : Place{place.line, place.column + 1};
        if (c == '[' || c == '{') {
            if (depth == 0) parts = 0;
            ++depth;
            ++parts;
        } else if ((c == ']' || c == '}') && depth > 0) {
            --depth;
        } else if (c == ',' && depth > 0) {
            ++parts;
        }
        if (depth > TreeBuilder::depth_max) return too_deep(place);
        if (parts > parts_max) {
            return ReadFailure{{.code = "GD1006",
                                .pointer = "",
                                .message = "a list or map in brackets has more than 20000 parts",
                                .remedy = "Write one item a line, and several documents."},
                               place};
        }
    }
    return std::nullopt;
}

class Handler final : public YAML::EventHandler {
  public:
    explicit Handler(const Piece& piece) : text_(piece.text), first_line_(piece.line) {}

    void OnDocumentStart(const YAML::Mark& mark) override {
        // Also the guard against yaml-cpp 0.7 making documents out of nothing for ever (input ",").
        if (++documents_ > 1)
            refuse("GD1001", "there is text after the end of the document",
                   "Separate documents by a line with three dashes (---).", mark);
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        check_anchor(anchor, mark);
        add_scalar(nullptr, "", mark);
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse_alias(mark); }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        check_anchor(anchor, mark);
        const bool plain = tag == "?" || tag.empty();
        if (!plain && tag != "!" && tag != "tag:yaml.org,2002:str") refuse_tag(tag, mark);
        if (!plain &&
            !is_closed(text_.substr(std::min(static_cast<std::size_t>(std::max(mark.pos, 0)), text_.size())))) {
            refuse("GD1001", "this is not YAML: the quote that opens here is never closed",
                   "Close it; the file may be half written.", mark);
        }
        if (has_control_character(value))
            refuse("GD1007", "the text contains a control character",
                   "Remove the escape; only printable text, tabs and line ends are allowed.", mark);
        add_scalar(plain && !builder_.expects_key() ? plain_value(value, place_of(mark)) : nlohmann::json(value), value,
                   mark);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        check_anchor(anchor, mark);
        if (!is_one_of(tag, {"", "?", "!", "tag:yaml.org,2002:seq"})) refuse_tag(tag, mark);
        builder_.begin(false, place_of(mark));
    }
    void OnSequenceEnd() override { builder_.end(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        check_anchor(anchor, mark);
        if (!is_one_of(tag, {"", "?", "!", "tag:yaml.org,2002:map"})) refuse_tag(tag, mark);
        builder_.begin(true, place_of(mark));
    }
    void OnMapEnd() override { builder_.end(); }

    Tree take() { return builder_.take(); }
    Place place_of(const YAML::Mark& mark) const {
        return {static_cast<std::uint32_t>(mark.line) + first_line_, static_cast<std::uint32_t>(mark.column) + 1};
    }

  private:
    void add_scalar(nlohmann::json value, const std::string& text, const YAML::Mark& mark) {
        if (builder_.expects_key() && text.empty())
            refuse("GD1009", "a field has no name", "Write `name: value`.", mark);
        builder_.scalar(std::move(value), text, place_of(mark));
    }
    [[noreturn]] void refuse(const char* code, std::string message, const char* remedy, const YAML::Mark& mark) const {
        throw ReadFailure{{.code = code, .pointer = "", .message = std::move(message), .remedy = remedy},
                          place_of(mark)};
    }
    [[noreturn]] void refuse_alias(const YAML::Mark& mark) const {
        refuse("GD1003", "anchors and aliases (&name, *name) are not read: a few lines of them can grow to gigabytes",
               "Write the value out.", mark);
    }
    void check_anchor(YAML::anchor_t anchor, const YAML::Mark& mark) const {
        if (anchor != YAML::NullAnchor) refuse_alias(mark);
    }
    [[noreturn]] void refuse_tag(const std::string& tag, const YAML::Mark& mark) const {
        refuse("GD1004", "the tag " + shortened(tag) + " is not known",
               "Remove the tag; quote the value when text is meant.", mark);
    }

    TreeBuilder builder_;
    std::string_view text_;
    std::uint32_t first_line_;
    int documents_ = 0;
};

// Line of the first indentation by tab at or before `line`; 0 when there is none.
std::uint32_t find_tab(const Piece& piece, std::uint32_t line) {
    std::string_view text = piece.text;
    for (std::uint32_t number = piece.line; !text.empty() && number <= line; ++number) {
        const std::size_t end = text.find('\n');
        const std::string_view row = text.substr(0, end);
        const std::size_t first = row.find_first_not_of(' ');
        if (first != std::string_view::npos && row[first] == '\t') return number;
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return 0;
}

TextProblem syntax_problem(const Piece& piece, const std::string& message, Place place) {
    if (const std::uint32_t line = find_tab(piece, place.line + 1); line != 0) {
        return {{.code = "GD1027",
                 .pointer = "",
                 .message = "the line is indented by a tab, which YAML does not allow",
                 .remedy = "Use spaces."},
                {line, 1}};
    }
    return {{.code = "GD1001",
             .pointer = "",
             .message = "this is not YAML: " + printable(message, 300),  // it may quote half a character
             .remedy = "Check indentation, quotes and brackets around here."},
            place};
}

}  // namespace

ReadTree read_yaml(const Piece& piece) {
    const bool has_flow = piece.text.contains('[') || piece.text.contains('{');
    if (has_flow) {
        if (const auto excess = find_flow_excess(piece))
            return {.tree = {}, .failure = TextProblem{excess->problem, excess->place}};
    }
    if (auto read = read_blocks(piece)) return std::move(*read);
    return read_any_yaml(piece);
}

ReadTree read_any_yaml(const Piece& piece) {
    Handler handler(piece);
    std::ispanstream stream(std::span<const char>(piece.text.data(), piece.text.size()));
    try {
        YAML::Parser parser(stream);
        if (!parser.HandleNextDocument(handler)) return {.tree = {}, .failure = std::nullopt, .empty = true};
        parser.HandleNextDocument(handler);  // must find the end of the text
    } catch (const ReadFailure& failure) {
        return {.tree = {}, .failure = TextProblem{failure.problem, failure.place}};
    } catch (const YAML::Exception& error) {
        const bool known = error.mark.line >= 0;
        return {
            .tree = {},
            .failure = syntax_problem(piece, error.msg, known ? handler.place_of(error.mark) : Place{piece.line, 1})};
    } catch (const std::exception& error) {
        return {.tree = {}, .failure = syntax_problem(piece, error.what(), {piece.line, 1})};
    }
    return {.tree = handler.take(), .failure = std::nullopt};
}

}  // namespace galleryd::documents
