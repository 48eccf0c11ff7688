#include "controller/core/document.h"

#include "controller/core/desired.h"

namespace galleryd {

std::string_view to_string(Kind kind) {
    switch (kind) {
        case Kind::gallery: return "Gallery";
        case Kind::image_definition: return "ImageDefinition";
        case Kind::image_version: return "ImageVersion";
        case Kind::lifecycle_policy: return "LifecyclePolicy";
    }
    return "";
}

std::optional<Kind> parse_kind(std::string_view text) {
    for (const Kind kind : {Kind::gallery, Kind::image_definition, Kind::image_version, Kind::lifecycle_policy}) {
        if (text == to_string(kind)) return kind;
    }
    return std::nullopt;
}

std::string to_string(const ObjectKey& key) {
    return std::string(to_string(key.kind)) + "/" + key.namespace_name + "/" + key.name;
}

std::string_view to_string(Mode mode) {
    switch (mode) {
        case Mode::manage: return "Manage";
        case Mode::observe: return "Observe";
        case Mode::suspend: return "Suspend";
    }
    return "";
}

std::string_view to_string(Adoption adoption) {
    switch (adoption) {
        case Adoption::never: return "Never";
        case Adoption::adopt: return "Adopt";
        case Adoption::adopt_or_create: return "AdoptOrCreate";
    }
    return "";
}

std::string_view to_string(DeletionPolicy policy) { return policy == DeletionPolicy::remove ? "Delete" : "Orphan"; }

std::string_view to_string(DocumentState state) {
    switch (state) {
        case DocumentState::present: return "present";
        case DocumentState::removed: return "removed";
        case DocumentState::invalid: return "invalid";
        case DocumentState::unreadable: return "unreadable";
    }
    return "";
}

std::string_view to_string(SharingPermissions permissions) {
    switch (permissions) {
        case SharingPermissions::private_: return "Private";
        case SharingPermissions::groups: return "Groups";
        case SharingPermissions::community: return "Community";
    }
    return "";
}

std::vector<Diagnostic> Snapshot::problems() const {
    std::vector<Diagnostic> all;
    for (const DocumentRecord& document : documents)
        all.insert(all.end(), document.problems.begin(), document.problems.end());
    return all;
}

}  // namespace galleryd
