#pragma once
#include <iosfwd>
#include <optional>
#include <string>

#include "controller/core/policy.h"
#include "controller/core/resource_id.h"
#include "controller/core/result.h"
#include "controller/core/usage.h"
#include "controller/ports/usage.h"
#include "controller/program/options.h"

namespace galleryd {

struct UsageOptions {
    CommonOptions common;
    std::string version;          // an Azure id, or GALLERY/DEFINITION/VERSION
    std::string output = "text";  // text | wide | json
    std::string fail_on;          // in-use | unknown: exit 3 then
};

// `galleryd usage VERSION`: who uses an image version, as the daemon would ask it. Reads Azure, writes nothing.
int run_usage(const UsageOptions& options, std::ostream& out, std::ostream& err);

// How people name a version: the Azure id, or the names as Azure and `plan` print them
// ("golden/ubuntu-2404/1.8.0", "images/golden/ubuntu-2404/1.8.0").
struct VersionName {
    std::optional<ResourceId> id;
    std::string gallery, definition, version;  // without an id
};
Result<VersionName> parse_version_name(const std::string& text);  // `invalid` with GD5022
// Its id; asked of Resource Graph where only names are given. GD5023: none can be seen; GD5024: several.
Task<ResourceId> find_version(UsageReader& reader, VersionName name);

// What the verb found out; state "unknown" as for the interlock, but by one look.
struct UsageReport {
    ResourceId version;
    bool exists = false;
    bool is_readable = true;  // its subscription; false: that it is not seen says nothing
    TimePoint at{};
    VersionUsers found;
    std::vector<std::string> readable;
    std::map<std::string, std::string> missing;
    UsageState state() const {
        if (!found.users.empty()) return UsageState::in_use;
        return found.doubts.empty() ? UsageState::not_in_use : UsageState::unknown;
    }
};
void print_usage_text(std::ostream& out, const UsageReport& report, bool wide);
void print_usage_json(std::ostream& out, const UsageReport& report);

}  // namespace galleryd
