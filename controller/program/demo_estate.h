#pragma once
#include <string>

#include "controller/core/result.h"

namespace galleryd {

// The sample estate of manifests/demo, out of the binary into a folder (0700) where it can be edited; a temporary one
// unless named. Files that are there already are left as they are. The folder is left behind: it is the user's now.
struct DemoEstate {
    std::string documents, state_dir, azure_state;
};
Result<DemoEstate> unpack_demo_estate(const std::string& directory);

}  // namespace galleryd
