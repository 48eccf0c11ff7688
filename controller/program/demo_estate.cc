#include "controller/program/demo_estate.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "controller/core/assets.h"

namespace galleryd {

Result<DemoEstate> unpack_demo_estate(const std::string& directory) {
    std::error_code code;
    std::filesystem::path root(directory);
    if (directory.empty()) {
        std::string pattern = (std::filesystem::temp_directory_path(code) / "galleryd-demo-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr)
            return fail(ErrorKind::invalid, "DemoFolder",
                        "no temporary folder for the demo could be made; name one with --dir");
        root = pattern;
    }
    const DemoEstate estate{.documents = (root / "manifests").string(),
                            .state_dir = (root / "state").string(),
                            .azure_state = (root / "azure.json").string(),
                            .temporary = directory.empty() ? root.string() : ""};
    std::filesystem::create_directories(estate.documents, code);
    std::filesystem::create_directories(estate.state_dir, code);
    for (const Asset& asset : assets()) {
        if (!asset.path.starts_with("manifests/demo/")) continue;
        const std::filesystem::path name = std::filesystem::path(asset.path).filename();
        const std::filesystem::path target = name == "azure.json" ? std::filesystem::path(estate.azure_state)
                                                                  : std::filesystem::path(estate.documents) / name;
        if (std::filesystem::exists(target, code)) continue;
        std::ofstream file(target, std::ios::binary);
        file << asset.content;
        if (!file.flush())
            return fail(ErrorKind::invalid, "DemoFolder",
                        target.string() + " cannot be written; name another folder with --dir");
    }
    return estate;
}

void remove_temporary(const DemoEstate& estate) {
    std::error_code ignored;  // what cannot be removed is left to whoever cleans the temporary folder
    if (!estate.temporary.empty()) std::filesystem::remove_all(estate.temporary, ignored);
}

}  // namespace galleryd
