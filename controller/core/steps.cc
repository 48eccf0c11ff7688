#include "controller/core/steps.h"

#include <algorithm>
#include <array>

namespace galleryd {
namespace {

constexpr std::array<const char*, std::variant_size_v<Step>> step_names{
    "EnsureResourceGroup", "CreateGallery", "UpdateGallery",    "ShareGallery",     "AssignRole",
    "UnassignRole",        "EnsureStorage", "CreateDefinition", "UpdateDefinition", "CreateVersion",
    "UpdateVersion",       "DeleteVersion", "DeleteDefinition", "DeleteGallery"};

}  // namespace

bool is_create(const Step& step) {
    return is<CreateGallery>(step) || is<CreateDefinition>(step) || is<CreateVersion>(step);
}

bool is_delete(const Step& step) {
    return is<DeleteVersion>(step) || is<DeleteDefinition>(step) || is<DeleteGallery>(step);
}

bool takes_away(const Change& change) {
    return change.destructive || std::ranges::any_of(change.fields, [](const FieldChange& field) {
               return field.path == "/safety/allowDeletionOfReplicatedLocations" && field.after == "true" &&
                      field.cause == "region_removal";
           });
}

std::string step_name(const Step& step) { return step_names[step.index()]; }

std::string change_key(const Change& change) { return change.arm_id.key() + " " + step_name(change.step); }

}  // namespace galleryd
