#include <nlohmann/json.hpp>

#include "controller/adapters/azure/arm_client.h"
#include "controller/adapters/azure/json_read.h"

// What a person does to one version: requests that name one thing and carry nothing else.
namespace galleryd::azure {
namespace {

// The tags of a resource are a resource of their own (Microsoft.Resources 2024-07-01, Tags_UpdateAtScope: Merge and
// Delete leave every other tag as it is; 200, or 202 with Location). PATCH of the version itself would replace the
// whole map (azure-facts §16: never recorded), and PUT every region and count.
ResourceId tags_of(const ResourceId& resource) {
    return ResourceId(resource.text() + "/providers/Microsoft.Resources/tags/default");
}

ArmCall tag_call(const ResourceId& tags, const char* operation, const Tags& given, std::string what) {
    const Json body{{"operation", operation}, {"properties", {{"tags", given}}}};
    return {.method = "PATCH",
            .target = tags.text() + api_query(tags_api),
            .body = body.dump(-1, ' ', false, Json::error_handler_t::replace),
            .what = std::move(what),
            .worth = Worth::update};
}

}  // namespace

Task<WriteOutcome> ArmClient::patch(ResourceId id, ArmCall call) {
    const std::string what = call.what;
    const auto answer = co_await send(std::move(id), std::move(call));
    if (!answer) co_return std::unexpected(answer.error());
    if (answer->status < 200 || answer->status > 299) co_return std::unexpected(error_of(what, *answer));
    co_return outcome_of(*answer);
}

Task<WriteOutcome> ArmClient::merge_tags(ResourceId version, Tags tags) {
    const ResourceId scope = tags_of(version);
    ArmCall call = tag_call(scope, "Merge", tags, "put tags on " + version.text());
    co_return co_await patch(scope, std::move(call));
}

Task<WriteOutcome> ArmClient::delete_tags(ResourceId version, Tags tags) {
    const ResourceId scope = tags_of(version);
    ArmCall call = tag_call(scope, "Delete", tags, "take tags off " + version.text());
    co_return co_await patch(scope, std::move(call));
}

// GalleryImageVersions_Update, 2024-03-03: `tags` alone (UpdateResourceDefinition); it needs no right but that of the
// version.
Task<WriteOutcome> ArmClient::replace_tags(ResourceId version, Tags tags) {
    const Json body{{"tags", std::move(tags)}};
    ArmCall call{.method = "PATCH",
                 .target = version.text() + api_query(gallery_api),
                 .body = body.dump(-1, ' ', false, Json::error_handler_t::replace),
                 .what = "write the tags of " + version.text(),
                 .worth = Worth::update};
    co_return co_await patch(std::move(version), std::move(call));
}

// The specification's own example (GalleryImageVersion_Update_RestoreSoftDeleted, 2024-03-03). The recorded PUT does
// the same, but would begin to make a version where nothing is left to restore.
Task<WriteOutcome> ArmClient::restore_version(ResourceId version) {
    ArmCall call{.method = "PATCH",
                 .target = version.text() + api_query(gallery_api),
                 .body = R"({"properties":{"restore":true,"storageProfile":{}}})",
                 .what = "restore image version " + version.text(),
                 .worth = Worth::create};
    co_return co_await patch(std::move(version), std::move(call));
}

}  // namespace galleryd::azure
