#pragma once
#include <iosfwd>
#include <string>

namespace galleryd {

struct CrdsOptions {
    std::string directory;  // "": print all to `out`
};

// `galleryd crds [--dir DIR]`: the CustomResourceDefinitions that this binary validates with. 0; 1 when a file cannot
// be written.
int run_crds(const CrdsOptions& options, std::ostream& out, std::ostream& err);

}  // namespace galleryd
