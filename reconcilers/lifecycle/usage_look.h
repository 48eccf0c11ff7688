#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "controller/core/usage.h"
#include "controller/ports/gallery_api.h"
#include "controller/ports/task.h"
#include "controller/ports/usage.h"

namespace galleryd {

// Who uses images of these galleries, and with whom they are shared: the index does not tell the groups, so a gallery
// that is shared with some is read itself. Whole or an error. The reader and the API must outlive the call.
Task<UsageAnswer> look_at_users(UsageReader& reader, GalleryApi& api, std::vector<ResourceId> galleries);

// Adds to an answer the users that the provider itself shows, without the index's lag: in the gallery's own
// subscription and where the answer shows users of it (at most 50). What cannot be listed is told of, not an error:
// subscriptions, each with why.
Task<std::map<std::string, std::string>> add_listed_users(MachineLists& lists, UsageAnswer& answer, ResourceId gallery);

// The subscriptions that are listed for a gallery; lower case.
std::set<std::string> subscriptions_to_list(const UsageAnswer& answer, const ResourceId& gallery);

}  // namespace galleryd
