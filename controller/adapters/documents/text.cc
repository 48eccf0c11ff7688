#include "controller/adapters/documents/text.h"

#include <array>
#include <cstdio>

#include "controller/core/utf8.h"

namespace galleryd::documents {
namespace {

std::string point_name(char32_t point) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "U+%04X", static_cast<unsigned>(point));
    return text.data();
}

bool is_conflict_marker(std::string_view line) {
    return line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ") || line.starts_with("||||||| ") ||
           line == "=======" || line == "=======\r";
}

std::optional<TextProblem> find_bad_character(std::string_view text) {
    Place place{1, 1};
    while (!text.empty()) {
        char32_t point = 0;
        const std::size_t length = utf8_length(text, point);
        if (length == 0) {
            return TextProblem{{.code = "GD1007",
                                .pointer = "",
                                .message = "the file is not valid UTF-8 text here",
                                .remedy = "Save the file as UTF-8."},
                               place};
        }
        if (is_forbidden_in_text(point)) {
            return TextProblem{{.code = "GD1007",
                                .pointer = "",
                                .message = "the file contains the control character " + point_name(point),
                                .remedy = "Remove it; only printable text, tabs and line ends are allowed."},
                               place};
        }
        place = point == '\n' ? Place{place.line + 1, 1} : Place{place.line, place.column + 1};
        text.remove_prefix(length);
    }
    return std::nullopt;
}

bool is_marker(std::string_view line, std::string_view marker) {
    if (!line.starts_with(marker)) return false;
    return line.size() == marker.size() || line[marker.size()] == ' ' || line[marker.size()] == '\t' ||
           line[marker.size()] == '\r';
}

bool has_content(std::string_view line) {
    const std::size_t first = line.find_first_not_of(" \t\r");
    return first != std::string_view::npos && line[first] != '#' && line[0] != '%';
}

}  // namespace

std::string_view without_bom(std::string_view text) { return text.starts_with("\xef\xbb\xbf") ? text.substr(3) : text; }

std::optional<TextProblem> find_text_problem(std::string_view text) {
    if (text.size() > file_bytes_max) {
        return TextProblem{{.code = "GD1006",
                            .pointer = "",
                            .message = "the file is larger than 1 MiB",
                            .remedy = "Split it into several files."},
                           {1, 1}};
    }
    if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
        return TextProblem{
            {.code = "GD1007", .pointer = "", .message = "the file is UTF-16", .remedy = "Save the file as UTF-8."},
            {1, 1}};
    }
    text = without_bom(text);
    std::uint32_t line_number = 1;
    for (std::size_t at = 0; at < text.size(); ++line_number) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        if (is_conflict_marker(text.substr(at, end - at))) {
            return TextProblem{{.code = "GD1008",
                                .pointer = "",
                                .message = "the file contains a merge conflict marker",
                                .remedy = "Resolve the conflict, remove the marker lines and commit again."},
                               {line_number, 1}};
        }
        at = end + 1;
    }
    return find_bad_character(text);
}

std::vector<Piece> cut_documents(std::string_view text) {
    text = without_bom(text);
    std::vector<Piece> pieces;
    std::size_t begin = 0;
    std::uint32_t begin_line = 1, line_number = 1;
    bool content = false, marker = false;  // comments and directives in front of the first "---" belong to what follows
    const auto finish = [&](std::size_t end) {
        if (content) pieces.push_back({text.substr(begin, end - begin), begin_line});
        content = false;
    };
    for (std::size_t at = 0; at < text.size(); ++line_number) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view line = text.substr(at, end - at);
        if (is_marker(line, "---")) {
            if (content || marker) {
                finish(at);
                begin = at, begin_line = line_number;
            }
            marker = true;
            content = has_content(line.substr(3).empty() ? "#" : line.substr(3));
        } else if (is_marker(line, "...")) {
            finish(at);
            begin = std::min(end + 1, text.size()), begin_line = line_number + 1;
            marker = false;
        } else if (!line.empty() && has_content(line)) {
            content = true;
        }
        at = end + 1;
    }
    finish(text.size());
    return pieces;
}

}  // namespace galleryd::documents
