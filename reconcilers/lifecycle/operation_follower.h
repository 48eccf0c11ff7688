#pragma once
#include "controller/core/result.h"
#include "controller/ports/clock.h"
#include "controller/ports/gallery_api.h"
#include "controller/ports/journal.h"
#include "reconcilers/lifecycle/events.h"
#include "reconcilers/lifecycle/resource_memory.h"

namespace galleryd {

// Waits for one long operation: polls by Azure's Retry-After or an own schedule (0.5 s doubling to 30 s), however long
// it takes: a replication is never declared failed by a time-out of ours. A URL that Azure no longer knows ends it: the
// resource tells.
class OperationFollower {
  public:
    OperationFollower(GalleryApi& api, Journal& journal, ResourceMemory& memory, Clock& clock, EventRecorder& events)
        : api_(api), journal_(journal), memory_(memory), clock_(clock), events_(events) {}
    // Ends when Azure says how it ended; the journal no longer holds it then. Fails only when the journal cannot be
    // written.
    Task<OperationStatus> follow(OperationRecord operation);

  private:
    Status finish(const OperationRecord& operation, const OperationStatus& status);

    GalleryApi& api_;
    Journal& journal_;
    ResourceMemory& memory_;
    Clock& clock_;
    EventRecorder& events_;
};

}  // namespace galleryd
