#pragma once
#include <string>
#include <vector>

#include "controller/core/usage.h"
#include "controller/ports/task.h"

// Who uses images of galleries, read in every subscription that this identity can read, whether or not anything is
// declared there. Whole or an error: a page that is missing, a row that cannot be read or a limit that is reached fails
// the call, because an answer with a hole looks like "not in use".
namespace galleryd {

class UsageReader {
  public:
    virtual ~UsageReader() = default;

    // Few requests whatever the number of users: one for the galleries, one for the subscriptions, and for each 300
    // subscriptions and 30 galleries two, plus one for each further 1,000 rows. `galleries` may be empty: nothing is
    // asked then. Of a gallery that is shared with groups `groups_known` is false: the index does not tell which.
    // Errors: as those of Inventory (`throttled`, `denied`, `transient`).
    virtual Task<UsageAnswer> users_of(std::vector<ResourceId> galleries) = 0;

    // Image versions of that name, in every subscription: the ids behind "golden/ubuntu-2404/1.8.0".
    virtual Task<std::vector<ResourceId>> find_versions(std::string gallery, std::string definition,
                                                        std::string version) = 0;
    // The same for an image definition ("golden/ubuntu-2404"): where a version that is not there any more stood.
    virtual Task<std::vector<ResourceId>> find_definitions(std::string gallery, std::string definition) = 0;
};

// Machines and models of scale sets of one subscription, from the provider itself: without the index's lag, at the
// price of whole pages of machines. All of them or an error.
class MachineLists {
  public:
    virtual ~MachineLists() = default;
    virtual Task<std::vector<MachineImage>> list_machines(std::string subscription) = 0;
};

}  // namespace galleryd
