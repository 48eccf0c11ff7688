#include "controller/program/engine.h"
#include "reconcilers/gallery/plan.h"
#include "reconcilers/image_definition/plan.h"
#include "reconcilers/image_version/plan.h"

// How the engine asks the planners: what each scope's plan depends on, gathered from documents, journal and the last
// answers.
namespace galleryd {
namespace {

constexpr std::chrono::hours lock_memory{1};

}  // namespace

Policy Engine::policy_for(const Scope& scope) {
    const TimePoint now = clock_.now();
    Policy policy;
    policy.instance = options_.instance;
    policy.observe = options_.observe;
    policy.allow_deletes = options_.allow_deletes;
    policy.prune = options_.prune;
    policy.journal_writable =
        journal_.writable() || !options_.remember_documents;  // `plan` writes nothing: no reason to block
    policy.clock_skew = observer_.clock_skew();
    policy.source = source_health(sources(), scope);
    if (!all_sources_read()) {  // what the others say of this scope is not known yet
        policy.source.complete = false;
        policy.source.problems.push_back(std::to_string(sources().size()) + " of " +
                                         std::to_string(options_.source_count) + " sources have been read");
    }
    if (const auto approvals = journal_.approvals()) {
        for (const auto& [digest, expires] : *approvals) {
            if (expires > now) policy.approvals.insert(digest);
        }
    }
    policy.records = memory_.below(scope.resource_key());
    if (scope.kind == ScopeKind::gallery) {  // the group and the storage account lie beside the gallery, not below it
        const ResourceId group = resource_group_id(scope.gallery_id.subscription(), scope.gallery_id.resource_group());
        for (auto& [key, record] : memory_.below(group.key())) policy.records.emplace(key, record);
    }
    std::erase_if(locked_, [&](const auto& entry) { return entry.second + lock_memory < now; });
    for (const auto& [key, at] : locked_) policy.locked.insert(key);
    for (const RemovedDocument& removed : scope.removed) policy.removed.push_back(declared_.aged(removed));
    policy.deletes_per_hour_max = options_.deletes_per_hour_max;
    const auto deletes = journal_.deletes_since(scope.gallery_id.subscription(), now - std::chrono::hours{1});
    policy.deletes_last_hour = deletes ? *deletes : options_.deletes_per_hour_max;  // unknown counts as used up
    policy.prices = options_.prices;
    policy.zone_offset = options_.zone_offset;
    return policy;
}

GalleryLook Engine::gallery_look(const Scope& scope) const {
    GalleryLook what{.id = scope.gallery_id,
                     .wants_role_assignments = true,
                     .storage_account = std::nullopt,
                     .wants_definition_names = !scope.removed.empty()};
    const auto objects = declared_.objects_of(scope);
    const Gallery* gallery = find_object(objects->galleries, scope.gallery);
    if (gallery != nullptr && gallery->staging_storage) {
        const ResourceId group = resource_group_id(gallery->subscription_id, gallery->resource_group);
        what.storage_account =
            ResourceId(group.text() + "/providers/Microsoft.Storage/storageAccounts/" + gallery->staging_storage->name);
    }
    return what;
}

bool Engine::declares_access(const Scope& definition) const {
    const auto objects = declared_.objects_of(definition);
    const ImageDefinition* found = find_object(objects->definitions, definition.definition);
    return found != nullptr && !found->access.empty();
}

Plan Engine::plan_gallery(const Scope& scope, const GalleryView& view) {
    GalleryScopeInput input;
    const auto objects = declared_.objects_of(scope);
    input.gallery = find_object(objects->galleries, scope.gallery);
    input.view = &view;
    std::vector<std::shared_ptr<const DesiredObjects>> below;
    if (!scope.removed.empty()) below = declared_.definitions_below(scope.gallery_id);
    for (const auto& part : below) {
        for (const auto& [key, definition] : part->definitions) input.definitions.push_back(&definition);
    }
    return plan_gallery_scope(input, policy_for(scope), clock_.now());
}

DefinitionScopeInput Engine::input_of(const Scope& scope, const DesiredObjects& objects,
                                      const DefinitionView& view) const {
    DefinitionScopeInput input;
    input.gallery = find_object(objects.galleries, scope.gallery);
    input.definition = find_object(objects.definitions, scope.definition);
    for (const ObjectKey& key : scope.versions) input.versions.push_back(&objects.versions.at(key));
    input.policy = find_object(objects.policies, scope.policy);
    input.view = &view;
    return input;
}

Policy Engine::policy_for(const Scope& scope, const DefinitionView& view, UsageView seen_by) {
    Policy policy = policy_for(scope);
    UsageDesk& desk = desk_of(scope.gallery_id);
    if (desk.askers.reader != nullptr) policy.usage = desk.book.usage_of_all(view.versions, instant(), seen_by);
    return policy;
}

Plan Engine::plan_definition(const Scope& scope, const DefinitionView& view, UsageView seen_by) {
    const auto objects = declared_.objects_of(scope);
    return plan_definition_scope(input_of(scope, *objects, view), policy_for(scope, view, seen_by), clock_.now());
}

}  // namespace galleryd
