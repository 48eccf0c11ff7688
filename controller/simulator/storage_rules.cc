#include <algorithm>

#include "controller/core/region.h"
#include "controller/core/resource_id.h"
#include "controller/simulator/rules.h"

// Staging storage accounts (azure-facts §11).
namespace galleryd::simulator {
namespace {

bool is_account_name(std::string_view name) {
    return name.size() >= 3 && name.size() <= 24 &&
           std::ranges::all_of(name, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); });
}

const Resource* account_named(const World& world, const std::string& name) {
    for (const auto& [key, resource] : world.resources()) {
        if (resource.type == "microsoft.storage/storageaccounts" && resource.name() == name) return &resource;
    }
    return nullptr;
}

Answer check_name(const World& world, const Call& call) {
    Answer answer;
    answer.compact = true;
    const std::string name = text_of(call.body, "name");
    const bool valid = is_account_name(name);
    const bool taken = valid && account_named(world, name) != nullptr;
    answer.body["nameAvailable"] = valid && !taken;
    if (!valid) {
        answer.body["reason"] = "AccountNameInvalid";
        answer.body["message"] = name +
                                 " is not a valid storage account name. Storage account name must be between 3 and 24 "
                                 "characters in length and use numbers and lower-case letters only.";
    } else if (taken) {
        answer.body["reason"] = "AlreadyExists";
        answer.body["message"] = "The storage account named " + name + " is already taken.";
    }
    return answer;
}

Json account_body(World& world, const Call& call, const Resource* old) {
    Json body = Json::object();
    for (const std::string_view field : {"sku", "kind"}) copy_member(call.body, body, field);
    if (body.contains("sku"))
        body["sku"]["tier"] = text_of(body["sku"], "name").starts_with("Premium") ? "Premium" : "Standard";
    const std::string id = old == nullptr ? canonical_id(call.path) : old->id;
    body["id"] = id;
    body["name"] = call.path.name();
    body["type"] = "Microsoft.Storage/storageAccounts";
    body["location"] = normalise_region(text_of(call.body, "location"));
    body["tags"] = member(call.body, "tags").is_object() ? member(call.body, "tags") : Json::object();
    Json properties{{"minimumTlsVersion", "TLS1_0"},
                    {"allowBlobPublicAccess", false},
                    {"supportsHttpsTrafficOnly", true},
                    {"accessTier", "Hot"}};
    for (const auto& [name, value] : member(call.body, "properties").items()) properties[name] = value;
    properties["creationTime"] =
        old == nullptr ? Json(world.timestamp(call.now)) : member(old->body, {"properties", "creationTime"});
    properties["primaryEndpoints"]["blob"] = "https://" + call.path.name() + ".blob.core.windows.net/";
    properties["primaryLocation"] = body["location"];
    properties["statusOfPrimary"] = "available";
    properties["provisioningState"] = "Succeeded";
    body["properties"] = std::move(properties);
    return body;
}

Answer put_account(World& world, const Call& call) {
    if (auto locked = check_lock(world, call.path, false)) return *locked;
    if (!is_account_name(call.path.name()))
        return error_answer(400, "AccountNameInvalid", call.path.name() + " is not a valid storage account name.");
    if (!call.body.is_object())
        return error_answer(400, "InvalidRequestContent",
                            "The request content was invalid and could not be deserialized.");
    Resource* const old = world.find(call.path.key);
    if (auto wrong = check_location(call.body, call.path.type, "storageAccount")) return *wrong;
    const Resource* const other = account_named(world, call.path.name());
    if (other != nullptr && other != old)
        return conflict("StorageAccountAlreadyTaken",
                        "The storage account named " + call.path.name() + " is already taken.");
    Resource resource;
    resource.key = call.path.key;
    resource.type = call.path.type;
    resource.body = account_body(world, call, old);
    resource.id = text_of(resource.body, "id");
    Answer answer;
    answer.changed = true;
    if (old != nullptr) {  // a repeated PUT with settings that need no work answers at once
        resource.operation = old->operation;
        answer.body = world.put(std::move(resource)).body;
        return answer;
    }
    Resource& stored = world.put(std::move(resource));
    const Duration length = world.operation_length("PUT", stored.id, std::chrono::seconds(18));
    const Operation& operation = world.begin(stored, OperationKind::storage, call.api_version(), length);
    world.note_update(stored);
    stored.set_state("ResolvingDNS");
    answer.status = 202;
    answer.operation = operation.guid;
    answer.content_type = "text/plain; charset=utf-8";
    answer.headers.add("Location", call.base + "/subscriptions/" + call.path.subscription +
                                       "/providers/Microsoft.Storage/locations/" + stored.location() +
                                       "/asyncoperations/" + operation.guid +
                                       "?monitor=true&api-version=" + call.api_version());
    answer.headers.add("Retry-After", std::to_string(retry_after_seconds(world, length, 17)));
    return answer;
}

Answer poll_account(World& world, const Call& call) {
    const Operation* const operation = world.find_operation(call.path.names.back());
    if (operation == nullptr) return error_answer(404, "NotFound", "The operation was not found.");
    Answer answer;
    if (!operation->finished) {
        answer.status = 202;
        answer.headers.add("Location", call.base + call.http.target);
        answer.headers.add("Retry-After", std::to_string(retry_after_seconds(world, operation->ends - world.now, 17)));
        return answer;
    }
    if (const Resource* const account = world.find(operation->key)) answer.body = account->body;
    return answer;
}

}  // namespace

Answer storage_call(World& world, const Call& call) {
    if (call.path.type == "microsoft.storage/checknameavailability") return check_name(world, call);
    if (call.path.type == "microsoft.storage/locations/asyncoperations") return poll_account(world, call);
    if (call.path.type == "microsoft.storage/storageaccounts" && call.method() == "PUT" && !call.path.collection)
        return put_account(world, call);
    return seeded_resource(world, call);
}

}  // namespace galleryd::simulator
