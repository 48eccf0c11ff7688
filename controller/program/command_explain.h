#pragma once
#include <iosfwd>
#include <string>

namespace galleryd {

struct ExplainOptions {
    std::string topic;  // "GD1012", or a field path: "imageversion.spec.targetRegions"
};

// `galleryd explain TOPIC`: a code of the error catalogue, or a field of a kind as `kubectl explain` shows it (kinds by
// name, plural or short name, in any case). 0; 64 with the nearest suggestions when there is no such topic.
int run_explain(const ExplainOptions& options, std::ostream& out, std::ostream& err);

}  // namespace galleryd
