#include <algorithm>
#include <array>

#include "controller/core/region.h"
#include "controller/core/resource_id.h"
#include "controller/simulator/replication.h"
#include "controller/simulator/rules.h"

namespace galleryd::simulator {
namespace {

constexpr std::string_view root = "galleryImage.properties.";

bool is_definition_name(std::string_view name) {
    const auto edge = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    if (name.empty() || name.size() > 80 || !edge(name.front()) || !edge(name.back())) return false;
    return std::ranges::all_of(name, [&edge](char c) { return edge(c) || c == '_' || c == '.' || c == '-'; });
}

std::string at(std::string_view field) { return std::string(root) + std::string(field); }

std::optional<Answer> check_choice(const Json& properties, std::string_view field,
                                   std::initializer_list<std::string_view> allowed, bool required) {
    const Json& value = member(properties, field);
    if (value.is_null()) return required ? std::optional<Answer>(missing_parameter(at(field))) : std::nullopt;
    if (!value.is_string()) return wrong_type(at(field), "String");
    const std::string text = fold_case(value.get<std::string>());
    if (std::ranges::any_of(allowed, [&text](std::string_view one) { return fold_case(one) == text; }))
        return std::nullopt;
    return invalid_parameter(
        "The value '" + value.get<std::string>() + "' of parameter '" + at(field) + "' is invalid.", at(field));
}

std::optional<Answer> check_identifier(const Json& properties) {
    for (const auto& [field, limit] :
         {std::pair<std::string_view, std::size_t>{"publisher", 128}, {"offer", 64}, {"sku", 64}}) {
        const Json& value = member(properties, {"identifier", field});
        const std::string target = at("identifier.") + std::string(field);
        if (value.is_null()) return missing_parameter(target);
        if (!value.is_string()) return wrong_type(target, "String");
        const std::string text = value.get<std::string>();
        const bool fine =
            !text.empty() && text.size() <= limit && text.back() != '.' && std::ranges::all_of(text, [](char c) {
                return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                       c == '_' || c == '.';
            });
        if (!fine) {
            return invalid_parameter("Asset name " + target + " is not valid. It must be between 1 and " +
                                         std::to_string(limit) +
                                         " characters of letters, digits, '-', '_' and '.', and must not end with '.'.",
                                     target);
        }
    }
    return std::nullopt;
}

std::optional<Answer> check_ranges(const Json& properties) {
    for (const std::string_view what : {"vCPUs", "memory"}) {
        const Json& range = member(properties, {"recommended", what});
        const std::string target = at("recommended.") + std::string(what);
        for (const std::string_view end : {"min", "max"}) {
            const Json& value = member(range, end);
            if (!value.is_null() && !value.is_number_integer())
                return wrong_type(target + "." + std::string(end), "Int32");
        }
        const Json& low = member(range, "min");
        const Json& high = member(range, "max");
        if (low.is_number() && high.is_number() && low.get<std::int64_t>() > high.get<std::int64_t>())
            return invalid_parameter("The minimum value of " + target + " must not be greater than the maximum value.",
                                     target);
    }
    return std::nullopt;
}

std::optional<Answer> check_shape(const Call& call, const Json& body) {
    if (!body.is_object())
        return error_answer(400, "InvalidRequestContent",
                            "The request content was invalid and could not be deserialized.");
    if (!is_definition_name(call.path.name())) {
        return invalid_parameter(
            "The entity name 'galleryImageName' is invalid according to its validation rule: "
            "^[^_\\W][\\w-._]{0,79}(?<![-.])$.",
            "galleryImageName");
    }
    if (auto wrong = check_location(body, definition_type, "galleryImage")) return wrong;
    if (auto wrong = check_tags(body, "galleryImage")) return wrong;
    const Json& properties = member(body, "properties");
    if (!properties.is_object()) return missing_parameter("galleryImage.properties");
    if (auto wrong = check_choice(properties, "osType", {"Windows", "Linux"}, true)) return wrong;
    if (auto wrong = check_choice(properties, "osState", {"Generalized", "Specialized"}, true)) return wrong;
    if (auto wrong = check_choice(properties, "hyperVGeneration", {"V1", "V2"}, false)) return wrong;
    if (auto wrong = check_choice(properties, "architecture", {"x64", "Arm64"}, false)) return wrong;
    for (const std::string_view field :
         {"description", "eula", "privacyStatementUri", "releaseNoteUri", "endOfLifeDate"}) {
        const Json& value = member(properties, field);
        if (!value.is_null() && !value.is_string()) return wrong_type(at(field), "String");
    }
    const Json& end_of_life = member(properties, "endOfLifeDate");
    if (end_of_life.is_string() && !parse_rfc3339(end_of_life.get<std::string>()))
        return wrong_type(at("endOfLifeDate"), "DateTimeOffset");
    const Json& features = member(properties, "features");
    if (!features.is_null() && !features.is_array()) return wrong_type(at("features"), "GalleryImageFeature[]");
    for (const Json& feature : features) {
        if (text_of(feature, "name").empty() || !member(feature, "value").is_string())
            return missing_parameter(at("features.name"));
        // "SecurityType needs V2" (azure-facts §3.2); Standard says that there is no such need. The text is unverified.
        const std::string value = fold_case(text_of(feature, "value"));
        if (fold_case(text_of(feature, "name")) == "securitytype" && value != "standard" &&
            text_of(properties, "hyperVGeneration") == "V1")
            return invalid_parameter(
                "The SecurityType '" + text_of(feature, "value") + "' is not supported for hyperVGeneration 'V1'.",
                at("features"));
    }
    if (auto wrong = check_identifier(properties)) return wrong;
    return check_ranges(properties);
}

// ConfidentialVm -> ConfidentialVM, true -> True (azure-facts §3.2).
std::string feature_value(const std::string& value) {
    static constexpr std::array<std::string_view, 8> known{"True",           "False",
                                                           "Standard",       "TrustedLaunchSupported",
                                                           "TrustedLaunch",  "ConfidentialVMSupported",
                                                           "ConfidentialVM", "TrustedLaunchAndConfidentialVmSupported"};
    for (const std::string_view one : known) {
        if (fold_case(one) == fold_case(value)) return std::string(one);
    }
    return value;
}

std::string choice(const Json& properties, std::string_view field, std::initializer_list<std::string_view> spellings) {
    const std::string text = text_of(properties, field);
    for (const std::string_view one : spellings) {
        if (fold_case(one) == fold_case(text)) return std::string(one);
    }
    return text;
}

Json feature_list(const Json& asked, bool new_defaults) {
    Json features = Json::array();
    bool has_security = false;
    for (const Json& feature : asked) {
        Json shown = Json::object();
        copy_member(feature, shown, "startsAtVersion");
        shown["name"] = text_of(feature, "name");
        shown["value"] = feature_value(text_of(feature, "value"));
        has_security = has_security || fold_case(text_of(feature, "name")) == "securitytype";
        features.push_back(std::move(shown));
    }
    if (new_defaults && !has_security)
        features.push_back(Json{{"name", "SecurityType"}, {"value", "TrustedLaunchSupported"}});
    return features;
}

Json definition_body(const Call& call, const Resource* old, const Json& asked) {
    Json body = Json::object();
    const std::string id = old == nullptr ? canonical_id(call.path) : old->id;
    body["name"] = ResourceId(id).name();
    body["id"] = id;
    body["type"] = "Microsoft.Compute/galleries/images";
    body["location"] = normalise_region(text_of(asked, "location"));
    copy_member(asked, body, "tags", true);
    const Json& wanted = member(asked, "properties");
    const Json& stored = old == nullptr ? member(asked, "_") : member(old->body, "properties");
    // From 2025-03-03 on a definition that names no SecurityType gets V2 and TrustedLaunchSupported (azure-facts §2).
    const bool new_defaults =
        old == nullptr && api_at_least(call, "2025-03-03") && choice(wanted, "hyperVGeneration", {"V1"}) != "V1";
    Json properties = Json::object();
    std::string generation = choice(wanted, "hyperVGeneration", {"V1", "V2"});
    if (generation.empty()) generation = text_of(stored, "hyperVGeneration");
    if (generation.empty()) generation = new_defaults ? "V2" : "V1";
    properties["hyperVGeneration"] = generation;
    std::string architecture = choice(wanted, "architecture", {"x64", "Arm64"});
    if (architecture.empty()) architecture = text_of(stored, "architecture");
    properties["architecture"] = architecture.empty() ? "x64" : architecture;
    const Json features = wanted.contains("features") || old == nullptr
                              ? feature_list(member(wanted, "features"), new_defaults)
                              : member(stored, "features");
    if (!is_empty(features)) properties["features"] = features;
    properties["osType"] = choice(wanted, "osType", {"Windows", "Linux"});
    properties["osState"] = choice(wanted, "osState", {"Generalized", "Specialized"});
    Json identifier = Json::object();
    for (const std::string_view field : {"publisher", "offer", "sku"})
        copy_member(member(wanted, "identifier"), identifier, field);
    properties["identifier"] = std::move(identifier);
    for (const std::string_view field :
         {"description", "eula", "privacyStatementUri", "releaseNoteUri", "endOfLifeDate", "recommended", "disallowed",
          "purchasePlan"}) {  // allowUpdateImage is never echoed (recorded)
        copy_member(wanted, properties, field);
    }
    if (properties.contains("endOfLifeDate"))
        properties["endOfLifeDate"] = azure_date(text_of(properties, "endOfLifeDate"));
    if (properties.contains("disallowed") && is_empty(member(properties["disallowed"], "diskTypes")))
        properties.erase("disallowed");
    body["properties"] = std::move(properties);
    return body;
}

std::optional<Answer> check_fixed(const Call& call, const Resource& old, const Json& fresh) {
    if (auto busy = check_busy(old, "Gallery Image")) return busy;
    if (text_of(fresh, "location") != normalise_region(old.location()))
        return location_change(call.path.name(), old.location(), call.path.group, text_of(fresh, "location"));
    const Json& before = member(old.body, "properties");
    const Json& after = member(fresh, "properties");
    for (const std::string_view field :
         {"osType", "osState", "hyperVGeneration", "architecture", "eula", "privacyStatementUri"}) {
        if (member(before, field) != member(after, field)) return property_change_not_allowed(at(field));
    }
    for (const std::string_view field : {"publisher", "offer", "sku"}) {
        if (member(before, {"identifier", field}) != member(after, {"identifier", field}))
            return property_change_not_allowed(at("identifier.") + std::string(field));
    }
    if (member(before, "purchasePlan") != member(after, "purchasePlan"))
        return property_change_not_allowed(at("purchasePlan"));
    // Features may change from 2024-03-03 on with allowUpdateImage and, for each, startsAtVersion (azure-facts §3.2).
    if (member(before, "features") != member(after, "features")) {
        bool may = api_at_least(call, "2024-03-03") && is_true(member(call.body, "properties"), "allowUpdateImage");
        for (const Json& feature : member(after, "features")) {
            const bool kept =
                std::ranges::find(member(before, "features"), feature) != member(before, "features").end();
            may = may && (kept || !text_of(feature, "startsAtVersion").empty());
        }
        if (!may) return property_change_not_allowed(at("features"));
    }
    return std::nullopt;
}

std::optional<Answer> check_triple(const World& world, const Call& call, const Json& fresh) {
    std::optional<Answer> taken;
    const Json& wanted = member(fresh, {"properties", "identifier"});
    const auto same = [&wanted](const Json& other) {
        return std::ranges::all_of(std::array<std::string_view, 3>{"publisher", "offer", "sku"},
                                   [&](std::string_view field) {
                                       return fold_case(text_of(wanted, field)) == fold_case(text_of(other, field));
                                   });
    };
    world.visit_children(version_parent(call.path.key), "images", [&](const Resource& other) {
        if (!same(member(other.body, {"properties", "identifier"}))) return true;
        taken = conflict("Conflict", "Gallery image: " + other.name() + " identified by (publisher:" +
                                         text_of(wanted, "publisher") +  // code unverified
                                         ", offer:" + text_of(wanted, "offer") + ", sku:" + text_of(wanted, "sku") +
                                         ") already exists. Choose a different publisher, offer, sku combination.");
        return false;
    });
    return taken;
}

}  // namespace

Answer put_definition(World& world, const Call& call) {
    if (auto wrong = check_lock(world, call.path, false)) return *wrong;
    const Resource* const gallery = world.find(version_parent(call.path.key));
    if (gallery == nullptr) return parent_not_found(call.path.names.front());
    Resource* const old = world.find(call.path.key);
    if (old == nullptr && call.method() == "PATCH") return resource_not_found(call.path);
    Json asked = call.body;
    if (call.method() == "PATCH") {
        Json merged = old->body;
        if (asked.is_object() && asked.contains("tags")) merged.erase("tags");
        merge_into(merged, asked);
        asked = std::move(merged);
    }
    if (auto wrong = check_shape(call, asked)) return *wrong;
    Resource resource;
    if (old != nullptr) resource = *old;
    resource.key = call.path.key;
    resource.type = definition_type;
    resource.body = definition_body(call, old, asked);
    resource.id = text_of(resource.body, "id");
    const auto end_of_life = parse_rfc3339(text_of(resource.body["properties"], "endOfLifeDate"));
    const bool same_end = old != nullptr && member(old->body, {"properties", "endOfLifeDate"}) ==
                                                member(resource.body, {"properties", "endOfLifeDate"});
    if (end_of_life && !same_end && *end_of_life <= call.now)
        return invalid_parameter("EndOfLifeDate must be set to a future date.", at("endOfLifeDate"));
    if (old != nullptr) {
        if (auto fixed = check_fixed(call, *old, resource.body)) return *fixed;
    } else {
        if (gallery->deleting) return *check_busy(*gallery, "Gallery");
        if (auto taken = check_triple(world, call, resource.body)) return *taken;
        if (auto full = check_quota(world, resource, 1000, "GalleryImage")) return *full;
    }
    resource.set_state(old == nullptr ? "Creating" : "Updating");
    Resource& stored = world.put(std::move(resource));
    const Duration length = world.operation_length(call.method(), stored.id, quick_length(world));
    return accepted(world, call, stored, old == nullptr ? OperationKind::create : OperationKind::update, length);
}

}  // namespace galleryd::simulator
