#pragma once
#include <string>
#include <string_view>

#include "controller/adapters/documents/places.h"

// YAML files that are no manifests (price lists), read with the same guards: size, encoding, depth, no aliases, no
// duplicate keys.
namespace galleryd::documents {

struct PlainYaml {
    std::string json;     // the one document as JSON text; "" when there is a problem
    Places places;        // where its values stand
    std::string problem;  // one sentence; "" = none
    int line = 0;         // of the problem; 0 = the whole file
};

// Exactly one document is expected; empty ones (comments only) do not count.
PlainYaml read_plain_yaml(std::string_view text);

}  // namespace galleryd::documents
