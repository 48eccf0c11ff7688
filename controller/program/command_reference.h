#pragma once
#include <iosfwd>
#include <string>

namespace galleryd {
// Writes errors.md and metrics.md of docs/reference from the tables in the code; `make verify` compares.
int run_reference(const std::string& directory, std::ostream& err);
}
