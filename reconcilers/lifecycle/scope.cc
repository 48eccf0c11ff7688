#include "reconcilers/lifecycle/scope.h"

namespace galleryd {
namespace {

std::string gallery_scope_name(const std::string& namespace_name, const ResourceId& gallery) {
    return namespace_name + "/" + gallery.name();
}

class Index {
  public:
    explicit Index(const DesiredObjects& objects) : objects_(objects) {
        for (const auto& [key, gallery] : objects.galleries) gallery_documents_.emplace(gallery.id.key(), key);
        for (const auto& [key, definition] : objects.definitions)
            definition_documents_.emplace(definition.id.key(), key);
    }

    // Galleries of one name in two subscriptions are two scopes: the second is told apart by its subscription.
    std::string free_name(const std::string& wanted, const ResourceId& id) {
        const auto taken = scopes_.find(wanted);
        return taken == scopes_.end() || taken->second.resource_key() == id.key() ? wanted
                                                                                  : wanted + "@" + id.subscription();
    }

    Scope& gallery_scope(const std::string& namespace_name, const ResourceId& id) {
        const std::string name = free_name(gallery_scope_name(namespace_name, id), id);
        Scope& scope = scopes_[name];
        if (!scope.name.empty()) return scope;
        scope.name = name;
        scope.kind = ScopeKind::gallery;
        scope.namespace_name = namespace_name;
        scope.gallery_id = id;
        if (const auto found = gallery_documents_.find(id.key()); found != gallery_documents_.end())
            scope.gallery = found->second;
        return scope;
    }

    Scope& definition_scope(const std::string& namespace_name, const ResourceId& id) {
        const ResourceId gallery = id.parent().value_or(ResourceId{});
        const std::string name = free_name(gallery_scope_name(namespace_name, gallery) + "/" + id.name(), id);
        Scope& scope = scopes_[name];
        if (!scope.name.empty()) return scope;
        scope.name = name;
        scope.kind = ScopeKind::definition;
        scope.namespace_name = namespace_name;
        scope.gallery_id = gallery;
        scope.definition_id = id;
        if (const auto found = gallery_documents_.find(gallery.key()); found != gallery_documents_.end())
            scope.gallery = found->second;
        const auto definition = definition_documents_.find(id.key());
        if (definition == definition_documents_.end()) return scope;
        scope.definition = definition->second;
        const std::string& policy = objects_.definitions.at(definition->second).lifecycle_policy;
        const ObjectKey policy_key{Kind::lifecycle_policy, definition->second.namespace_name, policy};
        if (!policy.empty() && objects_.policies.contains(policy_key)) scope.policy = policy_key;
        return scope;
    }

    void add_removed(const RemovedDocument& document) {
        const std::string& space = document.key.namespace_name;
        switch (document.key.kind) {
            case Kind::gallery: gallery_scope(space, document.id).removed.push_back(document); return;
            case Kind::image_definition: definition_scope(space, document.id).removed.push_back(document); return;
            case Kind::image_version:
                if (const auto definition = document.id.parent())
                    definition_scope(space, *definition).removed.push_back(document);
                return;
            case Kind::lifecycle_policy: return;
        }
    }

    std::map<std::string, Scope> take() { return std::move(scopes_); }

  private:
    const DesiredObjects& objects_;
    std::map<std::string, ObjectKey> gallery_documents_, definition_documents_;
    std::map<std::string, Scope> scopes_;
};

}  // namespace

std::map<std::string, Scope> index_scopes(const DesiredObjects& objects, const std::vector<RemovedDocument>& removed) {
    Index index(objects);
    for (const auto& [key, gallery] : objects.galleries) index.gallery_scope(key.namespace_name, gallery.id);
    for (const auto& [key, definition] : objects.definitions) index.definition_scope(key.namespace_name, definition.id);
    for (const auto& [key, version] : objects.versions) {
        const std::string& space = version.definition ? version.definition->namespace_name : key.namespace_name;
        index.definition_scope(space, version.definition_id).versions.push_back(key);
    }
    for (const RemovedDocument& document : removed) index.add_removed(document);
    return index.take();
}

bool is_declared(const Scope& scope) {
    const auto& own = scope.kind == ScopeKind::gallery ? scope.gallery : scope.definition;
    return (own && own->namespace_name == scope.namespace_name) || !scope.versions.empty();
}

std::vector<ObjectKey> documents_of(const Scope& scope) {
    std::vector<ObjectKey> keys = scope.versions;
    for (const auto& key : {scope.gallery, scope.definition, scope.policy}) {
        if (key) keys.push_back(*key);
    }
    return keys;
}

}  // namespace galleryd
