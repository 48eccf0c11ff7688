#include <algorithm>

#include "controller/core/desired_objects.h"
#include "controller/program/declared.h"

// How the objects of all sources are kept, and which of them count.
namespace galleryd {
namespace {

struct Part {
    std::vector<const ImageDefinition*> definitions;  // more than one when a held document has another's id
    std::vector<const ImageVersion*> versions;
};

// By the key of the definition. Pointers: a copy of everything would stand at the peak of what a start needs.
std::map<std::string, Part> parts_of(const DesiredObjects& objects) {
    std::map<std::string, Part> parts;
    for (const auto& [key, definition] : objects.definitions)
        parts[definition.id.key()].definitions.push_back(&definition);
    for (const auto& [key, version] : objects.versions) parts[version.definition_id.key()].versions.push_back(&version);
    return parts;
}

DesiredObjects copy_of(const Part& part) {
    DesiredObjects objects;
    for (const ImageDefinition* definition : part.definitions)
        objects.definitions.emplace(definition->meta.key, *definition);
    for (const ImageVersion* version : part.versions) objects.versions.emplace(version->meta.key, *version);
    return objects;
}

}  // namespace

void Declared::keep(const std::string& source, const DesiredObjects& objects) {
    PackedMap<std::string, DesiredObjects>& kept = parts_[source];
    const std::map<std::string, Part> parts = parts_of(objects);
    kept.erase_keys_if([&parts](const std::string& key) { return !key.empty() && !parts.contains(key); });
    DesiredObjects few;  // of no definition
    few.galleries = objects.galleries;
    few.policies = objects.policies;
    kept.insert_or_assign("", few);
    for (const auto& [key, part] : parts) kept.insert_or_assign(key, copy_of(part));
    at_hand_.reset();
}

DesiredObjects Declared::kept(const std::string& source) const {
    DesiredObjects objects;
    const auto found = parts_.find(source);
    if (found == parts_.end()) return objects;
    for (auto at = found->second.begin(); at != found->second.end(); ++at) merge(objects, at->second);
    return objects;
}

// With these objects of that source: scopes anew. Everything that is declared now.
DesiredObjects Declared::rebuild(const std::string& source, DesiredObjects objects) {
    keep(source, objects);
    refused_.clear();
    refused_galleries_.clear();
    double_claims_.clear();
    if (sources_.size() > 1) {
        std::map<std::string, DesiredObjects> by_source;
        for (const AcceptedSnapshot& each : sources_) {
            if (each.source != source) by_source.emplace(each.source, kept(each.source));
        }
        by_source.emplace(source, std::move(objects));
        objects = {};
        for (const AcceptedSnapshot& each : sources_) merge(objects, by_source.at(each.source));
        refuse_double_claims(by_source, objects);
    }
    shared_ = {.galleries = objects.galleries, .definitions = {}, .versions = {}, .policies = objects.policies};
    std::vector<RemovedDocument> removed;
    for (const AcceptedSnapshot& each : sources_)
        removed.insert(removed.end(), each.removed.begin(), each.removed.end());
    scopes_ = index_scopes(objects, removed);
    return objects;
}

// Not by the name alone: whoever asks may hold a scope from before the documents changed.
bool Declared::AtHand::is_of(const Scope& one) const {
    return scope == one.name && resource_key == one.resource_key() && gallery == one.gallery && policy == one.policy;
}

std::shared_ptr<const DesiredObjects> Declared::objects_of(const Scope& scope) const {
    if (at_hand_ && at_hand_->is_of(scope)) return at_hand_->objects;
    auto objects = std::make_shared<DesiredObjects>();
    for (const AcceptedSnapshot& source : sources_) {
        const auto parts = parts_.find(source.source);
        if (parts == parts_.end() || scope.kind != ScopeKind::definition) continue;
        auto part = parts->second.get(scope.resource_key());
        if (part && sources_.size() == 1) *objects = std::move(*part);
        else if (part) merge(*objects, *part);
    }
    for (const ObjectKey& refused : refused_) erase(*objects, refused);
    const auto add = [](auto& into, const auto& from, const std::optional<ObjectKey>& key) {
        if (const auto* object = find_object(from, key)) into.emplace(*key, *object);
    };
    add(objects->galleries, shared_.galleries, scope.gallery);
    add(objects->policies, shared_.policies, scope.policy);
    at_hand_ = AtHand{.scope = scope.name,
                      .resource_key = scope.resource_key(),
                      .gallery = scope.gallery,
                      .policy = scope.policy,
                      .objects = objects};
    return objects;
}

std::vector<const Gallery*> Declared::gallery_documents() const {
    std::vector<const Gallery*> galleries;
    for (const auto& [key, gallery] : shared_.galleries) galleries.push_back(&gallery);
    for (const Gallery& gallery : refused_galleries_) galleries.push_back(&gallery);
    return galleries;
}

std::vector<std::shared_ptr<const DesiredObjects>> Declared::definitions_below(const ResourceId& gallery) const {
    std::vector<std::shared_ptr<const DesiredObjects>> below;
    for (const auto& [name, scope] : scopes_) {
        if (scope.kind == ScopeKind::definition && scope.gallery_id == gallery) below.push_back(objects_of(scope));
    }
    return below;
}

DesiredObjects Declared::all_objects() const {
    DesiredObjects objects;
    for (const AcceptedSnapshot& source : sources_) merge(objects, kept(source.source));
    for (const ObjectKey& refused : refused_) erase(objects, refused);
    return objects;
}

// Two sources that claim one object, or one Azure resource: neither is written, and nothing is taken away anywhere
// meanwhile, because what the other document says of it is not known to be wrong (behaviour §2; reliability S6).
void Declared::refuse_double_claims(const std::map<std::string, DesiredObjects>& by_source, DesiredObjects& merged) {
    std::map<ObjectKey, int> claims;
    std::map<std::string, std::set<ObjectKey>> claims_by_id;
    const auto count = [&](const auto& objects) {
        for (const auto& [key, object] : objects) {
            ++claims[key];
            claims_by_id[object.id.key()].insert(key);
        }
    };
    for (const auto& [source, objects] : by_source) {
        count(objects.galleries);
        count(objects.definitions);
        count(objects.versions);
        for (const auto& [key, policy] : objects.policies) ++claims[key];
    }
    for (AcceptedSnapshot& source : sources_) source.double_claims.clear();
    for (const auto& [key, number] : claims) {
        if (number > 1) refused_.insert(key);
    }
    for (const auto& [id, keys] : claims_by_id) {
        if (keys.size() > 1) refused_.insert(keys.begin(), keys.end());
    }
    for (const auto& [source, objects] : by_source) {
        for (const auto& [key, gallery] : objects.galleries) {
            if (refused_.contains(key)) refused_galleries_.push_back(gallery);
        }
    }
    for (const ObjectKey& key : refused_) {
        erase(merged, key);
        const std::string problem =
            to_string(key) + " is claimed by two sources; neither is written. Remove it from one of them.";
        double_claims_.push_back(problem);
        for (AcceptedSnapshot& source : sources_) source.double_claims.push_back(problem);
    }
}

}  // namespace galleryd
