#include "controller/adapters/azure/arm_client.h"

#include <set>

#include "controller/adapters/azure/decode.h"
#include "controller/core/region.h"

// Reads: single resources and lists.
namespace galleryd::azure {
namespace {

bool is_success(int status) { return status >= 200 && status < 300; }

Result<ResourceId> checked(const ResourceId& id, const std::string& what) {
    const auto parsed = parse_resource_id(id.text());
    if (parsed) return *parsed;
    return std::unexpected(Error{.kind = ErrorKind::invalid,
                                 .reason = "InvalidSpec",
                                 .message = what + ": this is not the id of an Azure resource",
                                 .code = "GD3006"});
}

std::unexpected<Error> incomplete(std::string code, const std::string& what, const std::string& why) {
    return std::unexpected(Error{
        .kind = ErrorKind::transient, .reason = "AzureError", .message = what + ": " + why, .code = std::move(code)});
}

constexpr std::size_t regions_max = 10'000;

// What follows `name`, up to the next slash: "/subscriptions/…/locations/eastus/…" -> "eastus".
std::string segment_after(std::string_view key, std::string_view name) {
    const std::size_t start = key.find(name);
    if (start == std::string_view::npos) return {};
    const std::string_view rest = key.substr(start + name.size());
    return std::string(rest.substr(0, rest.find('/')));
}

std::string location_in(std::string_view key) { return segment_after(key, "/locations/"); }

// Of a gallery, a definition or a version: the gallery's key. "" for everything else.
std::string_view gallery_part(std::string_view key) {
    constexpr std::string_view galleries = "/providers/microsoft.compute/galleries/";
    const std::size_t start = key.find(galleries);
    if (start == std::string_view::npos) return {};
    return key.substr(0, key.find('/', start + galleries.size()));
}

}  // namespace

ArmClient::ArmClient(http::Transport& transport, TokenProvider& tokens, Clock& clock, Log& log, Metrics& metrics,
                     ArmOptions options, std::shared_ptr<ArmGate> gate)
    : channel_(transport, tokens, clock, log, metrics, std::move(options), std::move(gate)), clock_(clock), log_(log) {}

DecodeContext ArmClient::context_of(const http::Response& answer) const {
    return {.read_at = clock_.now(), .server_date = parse_http_date(answer.headers.get("Date"))};
}

Error ArmClient::error_of(const std::string& what, const http::Response& answer) const {
    Error error = error_from_answer(Attempt{.what = what}, answer, clock_.now());
    const std::string who = channel_.acting_as();
    if (error.kind == ErrorKind::denied && !who.empty())
        error.message += (error.message.ends_with('.') ? " Asked with " : ". Asked with ") + who + ".";
    return error;
}

// nextLink, Location and Azure-AsyncOperation come from outside: only our own origin is ever asked, and the target
// stays as it came.
Result<std::string> ArmClient::own_target(const std::string& url) const {
    const ArmOptions& options = channel_.options();
    if (url.size() > options.operation_url_bytes_max) {
        return std::unexpected(Error{.kind = ErrorKind::invalid,
                                     .reason = "AzureError",
                                     .message = "an address of " + std::to_string(url.size()) + " bytes",
                                     .code = "GD3004"});
    }
    auto parsed = http::parse_url(url);
    if (!parsed) return std::unexpected(std::move(parsed.error()));
    if (parsed->origin != options.arm) {
        return std::unexpected(Error{.kind = ErrorKind::invalid,
                                     .reason = "AzureError",
                                     .message = "the address leads to " + http::to_string(parsed->origin) +
                                                ", not to " + http::to_string(options.arm),
                                     .code = "GD3004"});
    }
    return std::move(parsed->target);
}

void ArmClient::remember_region(const ResourceId& gallery, const std::string& location) {
    const std::string key(gallery_part(gallery.key()));
    if (key.empty() || location.empty()) return;
    if (regions_.size() < regions_max || regions_.contains(key)) regions_[key] = normalise_region(location);
}

std::string ArmClient::region_of(const ResourceId& id) const {
    const auto found = regions_.find(std::string(gallery_part(id.key())));
    return found == regions_.end() ? std::string{} : found->second;
}

Task<http::Response> ArmClient::send(ResourceId id, ArmCall call) {
    if (const auto valid = checked(id, call.what); !valid) co_return std::unexpected(valid.error());
    call.subscription = id.subscription();
    call.resource_type = id.type();
    if (call.resource_type.empty()) call.resource_type = std::string(resource_group_api.resource);
    if (call.region.empty()) call.region = region_of(id);
    if (call.method == "GET") co_return co_await channel_.read(std::move(call));
    co_return co_await channel_.write(std::move(call));
}

Task<std::optional<http::Response>> ArmClient::get(ResourceId id, std::string target, std::string what, Worth worth) {
    ArmCall call{.method = "GET", .target = std::move(target), .what = what, .worth = worth};
    auto answer = co_await send(std::move(id), std::move(call));
    if (!answer) co_return std::unexpected(std::move(answer.error()));
    if (answer->status == 200) co_return std::move(*answer);
    if (says_absent(*answer)) co_return std::nullopt;
    co_return std::unexpected(error_of(what, *answer));
}

Task<std::optional<ObservedResourceGroup>> ArmClient::get_resource_group(std::string subscription, std::string name) {
    const ResourceId id = resource_group_id(subscription, name);
    const auto answer =
        co_await get(id, id.text() + api_query(resource_group_api), "read resource group " + id.text(), read_worth());
    if (!answer) co_return std::unexpected(answer.error());
    if (!*answer) co_return std::nullopt;
    auto group = decode_resource_group((*answer)->body);
    if (!group) co_return std::unexpected(std::move(group.error()));
    co_return std::move(*group);
}

Task<std::optional<ObservedGallery>> ArmClient::get_gallery(ResourceId id) {
    // The groups that a gallery is shared with come with $select=Permissions alone (azure-facts §10).
    const auto answer = co_await get(id, id.text() + api_query(gallery_api) + "&$select=Permissions",
                                     "read gallery " + id.text(), read_worth());
    if (!answer) co_return std::unexpected(answer.error());
    if (!*answer) co_return std::nullopt;
    DecodeContext context = context_of(**answer);
    context.groups_asked = true;
    auto gallery = decode_gallery((*answer)->body, context);
    if (!gallery) co_return std::unexpected(std::move(gallery.error()));
    remember_region(id, gallery->location);
    co_return std::move(*gallery);
}

Task<std::optional<ObservedDefinition>> ArmClient::get_definition(ResourceId id) {
    const auto answer =
        co_await get(id, id.text() + api_query(gallery_api), "read image definition " + id.text(), read_worth());
    if (!answer) co_return std::unexpected(answer.error());
    if (!*answer) co_return std::nullopt;
    const DecodeContext context = context_of(**answer);
    auto definition = decode_definition((*answer)->body, context);
    if (!definition) co_return std::unexpected(std::move(definition.error()));
    co_return std::move(*definition);
}

Task<std::optional<ObservedVersion>> ArmClient::get_version(ResourceId id, bool with_replication) {
    std::string target = id.text() + api_query(gallery_api);
    if (with_replication) target += "&$expand=ReplicationStatus";
    // One version alone is read before it is changed, or while an operation changes it; sweeps take lists.
    const auto answer = co_await get(id, std::move(target), "read image version " + id.text(), Worth::read_for_write);
    if (!answer) co_return std::unexpected(answer.error());
    if (!*answer) co_return std::nullopt;
    const DecodeContext context = context_of(**answer);
    auto version = decode_version((*answer)->body, context);
    if (!version) co_return std::unexpected(std::move(version.error()));
    co_return std::move(*version);
}

Task<std::optional<ObservedStorageAccount>> ArmClient::get_storage_account(ResourceId id) {
    const auto answer =
        co_await get(id, id.text() + api_query(storage_account_api), "read storage account " + id.text(), read_worth());
    if (!answer) co_return std::unexpected(answer.error());
    if (!*answer) co_return std::nullopt;
    auto account = decode_storage_account((*answer)->body);
    if (!account) co_return std::unexpected(std::move(account.error()));
    co_return std::move(*account);
}

// All pages or an error: nothing may be decided from a part (reliability B8, Z6).
template <class T>
Task<std::vector<T>> ArmClient::list(ResourceId scope, std::string target, std::string resource_type, std::string what,
                                     Result<Page<T>> (*decode)(std::string_view, DecodeContext)) {
    if (const auto valid = checked(scope, what); !valid) co_return std::unexpected(valid.error());
    std::vector<T> items;
    std::set<std::string> asked{target};
    for (std::size_t pages = 1;; ++pages) {
        ArmCall call{.method = "GET",
                     .target = target,
                     .subscription = scope.subscription(),
                     .resource_type = resource_type,
                     .what = what,
                     .region = region_of(scope),
                     .worth = read_worth()};
        const auto answer = co_await channel_.read(std::move(call));
        if (!answer) co_return std::unexpected(answer.error());
        if (answer->status != 200) co_return std::unexpected(error_of(what, *answer));
        DecodeContext context = context_of(*answer);
        context.keep_raw = false;
        auto page = decode(answer->body, context);
        if (!page) {
            page.error().message = what + ": " + page.error().message;
            co_return std::unexpected(std::move(page.error()));
        }
        items.insert(items.end(), std::make_move_iterator(page->items.begin()),
                     std::make_move_iterator(page->items.end()));
        if (page->next_link.empty()) co_return items;
        auto next = own_target(page->next_link);
        if (!next)
            co_return incomplete("GD3004", what + ": the link to the next page was not followed", next.error().message);
        if (!asked.insert(*next).second)
            co_return incomplete("GD3003", what, "the list runs in a circle: a link to the next page came twice");
        if (pages >= channel_.options().pages_max)
            co_return incomplete("GD3003", what, "more than " + std::to_string(pages) + " pages");
        target = std::move(*next);
    }
}

Task<std::vector<ObservedGallery>> ArmClient::list_galleries(std::string subscription) {
    const ResourceId scope("/subscriptions/" + subscription);
    std::string target = scope.text() + "/providers/Microsoft.Compute/galleries" + api_query(gallery_api);
    auto galleries = co_await list<ObservedGallery>(scope, std::move(target), std::string(gallery_api.resource),
                                                    "list galleries of " + scope.text(), decode_gallery_page);
    if (!galleries) co_return galleries;
    for (const ObservedGallery& gallery : *galleries) remember_region(gallery.id, gallery.location);
    co_return galleries;
}

Task<std::vector<MachineImage>> ArmClient::list_machines(std::string subscription) {
    const ResourceId scope("/subscriptions/" + subscription);
    std::vector<MachineImage> all;
    for (const std::string kind : {"virtualMachines", "virtualMachineScaleSets"}) {
        const std::string type = "Microsoft.Compute/" + kind;
        std::string target = scope.text() + "/providers/" + type + api_query(machine_api);
        std::string what = "list " + kind + " of " + scope.text();
        auto some = co_await list<MachineImage>(scope, std::move(target), type, std::move(what), decode_machine_page);
        if (!some) co_return some;
        all.insert(all.end(), std::make_move_iterator(some->begin()), std::make_move_iterator(some->end()));
    }
    co_return all;
}

Task<std::vector<ObservedDefinition>> ArmClient::list_definitions(ResourceId gallery) {
    std::string target = gallery.text() + "/images" + api_query(gallery_api);
    std::string what = "list image definitions of " + gallery.text();
    co_return co_await list<ObservedDefinition>(std::move(gallery), std::move(target),
                                                "Microsoft.Compute/galleries/images", std::move(what),
                                                decode_definition_page);
}

Task<std::vector<ObservedVersion>> ArmClient::list_versions(ResourceId definition) {
    std::string target = definition.text() + "/versions" + api_query(gallery_api);
    std::string what = "list image versions of " + definition.text();
    co_return co_await list<ObservedVersion>(std::move(definition), std::move(target),
                                             "Microsoft.Compute/galleries/images/versions", std::move(what),
                                             decode_version_page);
}

Task<std::vector<SoftDeletedVersion>> ArmClient::list_soft_deleted(ResourceId definition) {
    const auto gallery = definition.parent();
    if (!gallery) co_return fail(ErrorKind::bug, "AzureError", definition.text() + " is no image definition");
    std::string target = gallery->text() + "/softDeletedArtifactTypes/Images/artifacts/" + definition.name() +
                         "/versions" + api_query(gallery_api);
    std::string what = "list soft-deleted image versions of " + definition.text();
    co_return co_await list<SoftDeletedVersion>(
        std::move(definition), std::move(target),
        "Microsoft.Compute/galleries/softDeletedArtifactTypes/artifacts/versions", std::move(what),
        decode_soft_deleted_page);
}

Task<std::vector<ObservedRoleAssignment>> ArmClient::list_role_assignments(ResourceId scope) {
    std::string target = scope.text() + "/providers/Microsoft.Authorization/roleAssignments" +
                         api_query(role_assignment_api) + "&$filter=atScope()";
    std::string what = "list role assignments at " + scope.text();
    auto all =
        co_await list<ObservedRoleAssignment>(scope, std::move(target), std::string(role_assignment_api.resource),
                                              std::move(what), decode_role_assignment_page);
    if (!all) co_return all;
    // atScope() answers inherited ones too.
    std::erase_if(*all, [&scope](const ObservedRoleAssignment& assignment) {
        return fold_case(assignment.scope) != scope.key();
    });
    co_return all;
}

Task<OperationStatus> ArmClient::poll_operation(OperationRef operation) {
    const std::string& url = operation.url.empty() ? operation.final_url : operation.url;
    OperationStatus unknown;
    unknown.state = OperationState::unknown_to_azure;
    if (url.empty()) co_return unknown;
    auto target = own_target(url);
    if (!target) {
        log_.warning("operation address not followed", {{"reason", target.error().message}});
        co_return unknown;
    }
    const ResourceId path(target->substr(0, target->find('?')));
    ArmCall call{.method = "GET",
                 .target = std::move(*target),
                 .subscription = path.subscription(),
                 .resource_type = path.type(),
                 .what = "follow the operation at " + path.text(),
                 .region = location_in(path.key()),
                 .worth = Worth::follow};
    const std::string what = call.what;
    const auto answer = co_await channel_.read(std::move(call));
    if (!answer) co_return std::unexpected(answer.error());
    if ((answer->status == 404 && (answer->body.empty() || decode_error_body(answer->body))) || answer->status == 410)
        co_return unknown;
    if (!is_success(answer->status)) co_return std::unexpected(error_of(what, *answer));
    auto status = operation_status_of(*answer, clock_.now());
    if (!status) status.error().message = what + ": " + status.error().message;
    co_return status;
}

}  // namespace galleryd::azure
