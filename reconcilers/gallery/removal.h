#pragma once
#include "controller/core/observed.h"
#include "controller/core/plan.h"
#include "controller/core/policy.h"

// A Gallery document that is gone. Orphan (the default): the gallery stays and a notice says so. Delete: only an empty gallery that
// is ours, through the interlock; a shared one is unshared first, because Azure refuses to delete it otherwise.
namespace galleryd {

void plan_gallery_removal(Plan& plan, const GalleryView& view, const Policy& policy, TimePoint now);

}  // namespace galleryd
