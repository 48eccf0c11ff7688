#pragma once
#include <string>

namespace galleryd {

// $XDG_STATE_HOME/galleryd, else ~/.local/state/galleryd, else /var/lib/galleryd.
std::string default_state_directory();

}  // namespace galleryd
