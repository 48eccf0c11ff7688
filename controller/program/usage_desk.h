#pragma once
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "controller/ports/usage.h"
#include "controller/runtime/event.h"
#include "reconcilers/lifecycle/usage_book.h"

namespace galleryd {

struct UsageAskers {
    UsageReader* reader = nullptr;  // null: nobody is asked, usage is unknown
    MachineLists* lists = nullptr;  // null: what the index shows has to do
};

// Name of the journal's setting that keeps the memory of what was seen with a credential; "" galleryd's own.
inline std::string usage_setting_of(const std::string& credential) {
    return credential.empty() ? std::string(usage_setting) : std::string(usage_setting) + " " + credential;
}

// Who uses a version, by the eyes of one credential (decisions 0027, 0030): what it can read, and what it has seen.
struct UsageDesk {
    std::string setting;  // the journal's, which keeps the book's memory
    UsageAskers askers = {};
    UsageBook book = {};
    struct MachinesSeen {
        std::chrono::nanoseconds at{0};  // monotonic
        std::vector<MachineImage> machines;
    };
    std::map<std::string, MachinesSeen> machines_seen = {};  // by subscription
    std::optional<std::chrono::nanoseconds> saved_at = {};   // monotonic
    std::set<ResourceId> galleries = {};                     // asked about so far
    std::optional<Event> turn = {};                          // one look at a time; those who wait take its answer
    bool looking = false;
};

}  // namespace galleryd
