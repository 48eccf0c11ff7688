#include "controller/program/command_crds.h"

#include <filesystem>
#include <fstream>
#include <ostream>

#include "controller/core/assets.h"

namespace galleryd {

int run_crds(const CrdsOptions& options, std::ostream& out, std::ostream& err) {
    std::error_code failure;
    if (!options.directory.empty()) std::filesystem::create_directories(options.directory, failure);
    for (const Asset& asset : assets()) {
        if (!asset.path.starts_with("crds/")) continue;
        if (options.directory.empty()) {
            out << "---\n" << asset.content;
            continue;
        }
        const std::string path = options.directory + "/" + std::string(asset.path.substr(5));
        std::ofstream file(path, std::ios::binary | std::ios::trunc);
        file << asset.content;
        file.close();
        if (!file) {
            err << "galleryd crds: cannot write " << path << ".\n";
            return 1;
        }
        out << path << "\n";
    }
    return 0;
}

}  // namespace galleryd
