#pragma once
#include <iosfwd>
#include <string>

#include "controller/program/options.h"

namespace galleryd {

struct DoctorOptions {
    CommonOptions common;
    std::string output = "text";  // text | json
};

// Checks what stands between here and a working daemon, and names the exact repair for each failure; writes nothing
// anywhere. Exit 0 when nothing failed (warnings are fine), 1 when something did, 64 for a wrong use, 130 interrupted.
int run_doctor(const DoctorOptions& options, std::ostream& out, std::ostream& err);

}  // namespace galleryd
