#pragma once
#include "controller/adapters/documents/cross_checks.h"

// Template bodies of CrossChecker, for its two source files.
namespace galleryd::documents {

template <class T>
const T* CrossChecker::find(const ObjectKey& key) const {
    const auto found = by_key_.find(key);
    return found == by_key_.end() ? nullptr : std::get_if<T>(&found->second->object);
}

template <class T>
const T* CrossChecker::resolve(ParsedDocument& document, const ObjectKey& target, const char* pointer) {
    const auto found = by_key_.find(target);
    if (found == by_key_.end()) {
        std::vector<std::string> names;
        for (const auto& [key, unused] : by_key_) {
            if (suggestions_left_ <= 0)
                break;  // looking for the nearest of thousands, thousands of times, would take minutes
            if (key.kind == target.kind && key.namespace_name == target.namespace_name) names.push_back(key.name);
        }
        --suggestions_left_;
        const std::string meant = nearest(target.name, names);
        const std::string what =
            std::string(to_string(target.kind)) + " \"" + target.name + "\" in the namespace " + target.namespace_name;
        if (!unread_.empty()) {
            add(document, "GD1032", pointer, "no document that can be understood is the " + what,
                "Correct " + unread_ + " first: it cannot be understood, and may declare it.");
            return nullptr;
        }
        add(document, "GD1032", pointer, "there is no " + what,
            meant.empty() ? "Add its document, or correct the name." : "Did you mean " + meant + "?");
        return nullptr;
    }
    if (const T* object = std::get_if<T>(&found->second->object)) return object;
    add(document, "GD1033", pointer, "it depends on an invalid document: " + place_of(*found->second),
        "Correct that document first; its own messages say how.");
    return nullptr;
}

}  // namespace galleryd::documents
