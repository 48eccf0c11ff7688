#include "controller/program/command_explain.h"

#include <ostream>

#include "controller/adapters/documents/problem.h"
#include "controller/adapters/documents/schema.h"
#include "controller/core/error_catalogue.h"
#include "controller/core/resource_id.h"
#include "controller/program/azure_errors_text.h"

namespace galleryd {
namespace {

using documents::Schema;
using documents::SchemaType;

struct KindNames {
    Kind kind;
    std::vector<std::string> names;
};
const std::vector<KindNames>& kind_names() {
    static const std::vector<KindNames> all{
        {Kind::gallery, {"gallery", "galleries", "gal"}},
        {Kind::image_definition, {"imagedefinition", "imagedefinitions", "imgdef"}},
        {Kind::image_version, {"imageversion", "imageversions", "imgver"}},
        {Kind::lifecycle_policy, {"lifecyclepolicy", "lifecyclepolicies", "lcpol"}}};
    return all;
}

std::optional<Kind> find_kind(const std::string& name) {
    for (const KindNames& entry : kind_names()) {
        if (std::ranges::find(entry.names, fold_case(name)) != entry.names.end()) return entry.kind;
    }
    return std::nullopt;
}

std::string type_text(const Schema& schema) {
    switch (schema.type) {
        case SchemaType::object: return schema.additional ? "map[string]" + type_text(*schema.additional) : "Object";
        case SchemaType::array: return "[]" + (schema.items ? type_text(*schema.items) : "Object");
        case SchemaType::string: return schema.choices.empty() ? "string" : "enum";
        case SchemaType::integer: return "integer";
        case SchemaType::number: return "number";
        case SchemaType::boolean: return "boolean";
        case SchemaType::integer_or_string: return "integer or string";
        case SchemaType::any: break;
    }
    return "any";
}

const Schema& without_lists(const Schema& schema) {
    if (schema.items) return without_lists(*schema.items);
    return schema.additional ? without_lists(*schema.additional) : schema;
}

std::string number_text(double number) {
    nlohmann::json value = number;
    if (number == static_cast<double>(static_cast<std::int64_t>(number))) value = static_cast<std::int64_t>(number);
    return value.dump();
}

void print_limits(const Schema& schema, std::ostream& out) {
    const auto line = [&out](const char* name, const std::string& value) {
        out << "  " << name << ": " << value << "\n";
    };
    out << "\nLIMITS:\n";
    if (schema.default_value) line("default", schema.default_value->dump());
    if (!schema.choices.empty()) line("one of", documents::listed(schema.choices, "or"));
    if (schema.minimum) line("minimum", number_text(*schema.minimum));
    if (schema.maximum) line("maximum", number_text(*schema.maximum));
    if (schema.length_max) line("longest text", std::to_string(*schema.length_max));
    if (schema.items_max) line("most items", std::to_string(*schema.items_max));
    if (schema.properties_max) line("most entries", std::to_string(*schema.properties_max));
    if (!schema.list_keys.empty()) line("items are told apart by", documents::listed(schema.list_keys, "and"));
    if (!schema.pattern.empty()) line("form", schema.pattern);
}

bool has_limits(const Schema& schema) {
    return schema.default_value || !schema.choices.empty() || schema.minimum || schema.maximum || schema.length_max ||
           schema.items_max || schema.properties_max || !schema.pattern.empty();
}

void print_field(const std::string& path, Kind kind, const Schema& schema, bool required, std::ostream& out) {
    out << "KIND:     " << to_string(kind) << "\nVERSION:  galleryd.io/v1alpha1\n\nFIELD: " << path << " <"
        << type_text(schema) << ">" << (required ? " -required-" : "") << "\n\nDESCRIPTION:\n  " << schema.description
        << "\n";
    if (has_limits(schema)) print_limits(schema, out);
    const Schema& inner = without_lists(schema);
    if (!schema.rules.empty() || (&inner != &schema && !inner.rules.empty())) {
        out << "\nRULES:\n";
        for (const auto& rule : schema.rules) out << "  - " << rule.message << "\n";
        if (&inner != &schema) {
            for (const auto& rule : inner.rules) out << "  - " << rule.message << "\n";
        }
    }
    if (inner.properties.empty()) return;
    out << "\nFIELDS:\n";
    for (const auto& [name, child] : inner.properties) {
        const bool needed = std::ranges::find(inner.required, name) != inner.required.end();
        out << "  " << name << " <" << type_text(*child) << ">" << (needed ? " -required-" : "") << "\n";
        if (!child->description.empty()) out << "    " << child->description << "\n";
    }
}

std::vector<std::string> segments_of(const std::string& path) {
    std::vector<std::string> segments(1);
    for (const char c : path) {
        if (c == '.') {
            segments.emplace_back();
        } else {
            segments.back() += c;
        }
    }
    return segments;
}

int unknown(const std::string& what, const std::string& suggestion, std::ostream& err) {
    err << "galleryd explain: " << what << " (GD1095)."
        << (suggestion.empty() ? "" : " Did you mean " + suggestion + "?") << "\n";
    return 64;
}

int explain_field(const std::string& topic, std::ostream& out, std::ostream& err) {
    const std::vector<std::string> segments = segments_of(topic);
    const auto kind = find_kind(segments.front());
    if (!kind) {
        std::vector<std::string> names;
        for (const KindNames& entry : kind_names()) names.insert(names.end(), entry.names.begin(), entry.names.end());
        const std::vector<std::string> codes = azure_code_names();
        names.insert(names.end(), codes.begin(), codes.end());
        const std::string meant = documents::nearest(segments.front(), names);
        return unknown("there is no kind and no error code of Azure \"" + segments.front() + "\"",
                       meant.empty() ? "gallery, imagedefinition, imageversion or lifecyclepolicy" : meant, err);
    }
    const Schema* schema = &documents::schema_of(*kind);
    std::string path = fold_case(to_string(*kind));
    bool required = false;
    for (std::size_t i = 1; i < segments.size(); ++i) {
        const Schema& inner = without_lists(*schema);
        const auto found = std::ranges::find_if(inner.properties, [&](const auto& property) {
            return fold_case(property.first) == fold_case(segments[i]);
        });
        if (found == inner.properties.end()) {
            std::vector<std::string> names;
            for (const auto& [name, child] : inner.properties) names.push_back(name);
            const std::string meant = documents::nearest(segments[i], names);
            return unknown("there is no field \"" + segments[i] + "\" in " + path,
                           meant.empty() ? documents::listed(names, "or") : path + "." + meant, err);
        }
        required = std::ranges::find(inner.required, found->first) != inner.required.end();
        schema = found->second.get();
        path += "." + found->first;
    }
    print_field(path, *kind, *schema, required, out);
    return 0;
}

bool looks_like_code(const std::string& topic) {
    return topic.size() > 2 && fold_case(topic).starts_with("gd") &&
           topic.find_first_not_of("0123456789", 2) == std::string::npos;
}

}  // namespace

int run_explain(const ExplainOptions& options, std::ostream& out, std::ostream& err) {
    if (options.topic.empty())
        return unknown(
            "give a code (GD1012), one of Azure's (PropertyChangeNotAllowed, AADSTS7000215), or a field path "
            "(imageversion.spec.targetRegions)",
            "", err);
    if (!looks_like_code(options.topic)) {
        const std::string azure = explain_azure_code(options.topic);
        const bool is_kind = find_kind(options.topic).has_value();
        const std::string unlisted = azure.empty() && !is_kind ? explain_unlisted_azure_code(options.topic) : "";
        if (azure.empty() && unlisted.empty()) return explain_field(options.topic, out, err);
        out << azure << unlisted;
        return 0;
    }
    const CatalogueEntry* entry = find_error(options.topic);
    if (entry == nullptr) {
        std::vector<std::string> codes;
        for (const CatalogueEntry* known : all_errors()) codes.emplace_back(known->code);
        return unknown("there is no code " + options.topic, documents::nearest(options.topic, codes), err);
    }
    out << explain_entry(options.topic);
    return 0;
}

}  // namespace galleryd
