#pragma once
#include <optional>

#include "controller/adapters/documents/tree.h"

namespace galleryd::documents {

// The YAML that people and generators write nine times in ten, read line by line without a tokenizer: block maps and
// lists, one-line plain or quoted scalars without escapes, and one-line {a: b} and [a, b] of plain words. ASCII, no
// tabs, no comments behind values, no empty values, no scalars of several lines. It says nothing about anything else:
// nullopt sends the text, right or wrong, to yaml-cpp, so every message about bad YAML is yaml-cpp's. But for one: a
// document with too many values is told here, because finding that out again would take yaml-cpp a tenth of a second.
//
// Guarantee: a tree from here equals read_any_yaml's, values and places, and what is refused here is refused there
// (block_reader_test.cc compares the two on every sample and on mutations of them). Costs a twentieth of yaml-cpp's
// events (decision 0031).
std::optional<ReadTree> read_blocks(const Piece& piece);

}  // namespace galleryd::documents
