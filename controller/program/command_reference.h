#pragma once
#include <iosfwd>
#include <string>

namespace galleryd {
// Writes errors.md, fields.md and metrics.md of docs/reference from the tables and CRDs in the binary; `make verify`
// compares.
int run_reference(const std::string& directory, std::ostream& err);
}  // namespace galleryd
