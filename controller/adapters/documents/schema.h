#pragma once
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "controller/adapters/documents/cel.h"
#include "controller/core/document.h"

// crds/*.yaml, compiled: types, limits, defaults and rules of each kind.
namespace galleryd::documents {

struct SchemaRule {
    CelRule rule;
    std::string text, message, field_path;  // field_path: JSON pointer relative to the value
};

enum class SchemaType : std::uint8_t { any, object, array, string, integer, number, boolean, integer_or_string };

struct Schema {
    SchemaType type = SchemaType::any;
    std::string description, format, pattern;
    bool nullable = false;
    std::map<std::string, std::unique_ptr<Schema>, std::less<>> properties;
    std::vector<std::string> required;
    std::unique_ptr<Schema> items, additional;
    std::vector<std::string> choices;  // enum
    std::optional<double> minimum, maximum;
    std::optional<std::size_t> length_min, length_max, items_min, items_max, properties_max;
    std::optional<std::regex> regex;
    std::optional<nlohmann::json> default_value;
    bool is_set = false;                 // x-kubernetes-list-type: set
    std::vector<std::string> list_keys;  // x-kubernetes-list-type: map
    std::vector<SchemaRule> rules;
};

// Compiles an OpenAPI v3 structural schema. "" or what is not understood: nothing is skipped silently.
struct CompiledSchema {
    std::unique_ptr<Schema> schema;
    std::string error;
};
CompiledSchema compile_schema(const nlohmann::json& source);

// The embedded schema of a kind (root: apiVersion, kind, metadata, spec, status). Compiled on first use, thread-safe.
const Schema& schema_of(Kind kind);
// The raw CRD document, for `galleryd crds` and tests.
std::string_view crd_text(Kind kind);

}  // namespace galleryd::documents
