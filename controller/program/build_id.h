#pragma once
#include <string>

namespace galleryd {

// What the linker calls this very program (NT_GNU_BUILD_ID, a digest of its content, in hex); "" when it has no name.
// Two builds have the same name only when they are the same.
std::string build_id();

}  // namespace galleryd
