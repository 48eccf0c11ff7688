#include <nlohmann/json.hpp>

#include "controller/adapters/documents/block_reader.h"
#include "controller/adapters/documents/tree.h"
#include "tests/fuzz/target.h"

// The line reader and yaml-cpp: where the quick one answers, the other gives the same tree, to the last place.
namespace galleryd::fuzz {
namespace {

using namespace galleryd::documents;

// The look ahead that keeps yaml-cpp from eating memory counts brackets wherever they stand, so that 65 of them in a
// text are too deep although they open nothing. Nobody writes that; the refusal is ours, and yaml-cpp may not share it.
bool has_bracket_excess(const ReadTree& read) {
    return read.failure && (read.failure->problem.code == "GD1005" || read.failure->problem.code == "GD1006");
}

void check_piece(const Piece& piece) {
    const ReadTree by_library = read_any_yaml(piece);
    if (by_library.failure) {
        require_clear(by_library.failure->problem.message);
        require(!by_library.failure->problem.code.empty(), "a refusal has a code");
        require(by_library.failure->place.line >= piece.line, "a refusal points into its document");
    }
    if (const auto by_lines = read_blocks(piece)) {
        require(by_lines->failure.has_value() == by_library.failure.has_value() && !by_library.empty,
                "what the line reader takes, yaml-cpp takes");
        require(by_lines->tree.value.dump() == by_library.tree.value.dump(), "both readers see the same values");
        require(by_lines->tree.places == by_library.tree.places, "both readers see the same places");
    }
    const ReadTree chosen = read_yaml(piece);
    if (has_bracket_excess(chosen)) return require_clear(chosen.failure->problem.message);
    require(chosen.empty == by_library.empty && chosen.failure.has_value() == by_library.failure.has_value(),
            "it does not matter which of them answers");
    if (chosen.failure || chosen.empty) return;
    require(chosen.tree.places.size() <= TreeBuilder::values_max, "the number of values is bounded");
    // What was read can be written as JSON, and JSON is YAML: it reads back as the same.
    const std::string json = chosen.tree.value.dump();
    if (!looks_like_json(json)) return;
    const ReadTree again = read_json({json, 1});
    require(!again.failure && again.tree.value == chosen.tree.value, "what was read reads back from its JSON");
}

void run(std::string_view bytes) {
    if (const auto problem = find_text_problem(bytes)) return require_clear(problem->problem.message);
    std::size_t covered = 0;
    for (const Piece& piece : cut_documents(bytes)) {
        covered += piece.text.size();
        check_piece(piece);
    }
    require(covered <= bytes.size(), "documents do not overlap");
}

const Registered registered({.name = "yaml", .run = run, .mutations = 3000});

}  // namespace
}  // namespace galleryd::fuzz
