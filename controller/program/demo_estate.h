#pragma once
#include <string>

#include "controller/core/result.h"

namespace galleryd {

// The sample estate of manifests/demo, out of the binary into a folder (0700) where it can be edited; a temporary one
// unless named. Files that are there already are left as they are. A folder that was named is the user's and stays.
struct DemoEstate {
    std::string documents, state_dir, azure_state;
    std::string temporary = {};  // the folder that nobody named; "" none
};
Result<DemoEstate> unpack_demo_estate(const std::string& directory);
void remove_temporary(const DemoEstate& estate);  // after a clean end: what crashed may be looked at

}  // namespace galleryd
