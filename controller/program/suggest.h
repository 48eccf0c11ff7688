#pragma once
#include <optional>
#include <string>
#include <vector>

namespace galleryd {

// The candidate nearest in spelling, when it is near enough to be meant (at most three edits, or a prefix of three
// letters).
std::optional<std::string> nearest(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace galleryd
