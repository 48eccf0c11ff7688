#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/core/field_lines.h"
#include "controller/core/time.h"

// What every declared object has in common, and what a source says about its documents.
namespace galleryd {

enum class Kind : std::uint8_t { gallery, image_definition, image_version, lifecycle_policy };
std::string_view to_string(Kind kind);  // "Gallery", "ImageDefinition", …
std::optional<Kind> parse_kind(std::string_view text);

struct ObjectKey {
    Kind kind = Kind::gallery;
    std::string namespace_name;  // "default" when the document names none
    std::string name;
    friend auto operator<=>(const ObjectKey&, const ObjectKey&) = default;
};
std::string to_string(const ObjectKey& key);  // "ImageVersion/images/ubuntu-2404-1.8.0"

struct SourceLocation {
    std::string file;
    int line = 0;    // 1-based; 0 = unknown
    int column = 0;  // 1-based
    friend auto operator<=>(const SourceLocation&, const SourceLocation&) = default;
};

enum class Mode : std::uint8_t { manage, observe, suspend };
enum class Adoption : std::uint8_t { never, adopt, adopt_or_create };
enum class DeletionPolicy : std::uint8_t { orphan, remove };
std::string_view to_string(Mode mode);
std::string_view to_string(Adoption adoption);
std::string_view to_string(DeletionPolicy policy);

using Tags = std::map<std::string, std::string>;

struct Metadata {
    ObjectKey key;
    SourceLocation where;             // first line of the document
    FieldLines field_lines;           // of the top-level fields of spec (may be empty)
    std::string uid;                  // Kubernetes only
    std::int64_t generation = 0;      // Kubernetes: metadata.generation; folder: 1
    std::string digest;               // of the object after defaults: equal digests mean an equal declaration
    std::optional<std::string> hold;  // annotation galleryd.io/hold (its reason)
    std::optional<std::string> deletion_approved;       // annotation galleryd.io/deletion-approved (a plan digest)
    std::optional<std::string> reconcile_requested_at;  // annotation galleryd.io/reconcile-requested-at
};

enum class Severity : std::uint8_t { error, warning };

// One clear message to a person: where, what, why, what to do, code.
struct Diagnostic {
    std::string code;  // "GD1012"
    Severity severity = Severity::error;
    SourceLocation where;
    std::string field;    // "/spec/targetRegions/0/replicas"; "" for the whole document
    std::string message;  // what is wrong and why
    std::string remedy;   // what to write instead
};

enum class DocumentState : std::uint8_t { present, removed, invalid, unreadable };
std::string_view to_string(DocumentState state);

}  // namespace galleryd
