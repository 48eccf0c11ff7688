#include "controller/program/command_version.h"

#include <ostream>

#include "controller/adapters/azure/api_versions.h"
#include "controller/program/options.h"

namespace galleryd {

int run_version(std::ostream& out) {
    out << "galleryd " << GALLERYD_VERSION << "\ncompiler " << __VERSION__ << "\n";
    for (const azure::ApiVersion& api : azure::api_versions)
        out << "api-version " << api.resource << " " << api.version << "\n";
    return exit_done;
}

}  // namespace galleryd
