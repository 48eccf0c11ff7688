#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "controller/core/desired.h"
#include "controller/core/policy.h"

// What is planned together: a gallery with its sharing, access and storage; or one image definition with all its
// versions. Scopes are independent: a broken one never holds up another.
namespace galleryd {

enum class ScopeKind : std::uint8_t { gallery, definition };

struct Scope {
    std::string name;  // "images/golden" or "images/golden/ubuntu-2404": namespace and Azure names
    ScopeKind kind = ScopeKind::gallery;
    std::string namespace_name;
    ResourceId gallery_id, definition_id;  // definition_id only for ScopeKind::definition
    std::optional<ObjectKey> gallery;      // the documents, where there are any
    std::optional<ObjectKey> definition;
    std::vector<ObjectKey> versions;  // declared versions, in key order
    std::optional<ObjectKey> policy;
    std::vector<RemovedDocument> removed;  // documents of this scope that are gone
    const std::string& resource_key() const {
        return kind == ScopeKind::gallery ? gallery_id.key() : definition_id.key();
    }
};

// Every scope that anything declared or lately removed belongs to, by name; ordered, so that passes come out the same
// every time.
std::map<std::string, Scope> index_scopes(const DesiredObjects& objects, const std::vector<RemovedDocument>& removed);

// By a document of its own: its gallery's, its definition's or a version's. A scope that is not, and of which nothing
// is removed, is none.
bool is_declared(const Scope& scope);

// Keys of every document whose validity the scope's deletions depend on (interlock 4): gallery, definition, versions,
// policy.
std::vector<ObjectKey> documents_of(const Scope& scope);

}  // namespace galleryd
