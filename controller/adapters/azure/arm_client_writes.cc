#include <algorithm>
#include <nlohmann/json.hpp>

#include "controller/adapters/azure/arm_client.h"
#include "controller/adapters/azure/encode.h"
#include "controller/adapters/azure/json_read.h"
#include "controller/adapters/azure/role_table.h"

// Writes: each request leaves once; what it did is known from a new look, not from trying again.
namespace galleryd::azure {
namespace {

bool is_success(int status) { return status >= 200 && status < 300; }

bool is_in_transition_body(const std::string& body) {
    if (body.empty()) return false;
    const auto tree = parse_json(body, "answer");
    if (!tree) return false;
    return is_in_transition(parse_provisioning_state(text_member(member(*tree, "properties"), "provisioningState")));
}

Result<std::string> full_role_definition_id(const AssignRole& step) {
    const std::string& named = step.role_definition_id.empty() ? step.access.role : step.role_definition_id;
    if (named.starts_with('/')) {
        if (role_definition_guid(named)) return named;
    } else if (const auto guid = role_definition_guid(named)) {
        return "/subscriptions/" + step.scope.subscription() + "/providers/Microsoft.Authorization/roleDefinitions/" +
               *guid;
    }
    return std::unexpected(
        Error{.kind = ErrorKind::invalid,
              .reason = "InvalidSpec",
              .message = "assign role at " + step.scope.text() + ": \"" + printable(named, 100) +
                         "\" is no built-in role this program knows. Write the role definition id instead.",
              .code = "GD3082"});
}

// More or fewer copies in the regions that there are, and nothing else of weight.
bool is_tuning(const VersionWrite& write, const ObservedVersion& base) {
    const auto same_but_for_replicas = [](TargetRegion wanted, const TargetRegion& found) {
        wanted.replicas = found.replicas;
        return wanted == found;
    };
    return write.exclude_from_latest == base.exclude_from_latest && write.end_of_life == base.end_of_life &&
           write.target_regions != base.target_regions &&
           std::ranges::equal(write.target_regions, base.target_regions, same_but_for_replicas);
}

WriteOutcome nothing_to_do() {
    WriteOutcome outcome;
    outcome.http_status = 200;
    return outcome;
}

}  // namespace

// "" when the header is absent or may not be followed.
std::string ArmClient::usable_operation_url(const http::Headers& headers, std::string_view name) {
    const std::string* url = headers.find(name);
    if (url == nullptr || url->empty()) return {};
    if (const auto target = own_target(*url); !target) {
        log_.warning("operation address not kept", {{"header", std::string(name)}, {"reason", target.error().message}});
        return {};
    }
    return *url;
}

WriteOutcome ArmClient::outcome_of(const http::Response& answer) {
    WriteOutcome outcome{.http_status = answer.status,
                         .operation = std::nullopt,
                         .correlation_id = correlation_id_of(answer.headers),
                         .server_date = parse_http_date(answer.headers.get("Date"))};
    OperationRef operation{.url = usable_operation_url(answer.headers, "Azure-AsyncOperation"), .final_url = {}};
    // Location of a 201 names the resource made; only 202 (and 200 beside the other header) makes it an operation.
    if (answer.status == 202 || !operation.url.empty())
        operation.final_url = usable_operation_url(answer.headers, "Location");
    const bool goes_on = !operation.url.empty() || !operation.final_url.empty() || answer.status == 202 ||
                         is_in_transition_body(answer.body);
    if (goes_on && answer.status != 204) outcome.operation = std::move(operation);
    return outcome;
}

Task<WriteOutcome> ArmClient::put(ResourceId id, ApiVersion api, Result<std::string> body, PutLabels labels) {
    if (!body) {
        Error error = std::move(body.error());
        error.message = labels.what + ": " + error.message;
        co_return std::unexpected(std::move(error));
    }
    ArmCall call{.method = "PUT",
                 .target = id.text() + api_query(api),
                 .body = std::move(*body),
                 .what = labels.what,
                 .region = labels.location,
                 .worth = labels.worth};
    const auto answer = co_await send(std::move(id), std::move(call));
    if (!answer) co_return std::unexpected(answer.error());
    if (!is_success(answer->status)) co_return std::unexpected(error_of(labels.what, *answer));
    co_return outcome_of(*answer);
}

Task<WriteOutcome> ArmClient::put_gallery(ResourceId id, GalleryWrite write, std::optional<ObservedGallery> base) {
    auto body = encode_gallery(write, base);
    remember_region(id, write.location);
    PutLabels labels{.what = (base ? "update gallery " : "create gallery ") + id.text(),
                     .location = write.location,
                     .worth = base ? Worth::update : Worth::create};
    co_return co_await put(std::move(id), gallery_api, std::move(body), std::move(labels));
}

Task<WriteOutcome> ArmClient::put_definition(ResourceId id, DefinitionWrite write,
                                             std::optional<ObservedDefinition> base) {
    auto body = encode_definition(write, base);
    PutLabels labels{.what = (base ? "update image definition " : "create image definition ") + id.text(),
                     .location = write.location,
                     .worth = base ? Worth::update : Worth::create};
    co_return co_await put(std::move(id), gallery_api, std::move(body), std::move(labels));
}

Task<WriteOutcome> ArmClient::put_version(ResourceId id, VersionWrite write, std::optional<ObservedVersion> base) {
    auto body = encode_version(write, base);
    PutLabels labels{.what = (base ? "update image version " : "create image version ") + id.text(),
                     .location = write.location,
                     .worth = !base                     ? Worth::create
                              : is_tuning(write, *base) ? Worth::tune
                                                        : Worth::update};
    co_return co_await put(std::move(id), gallery_api, std::move(body), std::move(labels));
}

Task<WriteOutcome> ArmClient::share_gallery(ResourceId id, ShareGallery step) {
    const std::string what = "share gallery " + id.text() + " (" + step.operation + ")";
    ArmCall call{.method = "POST",
                 .target = id.text() + "/share" + api_query(gallery_api),
                 .body = encode_share(step),
                 .what = what,
                 .worth = Worth::update};
    const auto answer = co_await send(std::move(id), std::move(call));
    if (!answer) co_return std::unexpected(answer.error());
    if (!is_success(answer->status)) co_return std::unexpected(error_of(what, *answer));
    co_return outcome_of(*answer);
}

Task<WriteOutcome> ArmClient::put_role_assignment(AssignRole step) {
    const auto role = full_role_definition_id(step);
    if (!role) co_return std::unexpected(role.error());
    const ResourceId id(step.scope.text() + "/providers/Microsoft.Authorization/roleAssignments/" +
                        step.assignment_name);
    const std::string what =
        "assign role \"" + step.access.role + "\" to " + step.access.principal_id + " at " + step.scope.text();
    if (!is_guid(step.assignment_name))
        co_return fail(ErrorKind::bug, "AzureError", what + ": the assignment's name is not a GUID");
    ArmCall call{.method = "PUT",
                 .target = id.text() + api_query(role_assignment_api),
                 .body = encode_role_assignment(step.access, *role),
                 .what = what,
                 .worth = Worth::update};
    const auto answer = co_await send(id, std::move(call));
    if (!answer) co_return std::unexpected(answer.error());
    // The same scope, role and principal under another name: what was wanted is there (azure-facts §10).
    const auto refused = answer->status == 409 ? decode_error_body(answer->body) : std::nullopt;
    const bool is_there = refused && fold_case(refused->code) == "roleassignmentexists";
    if (!is_success(answer->status) && !is_there) co_return std::unexpected(error_of(what, *answer));
    WriteOutcome outcome = outcome_of(*answer);
    outcome.operation.reset();  // synchronous
    co_return outcome;
}

Task<WriteOutcome> ArmClient::delete_role_assignment(ResourceId id) {
    const std::string what = "remove role assignment " + id.text();
    ArmCall call{
        .method = "DELETE", .target = id.text() + api_query(role_assignment_api), .what = what, .worth = Worth::remove};
    const auto answer = co_await send(id, std::move(call));
    if (!answer) co_return std::unexpected(answer.error());
    if (!is_success(answer->status) && !says_absent(*answer)) co_return std::unexpected(error_of(what, *answer));
    WriteOutcome outcome = outcome_of(*answer);
    outcome.operation.reset();
    co_return outcome;
}

Task<WriteOutcome> ArmClient::delete_resource(ResourceId id) {
    const std::string what = "delete " + id.text();
    ArmCall call{
        .method = "DELETE", .target = id.text() + api_query(gallery_api), .what = what, .worth = Worth::remove};
    const auto answer = co_await send(id, std::move(call));
    if (!answer) co_return std::unexpected(answer.error());
    if (says_absent(*answer)) co_return outcome_of(*answer);  // gone already, with its group perhaps
    if (!is_success(answer->status)) co_return std::unexpected(error_of(what, *answer));
    co_return outcome_of(*answer);
}

Task<WriteOutcome> ArmClient::put_storage_account(EnsureStorage step) {
    const std::string what = "ensure storage account " + step.account.text();
    const auto present =
        co_await get(step.account, step.account.text() + api_query(storage_account_api), what, Worth::read_for_write);
    if (!present) co_return std::unexpected(present.error());
    if (*present) co_return nothing_to_do();
    Result<std::string> body = encode_storage_account(step);
    PutLabels labels{.what = what, .location = step.location, .worth = Worth::create};
    co_return co_await put(step.account, storage_account_api, std::move(body), std::move(labels));
}

// PUT replaces the tags of a group (azure-facts §11), so one that exists is only patched, with everybody's tags.
Task<WriteOutcome> ArmClient::put_resource_group(EnsureResourceGroup step) {
    const ResourceId id = resource_group_id(step.subscription_id, step.name);
    const std::string what = "ensure resource group " + id.text();
    const auto present = co_await get(id, id.text() + api_query(resource_group_api), what, Worth::read_for_write);
    if (!present) co_return std::unexpected(present.error());
    if (!*present) {
        Result<std::string> body = encode_resource_group(step);
        PutLabels labels{.what = what, .location = step.location, .worth = Worth::create};
        co_return co_await put(id, resource_group_api, std::move(body), std::move(labels));
    }
    auto patch = encode_resource_group_tags((*present)->body, step.tags);
    if (!patch) co_return std::unexpected(std::move(patch.error()));
    if (patch->empty()) co_return nothing_to_do();
    ArmCall call{.method = "PATCH",
                 .target = id.text() + api_query(resource_group_api),
                 .body = std::move(*patch),
                 .what = what,
                 .worth = Worth::update};
    const auto answer = co_await send(id, std::move(call));
    if (!answer) co_return std::unexpected(answer.error());
    if (!is_success(answer->status)) co_return std::unexpected(error_of(what, *answer));
    co_return outcome_of(*answer);
}

}  // namespace galleryd::azure
