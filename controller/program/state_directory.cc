#include "controller/program/state_directory.h"

#include <cstdlib>

namespace galleryd {

std::string default_state_directory() {
    if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state != '\0')
        return std::string(state) + "/galleryd";
    if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
        return std::string(home) + "/.local/state/galleryd";
    return "/var/lib/galleryd";
}

}  // namespace galleryd
