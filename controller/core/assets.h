#pragma once
#include <span>
#include <string_view>

// Files that are part of the binary (the CRDs, the demo estate, price lists): path as in the repository, content as on
// disk.
namespace galleryd {

struct Asset {
    std::string_view path;
    std::string_view content;
};

// Implemented by the generated assets library; sorted as CMake lists them, lives for the whole run.
std::span<const Asset> assets();

}  // namespace galleryd
