#pragma once
#include <vector>

#include "controller/core/desired.h"
#include "controller/core/observed.h"
#include "controller/core/plan.h"
#include "controller/core/policy.h"

// The difference between a Gallery document and Azure: resource group, gallery, sharing, staging storage, access. Pure:
// no clock, no I/O; the same inputs give the same plan, byte for byte.
namespace galleryd {

struct GalleryScopeInput {
    const Gallery* gallery = nullptr;                 // nullptr: the document is gone (Policy::removed says which)
    const GalleryView* view = nullptr;                // never nullptr
    std::vector<const ImageDefinition*> definitions;  // declared below it
};

// Guarantees: no change from an incomplete view, while the gallery has an operation in flight, or when it is not ours;
// nothing is ever deleted and made again; a declaration that is silent about a field leaves that field as it is;
// destructive changes (sharing taken back, access taken away, deletion) come last and only after the interlock let them
// pass.
Plan plan_gallery_scope(const GalleryScopeInput& input, const Policy& policy, TimePoint now);

}  // namespace galleryd
