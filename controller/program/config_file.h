#pragma once
#include "controller/core/result.h"

namespace galleryd {

// --config FILE: YAML with the same names as the flags. Its values become GALLERYD_ variables of this process where the
// environment does not set them, so that the precedence is flag > environment > file. GD5020: unreadable, unknown name,
// not a scalar.
Status apply_config_file(int argc, char** argv);

}  // namespace galleryd
