#pragma once
#include <iosfwd>

#include "controller/program/options.h"

namespace galleryd {

// Read verbs against a running daemon: `get KIND`, `events`, `wait KIND/NAME --for=ready|replicated=REGION|deleted`.
int run_get(const ClientOptions& options, std::ostream& out, std::ostream& err);
int run_events(const ClientOptions& options, std::ostream& out, std::ostream& err);
int run_wait(const ClientOptions& options, std::ostream& out, std::ostream& err);

}  // namespace galleryd
