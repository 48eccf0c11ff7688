#include "controller/adapters/azure/resource_graph_check.h"

#include <algorithm>

#include "controller/adapters/azure/json_read.h"

namespace galleryd::azure {
namespace {

std::unexpected<Error> not_whole(const std::string& why) { return unreadable("GD3003", "Resource Graph: " + why); }

}  // namespace

Status PageCheck::accept(const GraphPage& page) {
    if (page.truncated && page.skip_token.empty()) return not_whole("the result was cut off");
    if (page.count != page.rows.size()) {
        return not_whole("a page says " + std::to_string(page.count) + " rows and has " +
                         std::to_string(page.rows.size()));
    }
    if (page.rows.empty() && !page.skip_token.empty()) return not_whole("a page without rows is not the last one");
    if (!page.skip_token.empty() && !tokens_.insert(page.skip_token).second)
        return not_whole("the result runs in a circle: the token of a page came twice");
    if (!first_total_) first_total_ = page.total;
    least_total_ = std::min(least_total_.value_or(page.total), page.total);
    return {};
}

Status PageCheck::note_rows(const std::vector<std::uint64_t>& ids) {
    std::uint64_t page = ids.size();
    for (const std::uint64_t id : ids) page = (page ^ id) * 0x100000001b3ULL;
    if (!ids.empty() && !pages_.insert(page).second) return not_whole("a page came twice");
    ids_.insert(ids_.end(), ids.begin(), ids.end());
    return {};
}

std::size_t PageCheck::duplicates() const {
    std::vector<std::uint64_t> sorted = ids_;
    std::ranges::sort(sorted);
    return static_cast<std::size_t>(std::ranges::unique(sorted).size());
}

Status PageCheck::finish() const {
    if (!first_total_) return {};
    if (*least_total_ < *first_total_)
        return not_whole("resources went away while the pages were read, so one may have slipped through between two");
    const std::size_t different = ids_.size() - duplicates();
    if (different >= *least_total_) return {};
    return not_whole(std::to_string(*least_total_) + " rows were announced and " + std::to_string(different) +
                     " different ones came");
}

}  // namespace galleryd::azure
