#include "controller/core/field_lines.h"

#include <charconv>

namespace galleryd {

FieldLines::FieldLines(std::initializer_list<std::pair<std::string_view, int>> lines) {
    for (const auto& [field, line] : lines) add(field, line);
}

void FieldLines::add(std::string_view field, int line) {
    if (field.find('\n') != std::string_view::npos) return;
    packed_.append(field).append("\n").append(std::to_string(line)).append("\n");
}

std::optional<int> FieldLines::line_of(std::string_view field) const {
    std::string_view rest = packed_;
    while (!rest.empty()) {
        const std::size_t name_end = rest.find('\n');
        const std::size_t line_end = name_end == std::string_view::npos ? name_end : rest.find('\n', name_end + 1);
        if (line_end == std::string_view::npos) break;  // not what add() wrote
        if (rest.substr(0, name_end) == field) {
            int line = 0;
            std::from_chars(rest.data() + name_end + 1, rest.data() + line_end, line);
            return line;
        }
        rest.remove_prefix(line_end + 1);
    }
    return std::nullopt;
}

}  // namespace galleryd
