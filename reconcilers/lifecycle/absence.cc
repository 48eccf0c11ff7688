#include "reconcilers/lifecycle/absence.h"

namespace galleryd {
namespace {

// A row ends when somebody sees the resource. Looks come each 15 s meanwhile, or when a cycle over all scopes has come
// round, which takes long when many resources vanished at once; this only keeps what nobody asks about any more short.
constexpr std::chrono::hours row_ends_after{6};

}  // namespace

bool AbsenceMemory::note_missing(const std::string& resource_key, std::chrono::nanoseconds now) {
    std::erase_if(missing_, [&](const auto& entry) { return now - entry.second.last > row_ends_after; });
    Missing& missing = missing_[resource_key];
    if (missing.reads == 0 || now - missing.last >= absence_read_interval) {
        ++missing.reads;
        missing.last = now;
    }
    return missing.reads >= absence_reads_min;
}

bool AbsenceMemory::agrees(const std::string& resource_key) const {
    const auto found = missing_.find(resource_key);
    return found != missing_.end() && found->second.reads >= absence_reads_min;
}

}  // namespace galleryd
