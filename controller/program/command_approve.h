#pragma once
#include <iosfwd>
#include <string>

namespace galleryd {

struct ApproveOptions {
    std::string digest, state_dir, valid_for = "24h";
};

// Writes a person's approval into the state directory, also while a daemon holds it: the daemon reads it at its next
// pass. An approval names one digest exactly and expires.
int run_approve(const ApproveOptions& options, std::ostream& out, std::ostream& err);

}  // namespace galleryd
