#pragma once
#include <vector>

#include "controller/core/usage.h"
#include "controller/ports/gallery_api.h"
#include "controller/ports/task.h"
#include "controller/ports/usage.h"

namespace galleryd {

// Who uses images of these galleries, and with whom they are shared: the index does not tell the groups, so a gallery
// that is shared with some is read itself. Whole or an error. The reader and the API must outlive the call.
Task<UsageAnswer> look_at_users(UsageReader& reader, GalleryApi& api, std::vector<ResourceId> galleries);

}  // namespace galleryd
