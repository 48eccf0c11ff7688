#include "reconcilers/lifecycle/absence.h"

#include <algorithm>

namespace galleryd {
namespace {

// A row ends when somebody sees the resource. Looks come each 15 s meanwhile, or when a cycle over all scopes has come
// round, which takes long when many resources vanished at once; this only keeps what nobody asks about any more short.
constexpr std::chrono::hours row_ends_after{6};

}  // namespace

bool needs_agreement(const ResourceRecord& record) { return record.written_at && !record.deleted_at; }

std::string absence_text() {
    return "Azure answers 404 where it stood before; it is made anew once " + std::to_string(absence_reads_min) +
           " reads in a row, " + std::to_string(absence_read_interval.count()) +
           " s apart, agree, so that a lagging replica cannot make galleryd write twice";
}

bool AbsenceMemory::note_missing(const std::string& resource_key, std::chrono::nanoseconds now) {
    std::erase_if(missing_, [&](const auto& entry) { return now - entry.second.last > row_ends_after; });
    Missing& missing = missing_[resource_key];
    if (missing.reads == 0 || now - missing.last >= absence_read_interval) {
        ++missing.reads;
        missing.last = now;
    }
    return missing.reads >= absence_reads_min;
}

int AbsenceMemory::reads_left(const std::string& resource_key) const {
    const auto found = missing_.find(resource_key);
    return found == missing_.end() ? absence_reads_min : std::max(0, absence_reads_min - found->second.reads);
}

bool AbsenceMemory::agrees(const std::string& resource_key) const {
    const auto found = missing_.find(resource_key);
    return found != missing_.end() && found->second.reads >= absence_reads_min;
}

}  // namespace galleryd
