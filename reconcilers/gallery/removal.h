#pragma once
#include "reconcilers/gallery/plan.h"

// A Gallery document that is gone. Orphan (the default): the gallery stays and a notice says so. Delete: only an empty
// gallery that is ours and that no document names any more, through the interlock; a shared one is unshared first,
// because Azure refuses to delete it otherwise.
namespace galleryd {

void plan_gallery_removal(Plan& plan, const GalleryScopeInput& input, const Policy& policy, TimePoint now);

}  // namespace galleryd
