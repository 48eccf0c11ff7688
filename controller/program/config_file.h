#pragma once
#include <map>
#include <string>
#include <string_view>

#include "controller/core/result.h"

namespace galleryd {

// --config FILE: YAML with the same names as the flags. Its values become GALLERYD_ variables of this process where the
// environment does not set them, so that the precedence is flag > environment > file. GD5020: unreadable, unknown name,
// not a scalar.
Status apply_config_file(int argc, char** argv);

// The variables and their values that a file's text asks for; `path` is for messages.
Result<std::map<std::string, std::string>> read_config(std::string_view text, const std::string& path);

}  // namespace galleryd
