#pragma once
#include <cstddef>
#include <string>
#include <vector>

namespace galleryd::fuzz {

struct Shape {
    std::string name, text;
};

enum class ShapeKind : unsigned char { text, yaml, manifest, json };

// Texts of nearly `bytes_max` bytes that cost a careless reader most: brackets, keys, documents, quotes, digits, runs
// of one letter, lists of what is wrong.
std::vector<Shape> hostile_shapes(ShapeKind kind, std::size_t bytes_max);

}  // namespace galleryd::fuzz
