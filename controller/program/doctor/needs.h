#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "controller/core/desired.h"

// What documents need of Azure: which subscriptions, rights at which scope, providers, features, regions. Pure.
namespace galleryd::doctor {

enum class Need : std::uint8_t {
    required,
    only_for_deleting,  // nothing declared deletes: its absence is a warning
};

struct NeededAction {
    std::string action;  // "Microsoft.Compute/galleries/write"
    std::string role;    // the built-in role of least power that holds it
    Need need = Need::required;
};

// Rights at one scope. Asked for at `scope`; where that does not exist (yet), at the nearest scope above it.
struct NeededRights {
    std::string scope;       // gallery, its group, the resource group of sources, or a subscription
    std::string why;         // "gallery golden", "sources of 12 image versions"
    bool is_source = false;  // a source that is gone is normal for versions made long ago
    // Of a gallery's group: whether it may be made, and where ("" for every other scope).
    bool makes_group = false;
    std::string location;
    std::vector<NeededAction> actions;  // sorted by role, then action
};

struct RegionUse {
    std::size_t galleries = 0, definitions = 0, versions = 0;  // declared at home there
    bool is_target = false;                                    // a version is (or may be) copied there
};

struct SubscriptionNeeds {
    std::map<std::string, RegionUse> regions;  // by short name
    std::vector<NeededRights> rights;          // sorted by scope
    bool storage = false;                      // Microsoft.Storage must be registered
    bool soft_delete = false;                  // a gallery asks for it
};

struct Needs {
    std::map<std::string, SubscriptionNeeds> subscriptions;  // by id, lower case
    int replicas_most = 0;                                   // of all regions of one version
    std::string replicas_where;                              // that version
};

struct NeedOptions {
    bool observe = false;  // --observe: nothing is written
    bool allow_deletes = false;
};

Needs find_needs(const DesiredObjects& objects, const NeedOptions& options);

}  // namespace galleryd::doctor
