#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "controller/adapters/documents/places.h"
#include "controller/adapters/documents/problem.h"
#include "controller/adapters/documents/text.h"

// A document as JSON plus where each value stands, and the builder that both readers (YAML, JSON) feed.
namespace galleryd::documents {

struct Tree {
    nlohmann::json value;
    Places places;
};

// Thrown inside this folder only, by the builder through yaml-cpp's frames; read_yaml and read_json turn it into a
// value.
struct ReadFailure {
    Problem problem;
    Place place;
};

// Either a tree or the one reason why there is none. `empty`: comments only.
struct ReadTree {
    Tree tree;
    std::optional<TextProblem> failure;
    bool empty = false;
};

ReadFailure too_deep(Place place);
inline constexpr std::string_view too_many_values_code = "GD1006";

// By read_blocks where that suffices, else by yaml-cpp; the two give the same trees (block_reader.h).
ReadTree read_yaml(const Piece& piece);
ReadTree read_any_yaml(const Piece& piece);  // by yaml-cpp alone
ReadTree read_json(const Piece& piece);
// JSON when it looks like it ('{' and a quote, or '['), else YAML.
ReadTree read_tree(const Piece& piece);
bool looks_like_json(std::string_view text);

// The number or word as written in the file, for messages about 1.10 and the like.
std::string raw_scalar(const Piece& piece, Place place);

class TreeBuilder {
  public:
    static constexpr std::size_t depth_max = 64;
    static constexpr std::size_t values_max = 50'000;

    void begin(bool is_map, Place place);
    void end();
    // A member name when a map waits for one, else a value.
    void scalar(nlohmann::json value, const std::string& text, Place place);
    bool expects_key() const { return !open_.empty() && open_.back().is_map && !open_.back().has_key; }
    Tree take() { return std::move(tree_); }

  private:
    struct Open {
        nlohmann::json value;
        Places::Index index;
        bool is_map;
        bool has_key = false;
        std::string key;
        Place key_place;
    };
    Places::Index add_place(Place place);
    void attach(nlohmann::json value);
    std::vector<Open> open_;
    Tree tree_;
};

}  // namespace galleryd::documents
