#pragma once
#include <string>
#include <vector>

#include "controller/core/time.h"

namespace galleryd {

// Where a plan comes from: what the plans themselves cannot know. Printed, and kept in a saved plan so that `apply
// FILE` looks at the same sources and the same Azure again.
struct PlanHeader {
    std::string source;                // for people: "./manifests (git main@9f3c1ab, clean)"; "" = the sources, joined
    std::string source_kind = "dir";   // dir | git | kubernetes
    std::string revision;              // "main@sha1:9f3c1ab", or the digest of the content
    std::string path;                  // "./manifests"
    bool dirty = false;                // git: uncommitted changes
    std::vector<std::string> sources;  // the --source flags
    std::string azure = "public";      // the --azure flag
    bool observe = false;              // --observe: the plan is a report
    std::string currency = "USD", price_date;
    std::string next;  // the one suggested command; "" = none
};

}  // namespace galleryd
