#include "controller/program/doctor/needs.h"

#include <algorithm>
#include <tuple>

namespace galleryd::doctor {
namespace {

// Roles of least power by what Microsoft's list of built-in roles says that they hold: Reader */read; Compute Gallery
// Artifacts Publisher Microsoft.Compute/galleries/* but share/action, images/*, virtualMachines/write, disks/write,
// resourceGroups/read, Microsoft.Authorization/*/read; Compute Gallery Sharing Admin galleries/share/action. (Compute
// Gallery Image Reader does not hold galleries/read.)
constexpr const char* reader = "Reader";
constexpr const char* publisher = "Compute Gallery Artifacts Publisher";
constexpr const char* sharing_admin = "Compute Gallery Sharing Admin";
constexpr const char* contributor = "Contributor";
constexpr const char* access_admin = "User Access Administrator";
constexpr const char* storage_contributor = "Storage Account Contributor";
constexpr const char* snapshot_contributor = "Disk Snapshot Contributor";

class Collector {
  public:
    Collector(const DesiredObjects& objects, const NeedOptions& options) : objects_(objects), options_(options) {}
    Needs collect();

  private:
    struct Scope {
        std::string text, why, location;
        bool is_source = false, makes_group = false;
        std::map<std::string, NeededAction> actions;  // by action
        std::size_t users = 0;
    };
    void add_gallery(const Gallery& gallery);
    void add_definition(const ImageDefinition& definition);
    void add_version(const ImageVersion& version);
    void add_source(const ResourceId& source, const char* action, const char* role);
    void add_access(const ResourceId& gallery, const std::vector<RoleAccess>& access, const Governance& governance);
    Scope& gallery_scope(const ResourceId& gallery);
    Scope& group_scope(const Gallery& gallery);
    static void need(Scope& scope, const char* action, const char* role, Need need = Need::required);
    bool writes(const Governance& governance) const { return !options_.observe && governance.mode == Mode::manage; }
    void add_usage(const ImageDefinition& definition);
    Need deleting(const Governance& governance, const std::string& policy) const;
    bool policy_deletes(const std::string& name, const std::string& namespace_name) const;
    SubscriptionNeeds& of(const ResourceId& id) { return needs_.subscriptions[fold_case(id.subscription())]; }

    const DesiredObjects& objects_;
    NeedOptions options_;
    Needs needs_;
    std::map<std::string, Scope> scopes_;  // by folded id
};

void Collector::need(Scope& scope, const char* action, const char* role, Need need) {
    auto [at, is_new] = scope.actions.emplace(action, NeededAction{.action = action, .role = role, .need = need});
    if (!is_new && need == Need::required) at->second.need = need;
}

Collector::Scope& Collector::gallery_scope(const ResourceId& gallery) {
    Scope& scope = scopes_[gallery.key()];
    if (!scope.text.empty()) return scope;
    scope.text = gallery.text();
    scope.why = "gallery " + gallery.name();
    need(scope, "Microsoft.Compute/galleries/read", reader);
    need(scope, "Microsoft.Compute/galleries/images/read", reader);
    need(scope, "Microsoft.Compute/galleries/images/versions/read", reader);
    of(gallery);
    return scope;
}

// Rights beside the gallery, not in it: a role at the gallery alone does not hold them.
Collector::Scope& Collector::group_scope(const Gallery& gallery) {
    const ResourceId group = resource_group_id(gallery.id.subscription(), gallery.id.resource_group());
    Scope& scope = scopes_[group.key()];
    if (scope.text.empty()) {
        scope.text = group.text();
        scope.why = "group of gallery " + gallery.id.name();
        scope.location = gallery.location;
        need(scope, "Microsoft.Resources/subscriptions/resourceGroups/read", reader);
    }
    scope.makes_group |= gallery.ensure_resource_group;
    return scope;
}

bool Collector::policy_deletes(const std::string& name, const std::string& namespace_name) const {
    const auto found = objects_.policies.find({Kind::lifecycle_policy, namespace_name, name});
    return found != objects_.policies.end() && found->second.retention &&
           found->second.retention->action == RetentionAction::remove;
}

Need Collector::deleting(const Governance& governance, const std::string& policy_and_namespace) const {
    const std::size_t slash = policy_and_namespace.find('/');
    const bool by_policy = slash != std::string::npos && policy_deletes(policy_and_namespace.substr(slash + 1),
                                                                        policy_and_namespace.substr(0, slash));
    const bool declared = governance.deletion_policy == DeletionPolicy::remove || by_policy;
    return options_.allow_deletes || declared ? Need::required : Need::only_for_deleting;
}

void Collector::add_access(const ResourceId& gallery, const std::vector<RoleAccess>& access,
                           const Governance& governance) {
    if (access.empty()) return;
    Scope& scope = gallery_scope(gallery);
    need(scope, "Microsoft.Authorization/roleAssignments/read", reader);
    if (!writes(governance)) return;
    need(scope, "Microsoft.Authorization/roleAssignments/write", access_admin);
    need(scope, "Microsoft.Authorization/roleAssignments/delete", access_admin,
         options_.allow_deletes ? Need::required : Need::only_for_deleting);
}

void Collector::add_gallery(const Gallery& gallery) {
    if (gallery.governance.mode == Mode::suspend) return;
    Scope& scope = gallery_scope(gallery.id);
    SubscriptionNeeds& subscription = of(gallery.id);
    ++subscription.regions[gallery.location].galleries;
    Scope& group = group_scope(gallery);
    for (const std::string& region : gallery.allowed_regions) subscription.regions[region];
    add_access(gallery.id, gallery.access, gallery.governance);
    if (!writes(gallery.governance)) return;
    subscription.soft_delete |= gallery.soft_delete_enabled.value_or(false);
    need(scope, "Microsoft.Compute/galleries/write", publisher);
    need(scope, "Microsoft.Compute/galleries/delete", publisher, deleting(gallery.governance, ""));
    if (gallery.ensure_resource_group)
        need(group, "Microsoft.Resources/subscriptions/resourceGroups/write", contributor);
    if (gallery.sharing && gallery.sharing->permissions != SharingPermissions::private_)
        need(scope, "Microsoft.Compute/galleries/share/action", sharing_admin);
    if (gallery.staging_storage) {
        subscription.storage = true;
        need(group, "Microsoft.Storage/storageAccounts/read", reader);
        need(group, "Microsoft.Storage/storageAccounts/write", storage_contributor);
    }
}

void Collector::add_definition(const ImageDefinition& definition) {
    if (definition.governance.mode == Mode::suspend) return;
    Scope& scope = gallery_scope(definition.gallery_id);
    ++of(definition.gallery_id).regions[definition.location].definitions;
    add_access(definition.gallery_id, definition.access, definition.governance);
    if (!writes(definition.governance)) return;
    const std::string policy = definition.meta.key.namespace_name + "/" + definition.lifecycle_policy;
    need(scope, "Microsoft.Compute/galleries/images/write", publisher);
    need(scope, "Microsoft.Compute/galleries/images/delete", publisher, deleting(definition.governance, ""));
    if (definition.lifecycle_policy.empty()) return;
    need(scope, "Microsoft.Compute/galleries/images/versions/write", publisher);  // tiers, marks, end of life
    need(scope, "Microsoft.Compute/galleries/images/versions/delete", publisher,
         deleting(definition.governance, policy));
    add_usage(definition);
}

// Where retention deletes, it first has to know who uses a version (behaviour §5): whoever may not look keeps all.
void Collector::add_usage(const ImageDefinition& definition) {
    const auto policy = objects_.policies.find(
        {Kind::lifecycle_policy, definition.meta.key.namespace_name, definition.lifecycle_policy});
    if (policy == objects_.policies.end() || !policy->second.retention) return;
    const Retention& retention = *policy->second.retention;
    if (retention.action != RetentionAction::remove || retention.in_use != InUseRule::protect) return;
    const std::string subscription = "/subscriptions/" + definition.gallery_id.subscription();
    Scope& scope = scopes_["usage " + fold_case(subscription)];
    scope.text = subscription;
    scope.why = "who uses image versions; unknown use keeps them";
    need(scope, "Microsoft.Compute/virtualMachines/read", reader);
    need(scope, "Microsoft.Compute/virtualMachineScaleSets/read", reader);
}

void Collector::add_source(const ResourceId& source, const char* action, const char* role) {
    if (source.empty() || source.subscription().empty()) return;
    const ResourceId group = resource_group_id(source.subscription(), source.resource_group());
    Scope& scope = scopes_["source " + group.key()];
    scope.text = group.text();
    scope.is_source = true;
    ++scope.users;
    need(scope, action, role);
    of(source);
}

void Collector::add_version(const ImageVersion& version) {
    if (version.governance.mode == Mode::suspend) return;
    const auto gallery = version.definition_id.parent();
    if (!gallery) return;
    Scope& scope = gallery_scope(*gallery);
    SubscriptionNeeds& subscription = of(*gallery);
    ++subscription.regions[version.location].versions;
    int replicas = 0;
    for (const TargetRegion& region : version.target_regions.value_or(std::vector<TargetRegion>{})) {
        subscription.regions[region.name].is_target = true;
        replicas += region.replicas;
    }
    if (replicas > needs_.replicas_most) {
        needs_.replicas_most = replicas;
        needs_.replicas_where = version.id.text();
    }
    if (!writes(version.governance)) return;
    need(scope, "Microsoft.Compute/galleries/images/versions/write", publisher);
    need(scope, "Microsoft.Compute/galleries/images/versions/delete", publisher, deleting(version.governance, ""));
    const ImageSource& source = version.source;  // rights on sources: azure-facts §10 [D]
    if (source.type == SourceType::managed_image) add_source(source.id, "Microsoft.Compute/images/read", reader);
    if (source.type == SourceType::virtual_machine)
        add_source(source.id, "Microsoft.Compute/virtualMachines/write", publisher);
    if (source.type == SourceType::gallery_image_version)
        add_source(source.id, "Microsoft.Compute/galleries/images/versions/read", reader);
    if (source.type != SourceType::os_disk) return;
    const auto add_disk = [this](const ResourceId& id, const ResourceId& account) {
        const std::string type = fold_case(id.type());
        if (type == "microsoft.compute/disks") add_source(id, "Microsoft.Compute/disks/write", publisher);
        if (type == "microsoft.compute/snapshots")
            add_source(id, "Microsoft.Compute/snapshots/write", snapshot_contributor);
        if (!account.empty())
            add_source(account, "Microsoft.Storage/storageAccounts/listKeys/action", storage_contributor);
    };
    add_disk(source.id, source.storage_account);
    for (const DataDiskSource& disk : source.data_disks) add_disk(disk.source, disk.storage_account);
}

Needs Collector::collect() {
    for (const auto& [key, gallery] : objects_.galleries) add_gallery(gallery);
    for (const auto& [key, definition] : objects_.definitions) add_definition(definition);
    for (const auto& [key, version] : objects_.versions) add_version(version);
    for (auto& [key, scope] : scopes_) {
        const ResourceId id(scope.text);
        NeededRights rights{.scope = scope.text,
                            .why = scope.why,
                            .is_source = scope.is_source,
                            .makes_group = scope.makes_group,
                            .location = scope.location,
                            .actions = {}};
        if (scope.is_source)
            rights.why =
                "sources of " + std::to_string(scope.users) + (scope.users == 1 ? " image version" : " image versions");
        for (auto& [name, action] : scope.actions) rights.actions.push_back(action);
        std::ranges::sort(rights.actions, {}, [](const NeededAction& one) {
            return std::tuple(one.need, std::string_view(one.role), std::string_view(one.action));
        });
        of(id).rights.push_back(std::move(rights));
    }
    return std::move(needs_);
}

}  // namespace

Needs find_needs(const DesiredObjects& objects, const NeedOptions& options) {
    return Collector(objects, options).collect();
}

}  // namespace galleryd::doctor
