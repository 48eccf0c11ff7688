#include "controller/adapters/documents/problem.h"

#include <algorithm>

#include "controller/core/edit_distance.h"
#include "controller/core/resource_id.h"

namespace galleryd::documents {
namespace {

// A pointer for people and machines, unless somebody's key makes it a page long.
std::string named(const std::string& pointer) {
    constexpr std::size_t bytes_max = 1000;
    return pointer.size() <= bytes_max ? pointer : shortened(pointer);
}

// A message is a line, also when it quotes a text of several.
std::string on_one_line(std::string text) {
    std::ranges::replace_if(
        text, [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
    return text;
}

}  // namespace

Diagnostic locate(const Problem& problem, const std::string& file, const Places& places) {
    const Place place = problem.at_key ? places.key_at(problem.pointer) : places.value_at(problem.pointer);
    return {.code = problem.code,
            .severity = problem.severity,
            .where = {file, static_cast<int>(place.line), static_cast<int>(place.column)},
            .field = named(problem.pointer),
            .message = on_one_line(problem.message),
            .remedy = on_one_line(problem.remedy)};
}

bool has_error(const std::vector<Diagnostic>& problems) {
    return std::ranges::any_of(problems, [](const Diagnostic& problem) { return problem.severity == Severity::error; });
}

std::string nearest(std::string_view wanted, const std::vector<std::string>& candidates) {
    if (wanted.size() > 100) return {};
    std::string best;
    std::size_t best_distance = std::max<std::size_t>(2, wanted.size() / 3) + 1;
    const std::string folded = fold_case(wanted);
    for (const std::string& candidate : candidates) {
        const std::size_t distance = edit_distance(folded, fold_case(candidate), best_distance);
        if (distance < best_distance) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best;
}

std::string shortened(std::string_view text) {
    if (text.size() <= 80) return std::string(text);
    std::size_t end = 80;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    return std::string(text.substr(0, end)) + "…";
}

std::string listed(const std::vector<std::string>& words, std::string_view last_word) {
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) text += i + 1 == words.size() ? " " + std::string(last_word) + " " : ", ";
        text += words[i];
    }
    return text;
}

}  // namespace galleryd::documents
