#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/core/desired.h"
#include "controller/core/observed.h"
#include "controller/core/resource_id.h"
#include "controller/core/time.h"

// Who uses a version (behaviour §3, azure-facts §9). What an answer shows is a lower bound: rows of subscriptions that
// cannot be read are missing without a word, the index lags, and a version that is shared beyond what we can read has
// users that nobody here sees. So "in use" is certain, "not in use" has conditions, and everything else is unknown,
// which counts as in use.
namespace galleryd {

enum class UserKind : std::uint8_t {
    virtual_machine,     // also an instance of a flexible scale set
    scale_set_model,     // what new instances are made from
    scale_set_instance,  // of a uniform scale set; may run another version than the model names
    image_version,       // made from it
    image_template,      // Azure Image Builder starts from it
};
std::string_view to_string(UserKind kind);           // "virtual machine", "scale set", …
std::string_view kind_key(UserKind kind);            // "virtual_machines", "scale_sets", … for JSON
std::string count_of(std::size_t n, UserKind kind);  // "1 virtual machine", "3 scale sets"

// A resource that refers to an image of a gallery.
struct ImageUser {
    UserKind kind = UserKind::virtual_machine;
    ResourceId id;              // of the user
    std::string region;         // where it runs, short form; "" when unknown
    ResourceId definition;      // its image definition, whichever way it is named
    std::string version;        // the version that it runs or names; "" when it names none
    bool takes_latest = false;  // names the definition alone: takes what `latest` is at that moment
};

// What a resource says of its image, as it says it.
struct MachineImage {
    UserKind kind = UserKind::virtual_machine;
    ResourceId id;
    std::string region, image, exact;  // image: an id in any of Azure's spellings, "" for none; exact: exactVersion
};
std::string name_of(const ImageUser& user);  // "web-1", of an instance "web/0"

// A uniform scale set of which fewer instances are to be seen than it has: the others may run any version of its
// definition.
struct HiddenInstances {
    ResourceId scale_set, definition;
    int wanted = 0, seen = 0;
    // Not one of them is shown, so nothing tells that they run the model's image: a model may have moved to another
    // definition, or to no image of a gallery, and leave its instances behind (upgrade policy Manual). `definition` is
    // empty, every version is in doubt.
    bool anywhere = false;
};

// Who else may use a gallery: what decides whether the users that can be seen are all.
struct GalleryReach {
    ResourceId gallery;
    bool found = false;  // in the index
    SharingPermissions permissions = SharingPermissions::private_;
    bool groups_known = true;                         // false: shared with groups, and nobody told which
    std::vector<std::string> subscriptions, tenants;  // it is shared with; lower case
};

struct UsageAnswer {
    TimePoint at{};                // our clock, before the first request
    std::vector<ImageUser> users;  // sorted by definition, version, kind, id
    std::vector<HiddenInstances> hidden;
    bool instances_known = true;  // false: this cloud refuses the question about instances of uniform scale sets
    std::vector<GalleryReach> galleries;           // those that were asked about, sorted
    std::vector<std::string> readable;             // subscriptions, lower case, sorted
    std::map<std::string, ResourceId> names = {};  // other names of the galleries: unique and public ones, folded
    std::size_t requests = 0;

    const GalleryReach* find_gallery(const ResourceId& gallery) const;
};
void sort_users(std::vector<ImageUser>& users);

// One version's users in an answer, and why "nobody" would not be certain.
struct VersionUsers {
    std::vector<ImageUser> users;      // that name it, or take it as `latest`
    std::vector<std::string> doubts;   // sentences, each with what makes it unknown; "" none
    std::vector<std::string> way_out;  // what a person can do about them, in the same order
};

// `versions`: all of the definition, so that it is known which one `latest` means; a version that may be `latest` in a
// region counts as used by those who take `latest` there. `missing`: subscriptions that could be read before and cannot
// any more.
struct UsageQuestion {
    ResourceId version;
    const std::vector<ObservedVersion>* versions = nullptr;  // nullptr: `latest` is not asked
    std::map<std::string, std::string> missing;              // subscription -> "2026-11-20", when it last could
};
VersionUsers find_users(const UsageAnswer& answer, const UsageQuestion& question);

// Whether `latest` may mean this version in the region: no newer one certainly serves it there.
bool may_be_latest(const ObservedVersion& version, const std::vector<ObservedVersion>& all, const std::string& region);

// "3 virtual machines and 1 scale set in 2 subscriptions: web-1 (virtual machine, group rg-app, subscription …), … and
// 1 more".
std::string users_text(const std::vector<ImageUser>& users);
std::size_t subscriptions_of(const std::vector<ImageUser>& users);

// The definition and version that a reference names, by any of Azure's spellings: the ARM id of a definition, a version
// or "versions/latest"; /SharedGalleries/{unique name}/…; /CommunityGalleries/{public name}/…. `names` gives the
// gallery of a folded unique or public name. nullopt: none of the galleries asked about.
struct ImageReference {
    ResourceId definition;
    std::string version;  // "" for the definition or latest
};
std::optional<ImageReference> parse_image_reference(std::string_view text,
                                                    const std::map<std::string, ResourceId>& names);

// The uses of one resource: two when a machine names one version and runs another, none when its image is of no
// gallery.
std::vector<ImageUser> users_from(const MachineImage& machine, const std::map<std::string, ResourceId>& names);

}  // namespace galleryd
