#include <nlohmann/json.hpp>

#include "controller/adapters/azure/decode_tree.h"
#include "controller/adapters/azure/json_read.h"
#include "controller/adapters/azure/retry_after.h"
#include "controller/core/region.h"

// The envelopes around resources: list pages, operation status, error bodies.
namespace galleryd::azure {
namespace {

constexpr std::size_t message_bytes_max = 2000;
constexpr int details_depth_max = 8;
constexpr std::size_t detail_codes_max = 16;
constexpr std::size_t code_bytes_max = 200;

template <class T, class Read>
Result<Page<T>> decode_page(std::string_view json, std::string_view what, Read read) {
    const auto tree = parse_json(json, what);
    if (!tree) return std::unexpected(tree.error());
    const Json& rows = member(*tree, "value");
    if (!rows.is_array()) return unreadable("GD3003", std::string(what) + ": the page has no \"value\" list");
    Page<T> page;
    page.items.reserve(rows.size());
    for (const Json& row : rows) {
        auto item = read(row);
        if (!item) return std::unexpected(std::move(item.error()));
        page.items.push_back(std::move(*item));
    }
    page.next_link = text_member(*tree, "nextLink");
    return page;
}

template <class T>
auto resource_reader(Result<T> (*read)(const Json&, const DecodeContext&), DecodeContext context) {
    return [read, context](const Json& row) {
        Result<T> item = read(row, context);
        if (item && context.keep_raw) item->raw = row.dump(-1, ' ', false, Json::error_handler_t::replace);
        return item;
    };
}

void collect_words(const Json& detail, ErrorBody& body, std::string& innermost) {
    if (const std::string code = text_member(detail, "code"); !code.empty())
        body.detail_codes.push_back(printable(code, code_bytes_max));
    if (innermost.empty()) innermost = printable(text_member(detail, "message"), message_bytes_max);
}

void collect_details(const Json& error, int depth, ErrorBody& body, std::string& innermost) {
    if (depth > details_depth_max) return;
    const Json& details = member(error, "details");
    if (details.is_array()) {
        for (const Json& detail : details) {
            if (body.detail_codes.size() >= detail_codes_max) return;
            collect_words(detail, body, innermost);
            collect_details(detail, depth + 1, body, innermost);
        }
    }
    if (body.detail_codes.size() < detail_codes_max) collect_words(member(error, "innererror"), body, innermost);
}

std::optional<ErrorBody> read_error(const Json& error) {
    ErrorBody body{.code = printable(text_member(error, "code"), code_bytes_max),
                   .message = printable(text_member(error, "message"), message_bytes_max),
                   .target = printable(text_member(error, "target"), 500),
                   .detail_codes = {}};
    std::string innermost;
    collect_details(error, 1, body, innermost);
    if (body.code.empty() && body.message.empty() && innermost.empty()) return std::nullopt;
    if (body.message.empty()) {
        body.message = innermost;
    } else if (!innermost.empty() && !body.message.contains(innermost)) {
        body.message = printable(body.message + " (" + innermost + ")", message_bytes_max);
    }
    return body;
}

OperationState read_state(const std::string& status) {
    const std::string word = fold_case(status);
    if (word == "succeeded") return OperationState::succeeded;
    if (word == "failed") return OperationState::failed;
    if (word == "canceled" || word == "cancelled") return OperationState::canceled;
    return OperationState::in_progress;
}

Result<MachineImage> read_machine(const Json& row) {
    const auto id = parse_resource_id(text_member(row, "id"));
    if (!id) return unreadable("GD3005", "a machine has no resource id");
    const Json& properties = member(row, "properties");
    const bool is_model = fold_case(id->type()) == "microsoft.compute/virtualmachinescalesets";
    const Json& profile = member(is_model ? member(properties, "virtualMachineProfile") : properties, "storageProfile");
    const Json& reference = member(profile, "imageReference");
    MachineImage machine{.kind = is_model ? UserKind::scale_set_model : UserKind::virtual_machine,
                         .id = *id,
                         .region = normalise_region(text_member(row, "location")),
                         .image = {},
                         .exact = text_member(reference, "exactVersion")};
    for (const char* name : {"id", "sharedGalleryImageId", "communityGalleryImageId"}) {
        if (machine.image.empty()) machine.image = text_member(reference, name);
    }
    return machine;
}

Result<SoftDeletedVersion> read_soft_deleted(const Json& row) {
    const Json& properties = member(row, "properties");
    const auto id = parse_resource_id(text_member(properties, "resourceArmId"));
    if (!id || fold_case(id->type()) != "microsoft.compute/galleries/images/versions")
        return unreadable("GD3005", "a soft-deleted row does not say which image version it was");
    return SoftDeletedVersion{.version = *id,
                              .deleted_at = parse_azure_time(text_member(properties, "softDeletedTime")),
                              .gone_at = parse_azure_time(text_member(properties, "hardDeletionTargetTime"))};
}

}  // namespace

Result<Page<SoftDeletedVersion>> decode_soft_deleted_page(std::string_view json, DecodeContext) {
    return decode_page<SoftDeletedVersion>(json, "list of soft-deleted image versions", read_soft_deleted);
}

Result<Page<MachineImage>> decode_machine_page(std::string_view json, DecodeContext) {
    return decode_page<MachineImage>(json, "list of machines", read_machine);
}

Result<Page<ObservedGallery>> decode_gallery_page(std::string_view json, DecodeContext context) {
    return decode_page<ObservedGallery>(json, "list of galleries", resource_reader(read_gallery, context));
}
Result<Page<ObservedDefinition>> decode_definition_page(std::string_view json, DecodeContext context) {
    return decode_page<ObservedDefinition>(json, "list of image definitions",
                                           resource_reader(read_definition, context));
}
Result<Page<ObservedVersion>> decode_version_page(std::string_view json, DecodeContext context) {
    return decode_page<ObservedVersion>(json, "list of image versions", resource_reader(read_version, context));
}
Result<Page<ObservedRoleAssignment>> decode_role_assignment_page(std::string_view json, DecodeContext) {
    return decode_page<ObservedRoleAssignment>(json, "list of role assignments", read_role_assignment);
}

Result<OperationStatus> decode_operation_status(std::string_view json) {
    const auto tree = parse_json(json, "operation status");
    if (!tree) return std::unexpected(tree.error());
    const std::string status = text_member(*tree, "status");
    if (status.empty()) return unreadable("GD3005", "the operation's answer has no status");
    OperationStatus found;
    found.state = read_state(status);
    found.started = parse_azure_time(text_member(*tree, "startTime"));
    found.ended = parse_azure_time(text_member(*tree, "endTime"));
    if (const auto error = read_error(member(*tree, "error"))) {
        found.error_code = error->code;
        found.error_message = error->message;
    }
    return found;
}

Result<OperationStatus> operation_status_of(const http::Response& answer, TimePoint now) {
    OperationStatus found;
    found.state = answer.status == 202 ? OperationState::in_progress : OperationState::succeeded;
    if (!answer.body.empty()) {
        const auto tree = parse_json(answer.body, "operation status");
        if (!tree) return std::unexpected(tree.error());
        if (!text_member(*tree, "status").empty()) {
            auto decoded = decode_operation_status(answer.body);
            if (!decoded) return decoded;
            found = std::move(*decoded);
        } else if (text_member(*tree, "id").empty() && answer.status == 200) {
            return unreadable("GD3005", "the operation's answer has neither a status nor a resource");
        }
    }
    found.retry_after = find_retry_after(answer.headers, "", now);
    return found;
}

std::optional<ErrorBody> decode_error_body(std::string_view json) {
    const auto tree = parse_json(json, "error");
    if (!tree) return std::nullopt;
    const Json& wrapped = member(*tree, "error");
    if (wrapped.is_object()) return read_error(wrapped);
    if (wrapped.is_null()) return read_error(*tree);  // the form of the Compute throttling answer [D]
    return std::nullopt;
}

}  // namespace galleryd::azure
