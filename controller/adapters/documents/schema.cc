#include "controller/adapters/documents/schema.h"

#include "controller/adapters/documents/tree.h"
#include "controller/core/assets.h"
#include "controller/core/check.h"

namespace galleryd::documents {
namespace {

using nlohmann::json;

struct SchemaError {
    std::string text;
};

std::unique_ptr<Schema> compile_node(const json& source, const std::string& path);

SchemaType type_of(const json& source, const std::string& path) {
    if (source.value("x-kubernetes-int-or-string", false)) return SchemaType::integer_or_string;
    static const std::map<std::string, SchemaType, std::less<>> types{
        {"object", SchemaType::object},   {"array", SchemaType::array},   {"string", SchemaType::string},
        {"integer", SchemaType::integer}, {"number", SchemaType::number}, {"boolean", SchemaType::boolean}};
    const auto found = types.find(source.value("type", ""));
    if (found == types.end()) throw SchemaError{path + ": type is missing or unknown"};
    return found->second;
}

std::string pointer_of(const std::string& field_path) {  // ".a.b" -> "/a/b"
    std::string pointer = field_path;
    std::ranges::replace(pointer, '.', '/');
    return pointer;
}

void compile_rules(Schema& schema, const json& rules, const std::string& path) {
    for (const json& rule : rules) {
        for (const auto& [key, unused] : rule.items()) {
            if (key != "rule" && key != "message" && key != "reason" && key != "fieldPath")
                throw SchemaError{path + ": rule with unknown " + key};
        }
        const std::string text = rule.at("rule").get<std::string>();
        CelRule::Compiled compiled = CelRule::compile(text);
        if (!compiled.rule) throw SchemaError{path + ": rule `" + text + "`: " + compiled.error};
        schema.rules.push_back({std::move(*compiled.rule), text, rule.at("message").get<std::string>(),
                                pointer_of(rule.value("fieldPath", ""))});
    }
}

void compile_limits(Schema& schema, const json& source) {
    const auto size = [&source](const char* name) -> std::optional<std::size_t> {
        return source.contains(name) ? std::optional(source[name].get<std::size_t>()) : std::nullopt;
    };
    if (source.contains("minimum")) schema.minimum = source["minimum"].get<double>();
    if (source.contains("maximum")) schema.maximum = source["maximum"].get<double>();
    schema.length_min = size("minLength");
    schema.length_max = size("maxLength");
    schema.items_min = size("minItems");
    schema.items_max = size("maxItems");
    schema.properties_max = size("maxProperties");
    for (const json& choice : source.value("enum", json::array())) schema.choices.push_back(choice.get<std::string>());
    for (const json& name : source.value("required", json::array())) schema.required.push_back(name.get<std::string>());
    for (const json& name : source.value("x-kubernetes-list-map-keys", json::array()))
        schema.list_keys.push_back(name.get<std::string>());
    schema.is_set = source.value("x-kubernetes-list-type", "") == "set";
    schema.pattern = source.value("pattern", "");
    if (!schema.pattern.empty()) schema.regex.emplace(schema.pattern, std::regex::ECMAScript | std::regex::optimize);
    if (source.contains("default")) schema.default_value = source["default"];
}

void check_words(const json& source, const std::string& path) {
    static constexpr std::array known{"type",
                                      "description",
                                      "format",
                                      "nullable",
                                      "properties",
                                      "required",
                                      "items",
                                      "additionalProperties",
                                      "enum",
                                      "minimum",
                                      "maximum",
                                      "minLength",
                                      "maxLength",
                                      "minItems",
                                      "maxItems",
                                      "maxProperties",
                                      "pattern",
                                      "default",
                                      "x-kubernetes-list-type",
                                      "x-kubernetes-list-map-keys",
                                      "x-kubernetes-int-or-string",
                                      "x-kubernetes-validations"};
    for (const auto& [key, unused] : source.items()) {
        if (std::ranges::find(known, key) == known.end()) throw SchemaError{path + ": unknown word " + key};
    }
}

std::unique_ptr<Schema> compile_node(const json& source, const std::string& path) {
    check_words(source, path);
    auto schema = std::make_unique<Schema>();
    schema->type = type_of(source, path);
    schema->description = source.value("description", "");
    schema->format = source.value("format", "");
    schema->nullable = source.value("nullable", false);
    compile_limits(*schema, source);
    for (const auto& [name, child] : source.value("properties", json::object()).items())
        schema->properties.emplace(name, compile_node(child, path + "/" + name));
    if (source.contains("items")) schema->items = compile_node(source["items"], path + "/[]");
    if (source.contains("additionalProperties"))
        schema->additional = compile_node(source["additionalProperties"], path + "/*");
    compile_rules(*schema, source.value("x-kubernetes-validations", json::array()), path);
    return schema;
}

const char* asset_path(Kind kind) {
    switch (kind) {
        case Kind::gallery: return "crds/galleries.yaml";
        case Kind::image_definition: return "crds/imagedefinitions.yaml";
        case Kind::image_version: return "crds/imageversions.yaml";
        case Kind::lifecycle_policy: break;
    }
    return "crds/lifecyclepolicies.yaml";
}

std::unique_ptr<Schema> load(Kind kind) {
    const ReadTree read = read_yaml({crd_text(kind), 1});
    GALLERYD_CHECK(!read.failure, "an embedded CRD is not YAML");
    CompiledSchema compiled =
        compile_schema(read.tree.value.at("spec").at("versions").at(0).at("schema").at("openAPIV3Schema"));
    GALLERYD_CHECK(compiled.schema != nullptr, compiled.error.c_str());
    return std::move(compiled.schema);
}

}  // namespace

CompiledSchema compile_schema(const json& source) {
    try {
        return {compile_node(source, ""), ""};
    } catch (const SchemaError& error) {
        return {nullptr, error.text};
    } catch (const json::exception& error) {
        return {nullptr, error.what()};
    } catch (const std::regex_error& error) {
        return {nullptr, std::string("bad pattern: ") + error.what()};
    }
}

std::string_view crd_text(Kind kind) {
    for (const Asset& asset : assets()) {
        if (asset.path == asset_path(kind)) return asset.content;
    }
    GALLERYD_CHECK(false, "a CRD is not embedded");
}

const Schema& schema_of(Kind kind) {
    static const std::array<std::unique_ptr<Schema>, 4> schemas{
        load(Kind::gallery), load(Kind::image_definition), load(Kind::image_version), load(Kind::lifecycle_policy)};
    return *schemas[static_cast<std::size_t>(kind)];
}

}  // namespace galleryd::documents
