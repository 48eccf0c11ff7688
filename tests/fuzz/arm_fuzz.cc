#include <nlohmann/json.hpp>

#include "controller/adapters/azure/decode.h"
#include "controller/adapters/azure/decode_checkup.h"
#include "controller/adapters/azure/encode.h"
#include "controller/core/archive.h"
#include "controller/core/fingerprint.h"
#include "tests/fuzz/target.h"

// Bodies of Azure Resource Manager, each read as everything that it might be. Never half a resource: either all that
// decides (an id of the right type) or an error that says nothing about the resource.
namespace galleryd::fuzz {
namespace {

using namespace galleryd::azure;

const DecodeContext context{.read_at = *parse_rfc3339("2026-11-21T04:10:12Z"), .server_date = std::nullopt};
const TimePoint believable = *parse_rfc3339("2000-01-01T00:00:00Z");

template <class T>
void check_failure(const Result<T>& decoded) {
    if (decoded) return;
    require_clear(decoded.error());
    require(decoded.error().kind == ErrorKind::transient, "a bad answer is no statement about the resource");
    require(decoded.error().code.starts_with("GD300"), "a bad answer has its code");
}

// One body, read alone, as a row of a list, from its kept text, and through the archive: always the same.
template <class Observed, class Decode, class DecodePage>
void check_resource(const std::string& json, std::string_view type, Decode decode, DecodePage decode_page) {
    const Result<Observed> one = decode(json, context);
    const auto page = decode_page("{\"value\":[" + json + "]}", context);
    check_failure(one);
    check_failure(page);
    if (!one) return;
    require(fold_case(one->id.type()) == type, "a resource is of the type that was asked for");
    require(parse_resource_id(one->id.text()).has_value(), "its id is an id");
    const std::string print = fingerprint(*one);
    const bool fits = !json.starts_with("\xef\xbb\xbf") && (page || !page.error().message.contains("nested deeper"));
    require(!fits || (page && page->items.size() == 1 && fingerprint(page->items[0]) == print),
            "a row reads as a GET does");
    const Result<Observed> again = decode(one->raw, context);
    require(again && fingerprint(*again) == print, "the body that is kept reads as the one that came");
    const std::string packed = pack(*one);
    const auto unpacked = unpack<Observed>(packed);
    require(unpacked && pack(*unpacked) == packed, "what rests packed comes back");
}

void check_version(const std::string& json) {
    const auto version = decode_version(json, context);
    if (!version) return;
    require(!version->published || *version->published >= believable, "a date that cannot be is no date");
    require(!version->end_of_life || *version->end_of_life >= believable, "nor is such an end of life");
    const auto body = encode_version({}, *version);
    if (!body) return require_clear(body.error());
    require(nlohmann::json::accept(*body), "an update is JSON");
    const nlohmann::json sent = nlohmann::json::parse(*body);
    const bool has_status = sent.contains("properties") && sent["properties"].contains("provisioningState");
    require(!has_status, "what Azure alone may set is not sent back");
}

void check_lists(const std::string& json) {
    check_failure(decode_role_assignment(json));
    check_failure(decode_role_assignment_page(json, context));
    check_failure(decode_storage_account(json));
    check_failure(decode_resource_group(json));
    check_failure(decode_operation_status(json));
    const auto machines = decode_machine_page(json, context);
    check_failure(machines);
    if (machines) {
        for (const MachineImage& machine : machines->items)
            require(parse_resource_id(machine.id.text()).has_value(), "a machine has an id");
    }
    if (const auto merged = encode_resource_group_tags(json, {{"galleryd-owner", "x"}}); merged && !merged->empty())
        require(nlohmann::json::accept(*merged), "tags are sent as JSON");
}

void check_surroundings(const std::string& json) {
    check_failure(decode_subscription(json));
    check_failure(decode_subscription_page(json));
    check_failure(decode_rights(json));
    check_failure(decode_provider(json));
    check_failure(decode_feature_state(json));
    check_failure(decode_usages(json));
}

void run(std::string_view bytes) {
    const std::string json(bytes);
    check_resource<ObservedGallery>(json, "microsoft.compute/galleries", decode_gallery, decode_gallery_page);
    check_resource<ObservedDefinition>(json, "microsoft.compute/galleries/images", decode_definition,
                                       decode_definition_page);
    check_resource<ObservedVersion>(json, "microsoft.compute/galleries/images/versions", decode_version,
                                    decode_version_page);
    check_version(json);
    check_lists(json);
    check_surroundings(json);
    const std::string name = fold_feature_name(bytes), value = fold_feature_value(bytes);
    require(fold_feature_name(name) == name && fold_feature_value(value) == value, "folding twice changes nothing");
}

const Registered registered({.name = "arm", .run = run, .mutations = 1500});

}  // namespace
}  // namespace galleryd::fuzz
