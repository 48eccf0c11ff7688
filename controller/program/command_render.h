#pragma once
#include <iosfwd>
#include <string>
#include <vector>

namespace galleryd {

struct RenderOptions {
    std::vector<std::string> paths;
    int threads = 2;
};

// `galleryd render PATH…`: the manifests after defaults and policies as YAML on `out`. 0; 1 invalid (diagnostics on
// `err`, nothing on `out`); 64 wrong usage.
int run_render(const RenderOptions& options, std::ostream& out, std::ostream& err);

}  // namespace galleryd
