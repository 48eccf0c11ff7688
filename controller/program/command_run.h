#pragma once
#include <iosfwd>

#include "controller/program/options.h"

namespace galleryd {

struct DemoOptions {
    std::string http = "127.0.0.1:8080", listen = "127.0.0.1:4480", time_scale = "600", log_format, log_level = "info",
                directory;
};

// The daemon. Prints `galleryd: listening on http://…` (stdout, flushed) when the API answers; ends within 5 s of
// SIGTERM or SIGINT.
int run_daemon(const CommonOptions& options, std::ostream& out, std::ostream& err);
// The daemon beside the built-in Azure, with the sample estate in a folder that may be edited.
int run_demo(const DemoOptions& options, std::ostream& out, std::ostream& err);

}  // namespace galleryd
