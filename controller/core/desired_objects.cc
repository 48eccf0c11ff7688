#include "controller/core/desired_objects.h"

namespace galleryd {
namespace {

template <class Object>
void merge_kind(std::map<ObjectKey, Object>& into, const std::map<ObjectKey, Object>& from) {
    into.insert(from.begin(), from.end());
}

template <class Object>
void move_kind(std::map<ObjectKey, Object>& into, std::map<ObjectKey, Object>& from, const ObjectKey& key) {
    if (auto node = from.extract(key)) into.insert(std::move(node));
}

}  // namespace

std::size_t count_of(const DesiredObjects& objects) {
    return objects.galleries.size() + objects.definitions.size() + objects.versions.size() + objects.policies.size();
}

bool contains(const DesiredObjects& objects, const ObjectKey& key) {
    return objects.galleries.contains(key) || objects.definitions.contains(key) || objects.versions.contains(key) ||
           objects.policies.contains(key);
}

void erase(DesiredObjects& objects, const ObjectKey& key) {
    objects.galleries.erase(key);
    objects.definitions.erase(key);
    objects.versions.erase(key);
    objects.policies.erase(key);
}

void merge(DesiredObjects& into, const DesiredObjects& from) {
    merge_kind(into.galleries, from.galleries);
    merge_kind(into.definitions, from.definitions);
    merge_kind(into.versions, from.versions);
    merge_kind(into.policies, from.policies);
}

void move_object(DesiredObjects& into, DesiredObjects& from, const ObjectKey& key) {
    move_kind(into.galleries, from.galleries, key);
    move_kind(into.definitions, from.definitions, key);
    move_kind(into.versions, from.versions, key);
    move_kind(into.policies, from.policies, key);
}

}  // namespace galleryd
