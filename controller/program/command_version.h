#pragma once
#include <iosfwd>

namespace galleryd {
int run_version(std::ostream& out);
}
