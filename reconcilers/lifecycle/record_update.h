#pragma once
#include "controller/core/plan.h"
#include "controller/core/policy.h"

// What a write that Azure accepted means for our memory of the version: how often a failed region was retried and when
// again, how often it was removed and added again, and whether it was us who excluded the version from latest. Pure;
// the executor calls it before it stores the record. The planner reads what this writes
// (reconcilers/image_version/region_repair.h, ranks.h).
namespace galleryd {

// After a DELETE that Azure accepted, reads may find the resource for minutes (reliability Z5).
inline constexpr std::chrono::minutes deletion_settles{15};

void note_accepted(ResourceRecord& record, const Change& change, TimePoint now);

// The same for a write of which nobody knows whether it happened: what it may have added is remembered, what it may
// have taken away is not forgotten.
void note_possible(ResourceRecord& record, const Change& change);

// A strong read found it. Forgets a deletion that did not happen, or that somebody undid, when the resource is at rest
// long after it; where Azure had carried it out, the tombstone goes as well. True when there was something to forget.
bool note_sighted(ResourceRecord& record, const ObservedBase& seen);

// The same, and forgets the retries of every region that is Completed now, so that the next failure starts from the
// beginning.
bool note_healed(ResourceRecord& record, const ObservedVersion& version);

// Pause before the next attempt on a failed region: 15 minutes, doubled by each retry, at most 6 hours.
std::chrono::seconds region_retry_pause(int retries);

}  // namespace galleryd
