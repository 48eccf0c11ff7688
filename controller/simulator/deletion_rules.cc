#include <algorithm>

#include "controller/core/resource_id.h"
#include "controller/simulator/replication.h"
#include "controller/simulator/rules.h"

namespace galleryd::simulator {
namespace {

// "galleries/g/images/d": what the provider lists in its answer.
std::string relative_id(const std::string& id) {
    const std::size_t at = fold_case(id).find("/microsoft.compute/");
    return at == std::string::npos ? id : id.substr(at + 19);
}

std::optional<Answer> check_children(const World& world, const Resource& resource) {
    std::vector<std::string> nested;
    if (resource.type != version_type) {
        for (const std::string_view segment : {"images", "versions", "applications"}) {
            world.visit_children(resource.key, segment, [&nested](const Resource& child) {
                nested.push_back(relative_id(child.id));
                return nested.size() < 5;
            });
        }
    }
    // The check lags: a child that is gone for every reader is still counted for up to 20 s (azure-facts §5).
    for (const std::string& gone : world.gone_children(resource.key)) {
        if (nested.size() < 5) nested.push_back(relative_id(gone));
    }
    if (nested.empty()) return std::nullopt;
    return nested_resources_exist(nested);
}

std::optional<Answer> check_end_of_life(const Resource& version, TimePoint now) {
    const Json& properties = member(version.body, "properties");
    if (!is_true(member(properties, "safetyProfile"), "blockDeletionBeforeEndOfLife")) return std::nullopt;
    const auto end = parse_rfc3339(text_of(member(properties, "publishingProfile"), "endOfLifeDate"));
    if (!end || *end <= now) return std::nullopt;
    // 409 is the likely status, unverified (azure-facts §5).
    return conflict("DeleteGalleryImageVersionBlockedBeforeEndOfLife",
                    "Deletion of Gallery image version is not allowed because the image is enabled for "
                    "blockDeletionBeforeEndOfLife and the "
                    "end of life date '" +
                        text_of(member(properties, "publishingProfile"), "endOfLifeDate") + "' has not passed.");
}

}  // namespace

Answer delete_gallery_resource(World& world, const Call& call) {
    Resource* const resource = world.find(call.path.key);
    const auto deleted = world.soft_deleted.find(call.path.key);
    if (resource == nullptr && deleted != world.soft_deleted.end()) {
        // A second deletion is permanent when the policy is off by now, or with bypassSoftDelete (azure-facts §5).
        const Resource* const gallery = world.find(version_parent(version_parent(call.path.key)));
        const bool on = gallery != nullptr &&
                        is_true(member(gallery->body, {"properties", "softDeletePolicy"}), "isSoftDeleteEnabled");
        if (on && fold_case(call.path.get("bypasssoftdelete")) != "true") return no_content();
        Resource& back = world.put(deleted->second.resource);
        world.soft_deleted.erase(deleted);
        back.deleting = true;
        back.set_state("Deleting");
        Answer answer = accepted(world, call, back, OperationKind::remove,
                                 world.operation_length("DELETE", back.id, removal_length(world)));
        world.find_operation(answer.operation)->bypass_soft_delete = true;
        return answer;
    }
    if (resource == nullptr) return no_content();  // declared, never recorded (azure-facts §5)
    if (auto locked = check_lock(world, call.path, true)) return *locked;
    if (auto nested = check_children(world, *resource)) return *nested;
    if (resource->type == version_type) {
        if (auto blocked = check_end_of_life(*resource, call.now)) return *blocked;
    }
    // A deletion ends whatever was running (unverified for galleries; other Compute resources answer so).
    world.preempt(*resource);
    world.note_update(*resource);
    resource->previous = resource->body;
    resource->changed_at = world.now;
    resource->deleting = true;
    resource->set_state("Deleting");
    const Duration drawn = resource->type == version_type ? removal_length(world) : quick_length(world);
    const bool bypass = fold_case(call.path.get("bypasssoftdelete")) == "true" && api_at_least(call, "2026-03-03");
    Answer answer =
        accepted(world, call, *resource, OperationKind::remove, world.operation_length("DELETE", resource->id, drawn));
    if (bypass) world.find_operation(answer.operation)->bypass_soft_delete = true;
    return answer;
}

}  // namespace galleryd::simulator
