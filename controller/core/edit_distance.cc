#include "controller/core/edit_distance.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace galleryd {

std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
    if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) >= limit) return limit;
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        std::size_t least = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
            least = std::min(least, row[j]);
            diagonal = above;
        }
        if (least >= limit) return limit;  // a row never falls below the one above it
    }
    return std::min(row[b.size()], limit);
}

}  // namespace galleryd
