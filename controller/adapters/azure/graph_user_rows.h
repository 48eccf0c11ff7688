#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/core/result.h"
#include "controller/core/usage.h"

// Rows about who uses an image; internal to this folder.
namespace galleryd::azure {

struct ReachRow {
    GalleryReach reach;
    std::vector<std::string> names;  // unique name and public names, as written
};
Result<ReachRow> read_reach_row(std::string_view row);  // columns id, unique, sharing

// A row of image_users_query or image_instances_query.
struct UserRow {
    ResourceId id;
    std::vector<ImageUser> users;     // two when a machine names one version and runs another
    std::optional<int> instances;     // of a uniform scale set: how many it has
    std::optional<ResourceId> image;  // the definition that a scale set's model names
};
// `names`: see parse_image_reference. `transient` GD3001 or GD3005 for a row that cannot be read: a user that is not
// understood must not look like none.
Result<UserRow> read_user_row(std::string_view row, const std::map<std::string, ResourceId>& names);
// A row of uniform_scale_sets_query; a capacity that is not told counts as one: it is not none.
struct ScaleSetRow {
    ResourceId id;
    int capacity = 1;
};
Result<ScaleSetRow> read_scale_set_row(std::string_view row);
Result<ResourceId> read_id_row(std::string_view row);  // column id

}  // namespace galleryd::azure
