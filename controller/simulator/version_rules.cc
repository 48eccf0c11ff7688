#include "controller/simulator/version_rules.h"

#include "controller/core/region.h"
#include "controller/core/resource_id.h"
#include "controller/simulator/replication.h"

namespace galleryd::simulator {
namespace {

// A PUT without a source, or a PATCH with restore, on a soft-deleted name brings everything back (azure-facts §5).
std::optional<Answer> restore(World& world, const Call& call) {
    const auto found = world.soft_deleted.find(call.path.key);
    if (found == world.soft_deleted.end()) return std::nullopt;
    const Json& storage = member(call.body, {"properties", "storageProfile"});
    const Resource& kept = found->second.resource;
    const std::string source =
        source_id(member(storage, "source")) + source_id(member(storage, {"osDiskImage", "source"}));
    if (!source.empty()) return property_change_not_allowed(version_field("storageProfile.source.id"));  // unverified
    const std::string location = normalise_region(text_of(call.body, "location"));
    if (call.method() == "PUT" && location != normalise_region(kept.location()))
        return location_change(call.path.name(), kept.location(), call.path.group, location);
    Resource resource = kept;
    resource.deleting = false;
    resource.operation.clear();
    if (member(call.body, "tags").is_object()) resource.body["tags"] = member(call.body, "tags");
    resource.set_state("Updating");
    world.soft_deleted.erase(found);
    Resource& stored = world.put(std::move(resource));
    const Duration drawn(static_cast<std::int64_t>(world.random.between(150, 180) * 1e6));
    return accepted(world, call, stored, OperationKind::update,
                    world.operation_length(call.method(), stored.id, drawn));
}

// PATCH was never recorded (azure-facts §16): taken as merge patch, answered with 200. Tags are replaced as a whole.
Json merged_request(const Resource& old, const Json& patch) {
    Json merged = old.body;
    if (patch.is_object() && patch.contains("tags")) merged.erase("tags");
    merge_into(merged, patch);
    return merged;
}

}  // namespace

Answer put_version(World& world, const Call& call) {
    if (auto wrong = check_lock(world, call.path, false)) return *wrong;
    const std::string definition_key = version_parent(call.path.key);
    const Resource* const definition = world.find(definition_key);
    if (world.find(version_parent(definition_key)) == nullptr) return parent_not_found(call.path.names[0]);
    if (definition == nullptr) return parent_not_found(call.path.names[0] + "/" + call.path.names[1]);
    Resource* const old = world.find(call.path.key);
    if (old == nullptr) {
        if (auto answer = restore(world, call)) return std::move(*answer);
    }
    if (old == nullptr && call.method() == "PATCH") return resource_not_found(call.path);
    const Json asked = call.method() == "PATCH" ? merged_request(*old, call.body) : call.body;
    if (old != nullptr && old->deleting) return *check_busy(*old, "Gallery Image Version");
    if (auto wrong = check_version_shape(call, asked, old)) return *wrong;
    if (old == nullptr) {
        if (definition->deleting) return *check_busy(*definition, "Gallery Image");
        if (auto wrong = check_version_source(world, call, asked, *definition)) return *wrong;
    }
    Resource resource;
    if (old != nullptr) resource = *old;
    resource.key = call.path.key;
    resource.type = version_type;
    resource.body = version_body(world, call, old, asked);
    resource.id = text_of(resource.body, "id");
    if (old != nullptr) {
        if (auto fixed = check_version_update(call, *old, resource.body)) return *fixed;
    } else {
        if (auto full = check_quota(world, resource, 10000, "GalleryImageVersion")) return *full;
        resource.arriving = arriving_disks(world, resource.body["properties"]["storageProfile"]);
    }
    const bool creating = old == nullptr;
    const Duration length = plan_copies(world, resource, target_regions(resource.body), creating, call.method());
    resource.set_state(creating ? "Creating" : "Updating");
    Resource& stored = world.put(std::move(resource));
    return accepted(world, call, stored, creating ? OperationKind::create : OperationKind::update, length);
}

}  // namespace galleryd::simulator
