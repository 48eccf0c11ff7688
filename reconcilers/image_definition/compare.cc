#include "reconcilers/image_definition/compare.h"

#include <algorithm>
#include <set>
#include <utility>

#include "controller/core/region.h"

namespace galleryd {
namespace {

std::string text_of(const std::optional<PurchasePlan>& plan) {
    return plan ? plan->publisher + "/" + plan->product + "/" + plan->name : "";
}
std::string text_of(const std::optional<TimePoint>& time) { return time ? format_rfc3339(*time) : ""; }

std::string text_of(const std::vector<std::string>& list) {
    std::string text;
    for (const std::string& item : list) text += (text.empty() ? "" : ", ") + item;
    return text;
}

std::set<std::string> folded(const std::vector<std::string>& list) {
    std::set<std::string> all;
    for (const std::string& item : list) all.insert(fold_case(item));
    return all;
}

// Names and values without case; "SecurityType: Standard" means the same as saying nothing (azure-facts §2).
std::map<std::string, std::string> folded(const std::map<std::string, std::string>& features) {
    std::map<std::string, std::string> all;
    for (const auto& [name, value] : features) all[fold_case(name)] = fold_case(value);
    if (const auto security = all.find("securitytype"); security != all.end() && security->second == "standard")
        all.erase(security);
    return all;
}

class Conflicts {
  public:
    Conflicts(const Subject& subject) : subject_(subject) {}
    void add(const char* code, const char* path, const std::string& before, const std::string& after) {
        Conflict conflict = conflict_of(subject_, code, "ImmutableFieldChanged", path);
        std::string field = std::string(path).substr(1);
        std::ranges::replace(field, '/', '.');  // as people write it: identifier.sku
        conflict.before = before;
        conflict.after = after;
        conflict.message =
            field + " " + (before.empty() ? "(none)" : before) + " -> " + after + " cannot change after creation";
        conflict.ways_out = {
            before.empty() ? "take spec." + field + " out of the document" : "set spec." + field + " back to " + before,
            "declare a new ImageDefinition with another azureName and publish the versions there"};
        found_.push_back(std::move(conflict));
    }
    void compare(const char* code, const char* path, const std::string& before, const std::string& after) {
        if (!after.empty() && before != after) add(code, path, before, after);
    }
    void compare_folded(const char* code, const char* path, const std::string& before, const std::string& after) {
        if (!after.empty() && fold_case(before) != fold_case(after)) add(code, path, before, after);
    }
    std::vector<Conflict> take() { return std::move(found_); }

  private:
    const Subject& subject_;
    std::vector<Conflict> found_;
};

FieldChange changed(std::string path, std::string before, std::string after) {
    const FieldOp op = before.empty() ? FieldOp::add : after.empty() ? FieldOp::remove : FieldOp::replace;
    return {.path = std::move(path),
            .op = op,
            .before = std::move(before),
            .after = std::move(after),
            .effect = "",
            .detail = "",
            .cause = "spec"};
}

}  // namespace

std::string text_of(const std::optional<RecommendedRange>& range) {
    if (!range) return "";
    std::string text;
    if (range->min) text = "min " + std::to_string(*range->min);
    if (range->max) text += (text.empty() ? "max " : ", max ") + std::to_string(*range->max);
    return text;
}

std::string text_of(const std::map<std::string, std::string>& features) {
    std::string text;
    for (const auto& [name, value] : features) text += (text.empty() ? "" : ", ") + name + "=" + value;
    return text;
}

std::vector<Conflict> immutable_conflicts(const Subject& subject, const ImageDefinition& wanted,
                                          const ObservedDefinition& live) {
    Conflicts conflicts(subject);
    conflicts.compare_folded("GD2210", "/osType", live.os_type, wanted.os_type);
    conflicts.compare_folded("GD2210", "/osState", live.os_state, wanted.os_state);
    // A body without these two means Azure's defaults (azure-facts §3.2).
    conflicts.compare_folded("GD2211", "/hyperVGeneration",
                             live.hyper_v_generation.empty() ? "V1" : live.hyper_v_generation,
                             wanted.hyper_v_generation);
    conflicts.compare_folded("GD2211", "/architecture", live.architecture.empty() ? "x64" : live.architecture,
                             wanted.architecture);
    conflicts.compare_folded("GD2212", "/identifier/publisher", live.publisher, wanted.publisher);
    conflicts.compare_folded("GD2212", "/identifier/offer", live.offer, wanted.offer);
    conflicts.compare_folded("GD2212", "/identifier/sku", live.sku, wanted.sku);
    conflicts.compare("GD2213", "/eula", live.eula, wanted.eula);
    conflicts.compare("GD2213", "/privacyStatementUri", live.privacy_statement_uri, wanted.privacy_statement_uri);
    if (wanted.purchase_plan && wanted.purchase_plan != live.purchase_plan) {
        conflicts.add("GD2214", "/purchasePlan", text_of(live.purchase_plan), text_of(wanted.purchase_plan));
    }
    if (!wanted.features.empty() && folded(wanted.features) != folded(live.features)) {
        conflicts.add("GD2215", "/features", text_of(live.features), text_of(wanted.features));
    }
    conflicts.compare("GD2216", "/location", normalise_region(live.location), normalise_region(wanted.location));
    return conflicts.take();
}

DefinitionWrite creation_body(const ImageDefinition& wanted) {
    DefinitionWrite body;
    body.location = wanted.location;
    body.publisher = wanted.publisher;
    body.offer = wanted.offer;
    body.sku = wanted.sku;
    body.os_type = wanted.os_type;
    body.os_state = wanted.os_state;
    body.hyper_v_generation = wanted.hyper_v_generation;
    body.architecture = wanted.architecture;
    body.description = wanted.description;
    body.eula = wanted.eula;
    body.privacy_statement_uri = wanted.privacy_statement_uri;
    body.release_note_uri = wanted.release_note_uri;
    body.end_of_life = wanted.end_of_life;
    body.recommended_vcpus = wanted.recommended_vcpus;
    body.recommended_memory_gb = wanted.recommended_memory_gb;
    body.disallowed_disk_types = wanted.disallowed_disk_types;
    body.purchase_plan = wanted.purchase_plan;
    body.features = wanted.features;
    const bool says_security = std::ranges::any_of(
        wanted.features, [](const auto& feature) { return fold_case(feature.first) == "securitytype"; });
    // SecurityType needs generation 2 (azure-facts §3.2), so a V1 body stays without it.
    if (!says_security && fold_case(wanted.hyper_v_generation) == "v2") body.features["SecurityType"] = "Standard";
    return body;
}

DefinitionWrite update_body(const ImageDefinition& wanted, const ObservedDefinition& live) {
    DefinitionWrite body;
    body.location = live.location;
    body.publisher = live.publisher;
    body.offer = live.offer;
    body.sku = live.sku;
    body.os_type = live.os_type;
    body.os_state = live.os_state;
    body.hyper_v_generation = live.hyper_v_generation.empty() ? "V1" : live.hyper_v_generation;
    body.architecture = live.architecture.empty() ? "x64" : live.architecture;
    body.eula = live.eula;
    body.privacy_statement_uri = live.privacy_statement_uri;
    body.purchase_plan = live.purchase_plan;
    body.features = live.features;
    body.description = wanted.description.empty() ? live.description : wanted.description;
    body.release_note_uri = wanted.release_note_uri.empty() ? live.release_note_uri : wanted.release_note_uri;
    body.end_of_life = wanted.end_of_life ? wanted.end_of_life : live.end_of_life;
    body.recommended_vcpus = wanted.recommended_vcpus ? wanted.recommended_vcpus : live.recommended_vcpus;
    body.recommended_memory_gb =
        wanted.recommended_memory_gb ? wanted.recommended_memory_gb : live.recommended_memory_gb;
    body.disallowed_disk_types =
        wanted.disallowed_disk_types.empty() ? live.disallowed_disk_types : wanted.disallowed_disk_types;
    return body;
}

std::vector<FieldChange> mutable_changes(const DefinitionWrite& body, const ObservedDefinition& live) {
    std::vector<FieldChange> fields;
    const auto compare = [&fields](const char* path, std::string before, std::string after) {
        if (before != after) fields.push_back(changed(path, std::move(before), std::move(after)));
    };
    compare("/description", live.description, body.description);
    compare("/releaseNoteUri", live.release_note_uri, body.release_note_uri);
    compare("/endOfLifeDate", text_of(live.end_of_life), text_of(body.end_of_life));
    compare("/recommended/vCPUs", text_of(live.recommended_vcpus), text_of(body.recommended_vcpus));
    compare("/recommended/memoryGB", text_of(live.recommended_memory_gb), text_of(body.recommended_memory_gb));
    if (folded(live.disallowed_disk_types) != folded(body.disallowed_disk_types)) {
        fields.push_back(
            changed("/disallowedDiskTypes", text_of(live.disallowed_disk_types), text_of(body.disallowed_disk_types)));
    }
    return fields;
}

}  // namespace galleryd
