#include "reconcilers/lifecycle/absence.h"

namespace galleryd {
namespace {

constexpr std::chrono::minutes row_ends_after{3};  // reads so far apart are no row: looks come each 15 s meanwhile

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

}  // namespace galleryd
