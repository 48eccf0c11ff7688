#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/simulation/guard_facts.h"
#include "tests/simulation/world.h"

// The guard's verdicts about what takes something away: versions, what holds them, regions, replicas, access.
namespace galleryd {
namespace {

using Json = nlohmann::json;

bool is_completed(const Json& version, const std::string& region) {
    const Json none = Json::object();
    for (const Json& copy : version.at("properties").value("replicationStatus", none).value("summary", Json::array())) {
        if (short_region(copy.value("region", "")) == region && copy.value("state", "") == "Completed") return true;
    }
    return false;
}

}  // namespace

std::vector<ResourceId> Guard::versions_of(const std::string& definition_key) const {
    std::vector<ResourceId> found;
    for (const std::string& id : world_.azure.resource_ids("Microsoft.Compute/galleries/images/versions")) {
        const ResourceId version(id);
        if (version.parent()->key() == definition_key) found.push_back(version);
    }
    return found;
}

// The versions as they are, for a message.
std::string Guard::describe(const std::string& definition) const {
    std::string text;
    for (const ResourceId& id : versions_of(definition)) {
        const Json version = world_.azure_json(id.text());
        text += "\n  " + id.name() + " " + state_of(version) + (is_usable(version) ? " usable" : " not usable") + " " +
                version.value("tags", Json::object()).dump();
    }
    return text;
}

const LifecyclePolicy* Guard::policy_of(const ResourceId& definition) const {
    const auto find = [&](const auto* document) -> const LifecyclePolicy* {
        if (document == nullptr || document->lifecycle_policy.empty()) return nullptr;
        const auto found = declared_.policies.find(
            {Kind::lifecycle_policy, document->meta.key.namespace_name, document->lifecycle_policy});
        return found == declared_.policies.end() ? nullptr : &found->second;
    };
    if (const auto* policy = find(declared_as(declared_.definitions, definition))) return policy;
    return find(declared_as(declared_.galleries, *definition.parent()));
}

const Retention* Guard::retention_of(const ResourceId& definition) const {
    const LifecyclePolicy* policy = policy_of(definition);
    return policy != nullptr && policy->retention ? &*policy->retention : nullptr;
}

void Guard::judge_delete_version(const std::string& id) {
    const Json version = world_.azure_json(id);
    if (version.is_null()) return wrong("I1: DELETE of " + id + ", which is not there");
    if (state_of(version) != "Succeeded" && state_of(version) != "Failed")
        wrong("I1: version in state " + state_of(version) + " deleted: " + id);
    const ResourceId resource(id);
    judge_sight(id);
    judge_modes(resource);
    judge_holds(id, version);
    judge_time(id, version);
    judge_keep_rules(id, version);
    const LifecyclePolicy* policy = policy_of(*resource.parent());
    const Retention* retention = retention_of(*resource.parent());
    if (retention == nullptr || retention->in_use == InUseRule::protect) judge_use(id);

    const std::string owner = tag(version, "galleryd-owner");
    const ImageVersion* declared = declared_as(declared_.versions, resource);
    if (declared == nullptr && !owner.empty()) {  // only a removed document speaks for it
        if (!owner.starts_with(world_.engine_options().instance + "/"))
            return wrong("I6: version of " + owner + " deleted: " + id);
        judge_record(id);
        judge_brakes(id, false);
        for (const auto& [key, entry] : missing_) {
            if (to_string(key) == object_name(owner)) return judge_removed(key, id);
        }
        return wrong("I1: orphan deleted: " + id);
    }
    judge_brakes(id, true);
    if (retention == nullptr || retention->action != RetentionAction::remove)
        return wrong("I1: deleted without a rule: " + id);
    if (declared == nullptr && policy->governs != Governs::all)
        return wrong("I1: undeclared and not governed version deleted: " + id);
    if (declared != nullptr && owner != world_.engine_options().instance + "/" + to_string(declared->meta.key))
        return wrong("I6: not ours: " + id);
    if (declared != nullptr) judge_record(id);
    judge_by_rule(id, version, *retention);
}

void Guard::judge_delete_parent(const std::string& id) {
    const Json resource = world_.azure_json(id);
    if (resource.is_null()) return wrong("I1: DELETE of " + id + ", which is not there");
    judge_sight(id);
    judge_modes(ResourceId(id));
    judge_holds(id, resource);
    const std::string owner = tag(resource, "galleryd-owner");
    if (!owner.starts_with(world_.engine_options().instance + "/"))
        return wrong("I6: resource of '" + owner + "' deleted: " + id);
    judge_record(id);
    for (const auto& [key, entry] : missing_) {
        if (to_string(key) == object_name(owner)) return judge_removed(key, id);
    }
    wrong("I1: declared or unknown resource deleted: " + id);
}

// Access goes with what it was given on: that has to be ours, declared, and without the assignment by now.
void Guard::judge_delete_access(const std::string& id) {
    const Json assignment = world_.azure_json(id);
    if (assignment.is_null()) return;  // somebody else took it away
    const std::size_t end = fold_case(id).find("/providers/microsoft.authorization/");
    const std::string scope = id.substr(0, end);
    const std::string owner = tag(world_.azure_json(scope), "galleryd-owner");
    if (!owner.starts_with(world_.engine_options().instance + "/"))
        return wrong("I6: access to a resource of '" + owner + "' taken away: " + id);
    judge_modes(ResourceId(scope));
    judge_record(scope);
    const auto names = [&](const auto* document) {
        const std::string principal = fold_case(assignment.at("properties").value("principalId", ""));
        return document != nullptr && std::ranges::any_of(document->access, [&](const RoleAccess& access) {
                   return fold_case(access.principal_id) == principal;
               });
    };
    if (names(declared_as(declared_.galleries, ResourceId(scope))) ||
        names(declared_as(declared_.definitions, ResourceId(scope))))
        wrong("I1: declared access taken away: " + id);
}

// Regions and replicas that a PUT takes away.
void Guard::judge_regions(const std::string& id, const Json& before, const Json& after) {
    const std::map<std::string, int> kept = replicas_of(after);
    std::string removed, lowered;
    bool has_copy = false;
    for (const auto& [region, replicas] : replicas_of(before)) {
        const auto found = kept.find(region);
        if (found == kept.end()) {
            removed += " " + region;
            has_copy = has_copy || is_completed(before, region);
        } else if (found->second < replicas) {
            lowered += " " + region;
        }
    }
    if (removed.empty() && lowered.empty()) return;
    ++taken_seen;
    const std::string what = removed.empty() ? "replicas in" + lowered : "regions" + removed;
    if (!world_.engine_options().allow_deletes) wrong("I1: " + what + " taken from " + id + " without --allow-deletes");
    judge_source(id);
    judge_sight(id);
    judge_modes(ResourceId(id));
    if (has_tag(before, "galleryd-hold")) wrong("I1: " + what + " taken from held " + id);
    if (removed.empty()) return;
    const Retention* retention = retention_of(*ResourceId(id).parent());
    if (has_copy && (retention == nullptr || retention->in_use == InUseRule::protect)) judge_use(id);
    if (std::ranges::none_of(kept, [&](const auto& region) { return is_completed(before, region.first); }))
        wrong("I1: the last completed copy of " + id + " taken away (" + removed + ")");
}

}  // namespace galleryd
