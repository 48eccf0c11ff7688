#include "controller/program/suggest.h"

#include <algorithm>

#include "controller/core/edit_distance.h"

namespace galleryd {

std::optional<std::string> nearest(const std::string& word, const std::vector<std::string>& candidates) {
    std::optional<std::string> best;
    std::size_t best_distance = std::min<std::size_t>(4, word.size());
    for (const std::string& candidate : candidates) {
        const bool is_prefix = word.size() >= 3 && candidate.starts_with(word);
        const std::size_t distance = is_prefix ? 0 : edit_distance(word, candidate, best_distance);
        if (distance >= best_distance) continue;
        best = candidate;
        best_distance = distance;
    }
    return best;
}

}  // namespace galleryd
