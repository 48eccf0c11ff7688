#include "controller/adapters/documents/render.h"

#include <nlohmann/json.hpp>

#include "controller/adapters/documents/canonical.h"
#include "controller/adapters/documents/schema.h"

namespace galleryd {
namespace {

using OrderedJson = nlohmann::ordered_json;
using documents::Schema;

bool needs_quotes(const std::string& text) {
    static const std::set<std::string, std::less<>> words{"null", "true", "false", "yes", "no",
                                                          "on",   "off",  "y",     "n",   "~"};
    if (text.empty() || words.contains(fold_case(text)) || text.back() == ' ') return true;
    const char first = text.front();
    const bool letter = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') || first == '/';
    const bool version =
        first >= '0' && first <= '9' && parse_image_version_number(text).has_value();  // two dots: never a number
    if (!letter && !version) return true;
    return !std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view(" ._-/()+@").find(c) != std::string_view::npos;
    });
}

std::string scalar_text(const OrderedJson& value) {
    if (!value.is_string()) return value.dump();
    const auto& text = value.get_ref<const std::string&>();
    return needs_quotes(text) ? value.dump() : text;  // JSON's escapes are YAML's too
}

std::string key_text(const std::string& key) { return scalar_text(OrderedJson(key)); }

bool is_empty_container(const OrderedJson& value) { return value.is_structured() && value.empty(); }

void emit(const OrderedJson& value, std::size_t indent, std::string& out);

void emit_member(const std::string& key, const OrderedJson& value, std::size_t indent, std::string& out) {
    out += key_text(key) + ":";
    if (is_empty_container(value)) {
        out += value.is_array() ? " []\n" : " {}\n";
    } else if (value.is_structured()) {
        out += "\n";
        emit(value, indent + 2, out);
    } else {
        out += " " + scalar_text(value) + "\n";
    }
}

void emit(const OrderedJson& value, std::size_t indent, std::string& out) {
    const std::string margin(indent, ' ');
    if (value.is_object()) {
        for (const auto& [key, item] : value.items()) {
            out += margin;
            emit_member(key, item, indent, out);
        }
        return;
    }
    for (const OrderedJson& item : value) {
        if (!item.is_structured() || item.empty()) {
            out +=
                margin + "- " + (is_empty_container(item) ? (item.is_array() ? "[]" : "{}") : scalar_text(item)) + "\n";
            continue;
        }
        std::string block;
        emit(item, indent + 2, block);
        block.replace(indent, 2, "- ");
        out += block;
    }
}

// Drops what the schema would fill in again.
void drop_defaults(const Schema& schema, OrderedJson& value) {
    if (value.is_array() && schema.items) {
        for (OrderedJson& item : value) drop_defaults(*schema.items, item);
    }
    if (!value.is_object()) return;
    std::vector<std::string> dropped;
    for (auto& [key, item] : value.items()) {
        const auto found = schema.properties.find(key);
        if (found == schema.properties.end()) continue;
        drop_defaults(*found->second, item);
        const auto& otherwise = found->second->default_value;
        if (otherwise && nlohmann::json(item) == *otherwise) dropped.push_back(key);
    }
    for (const std::string& key : dropped) value.erase(key);
}

// A region's storage type and count say nothing when they are those of the version.
void drop_region_defaults(OrderedJson& spec) {
    if (!spec.contains("targetRegions")) return;
    for (OrderedJson& region : spec["targetRegions"]) {
        for (const char* field : {"storageAccountType", "replicas"}) {
            if (region.contains(field) && region[field] == spec[field]) region.erase(field);
        }
    }
}

OrderedJson readable(const documents::JsonText& document) { return OrderedJson::parse(document.dump()); }

std::string render_document(OrderedJson document, Kind kind, RenderStyle style) {
    if (style == RenderStyle::without_defaults) {
        OrderedJson& spec = document["spec"];
        if (kind == Kind::image_version) drop_region_defaults(spec);
        if (spec.contains("azureName") && spec["azureName"] == document["metadata"]["name"]) spec.erase("azureName");
        drop_defaults(*documents::schema_of(kind).properties.find("spec")->second, spec);
    }
    std::string text;
    emit(document, 0, text);
    return text;
}

template <class T>
void render_map(const std::map<ObjectKey, T>& objects, RenderStyle style, std::string& out) {
    for (const auto& [key, object] : objects)
        out += "---\n" + render_document(readable(documents::canonical(object)), key.kind, style);
}

std::string rank_group(const ImageVersion& version, RankPer per) {
    std::string group = version.definition_id.key();
    if (per != RankPer::definition) group += "/" + std::to_string(version.number.major_number);
    if (per == RankPer::major_minor) group += "." + std::to_string(version.number.minor_number);
    return group;
}

}  // namespace

std::string render_object(const DesiredObjects& objects, const ObjectKey& key, RenderStyle style) {
    const auto document = documents::canonical(objects, key);
    return document ? render_document(readable(*document), key.kind, style) : std::string();
}

std::string render_all(const DesiredObjects& objects, RenderStyle style) {
    std::string out;
    render_map(objects.policies, style, out);
    render_map(objects.galleries, style, out);
    render_map(objects.definitions, style, out);
    render_map(objects.versions, style, out);
    return out;
}

void apply_declared_tiers(DesiredObjects& objects) {
    std::map<std::string, std::vector<ImageVersion*>> groups;
    std::map<std::string, const LifecyclePolicy*> policies;
    for (auto& [key, version] : objects.versions) {
        if (!version.definition) continue;
        const auto definition = objects.definitions.find(*version.definition);
        if (definition == objects.definitions.end() || definition->second.lifecycle_policy.empty()) continue;
        const auto policy =
            objects.policies.find({Kind::lifecycle_policy, key.namespace_name, definition->second.lifecycle_policy});
        if (policy == objects.policies.end() || version.exclude_from_latest) continue;
        const std::string group = rank_group(version, policy->second.per);
        groups[group].push_back(&version);
        policies[group] = &policy->second;
    }
    for (auto& [group, versions] : groups) {
        std::ranges::sort(versions, std::ranges::greater{}, &ImageVersion::number);
        for (std::size_t i = 0; i < versions.size(); ++i) {
            for (const Tier& tier : policies[group]->tiers) {
                if (tier.newest && static_cast<int>(i) + 1 > *tier.newest) continue;
                if (!versions[i]->target_regions) versions[i]->target_regions = tier.target_regions;
                break;
            }
        }
    }
}

}  // namespace galleryd
