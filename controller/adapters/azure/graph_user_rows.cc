#include "controller/adapters/azure/graph_user_rows.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "controller/adapters/azure/json_plain.h"
#include "controller/adapters/azure/json_read.h"
#include "controller/core/region.h"

namespace galleryd::azure {
namespace {

Result<Json> parse_row(std::string_view row) {
    Json parsed = parse_plain_json(row);
    if (parsed.is_object()) return parsed;
    return unreadable("GD3001", "Resource Graph: a row is not whole JSON");
}

Result<ResourceId> id_of(const Json& row) {
    const std::string text = text_member(row, "id");
    const auto id = parse_resource_id(text);
    if (!id)
        return unreadable("GD3005",
                          "Resource Graph: a row has no resource id, it says \"" + printable(text, 200) + "\"");
    return *id;
}

std::optional<UserKind> kind_of(std::string_view folded_type) {
    if (folded_type == "microsoft.compute/virtualmachines") return UserKind::virtual_machine;
    if (folded_type == "microsoft.compute/virtualmachinescalesets") return UserKind::scale_set_model;
    if (folded_type == "microsoft.compute/virtualmachinescalesets/virtualmachines") return UserKind::scale_set_instance;
    if (folded_type == "microsoft.compute/galleries/images/versions") return UserKind::image_version;
    if (folded_type == "microsoft.virtualmachineimages/imagetemplates") return UserKind::image_template;
    return std::nullopt;
}

}  // namespace

Result<ReachRow> read_reach_row(std::string_view text) {
    const auto row = parse_row(text);
    if (!row) return std::unexpected(row.error());
    const auto id = id_of(*row);
    if (!id) return std::unexpected(id.error());
    const Json& sharing = member(*row, "sharing");
    const std::string permissions = fold_case(text_member(sharing, "permissions"));
    ReachRow found;
    found.reach.gallery = *id;
    found.reach.found = true;
    if (permissions == "groups") {
        found.reach.permissions = SharingPermissions::groups;
        found.reach.groups_known = false;
    } else if (permissions == "community") {
        found.reach.permissions = SharingPermissions::community;
    } else if (!permissions.empty() && permissions != "private") {
        return unreadable("GD3005", "Resource Graph: gallery " + id->name() +
                                        " is shared in a way that is not known: \"" + printable(permissions, 80) +
                                        "\"");
    }
    if (const std::string unique = text_member(*row, "unique"); !unique.empty()) found.names.push_back(unique);
    for (const Json& name : member(member(sharing, "communityGalleryInfo"), "publicNames")) {
        if (name.is_string()) found.names.push_back(name.get<std::string>());
    }
    return found;
}

Result<UserRow> read_user_row(std::string_view text, const std::map<std::string, ResourceId>& names) {
    const auto row = parse_row(text);
    if (!row) return std::unexpected(row.error());
    const auto id = id_of(*row);
    if (!id) return std::unexpected(id.error());
    const auto kind = kind_of(fold_case(text_member(*row, "type")));
    const std::string image = text_member(*row, "image");
    const auto reference = parse_image_reference(image, names);
    if (!kind || !reference) {
        return unreadable("GD3005", "Resource Graph: " + printable(id->text(), 200) +
                                        " uses an image in a way that is not understood: \"" + printable(image, 200) +
                                        "\"");
    }
    UserRow found;
    found.id = *id;
    found.users = users_from({.kind = *kind,
                              .id = *id,
                              .region = normalise_region(text_member(*row, "location")),
                              .image = image,
                              .exact = text_member(*row, "exact")},
                             names);
    if (*kind == UserKind::scale_set_model && fold_case(text_member(*row, "orchestration")) != "flexible") {
        found.instances = number_member(*row, "capacity").value_or(1);  // not told: not none
        found.image = reference->definition;
    }
    return found;
}

Result<ScaleSetRow> read_scale_set_row(std::string_view text) {
    const auto row = parse_row(text);
    if (!row) return std::unexpected(row.error());
    auto id = id_of(*row);
    if (!id) return std::unexpected(id.error());
    return ScaleSetRow{.id = std::move(*id), .capacity = number_member(*row, "capacity").value_or(1)};
}

Result<ResourceId> read_id_row(std::string_view text) {
    const auto row = parse_row(text);
    if (!row) return std::unexpected(row.error());
    return id_of(*row);
}

}  // namespace galleryd::azure
