#pragma once
#include <string>

#include "controller/core/result.h"

namespace galleryd {

// The text of an estate for the simulator (contract §2, `galleryd simulate --state`). A key that the simulator does not
// know would be ignored in silence, and what the file was meant to show would not be tested: GD5028 names the nearest
// one. GD5014 when the file cannot be read. What stands below the keys is the simulator's to judge.
Result<std::string> read_estate(const std::string& path);

Status check_estate_keys(const std::string& path, const std::string& text);

}  // namespace galleryd
