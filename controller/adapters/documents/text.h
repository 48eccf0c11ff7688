#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "controller/adapters/documents/problem.h"

// What is looked at before any parser runs: size, encoding, control characters, conflict markers; and the cut into
// documents.
namespace galleryd::documents {

inline constexpr std::size_t file_bytes_max = 1024 * 1024;

struct TextProblem {
    Problem problem;
    Place place;
};
// The first reason not to parse this text at all.
std::optional<TextProblem> find_text_problem(std::string_view text);

// One YAML document of a file. Lines "---" and "..." end a document wherever they stand (YAML 1.2.2 §9.1.2: neither
// block nor quoted scalars may contain them at the line start), so cutting at lines is exact and one broken document
// cannot hide the next.
struct Piece {
    std::string_view text;
    std::uint32_t line = 1;  // of the file, where text begins
};
std::vector<Piece> cut_documents(std::string_view text);

std::string_view without_bom(std::string_view text);

}  // namespace galleryd::documents
