#pragma once
#include <string>

#include "controller/core/resource_id.h"

namespace galleryd {

// An image version as people name it to `usage`, `hold`, `release` and `restore`: "golden/ubuntu-2404/1.8.0".
std::string name_for_people(const ResourceId& version);

}  // namespace galleryd
