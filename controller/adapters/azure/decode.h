#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/adapters/http/message.h"
#include "controller/core/observed.h"
#include "controller/core/result.h"
#include "controller/core/usage.h"
#include "controller/ports/gallery_api.h"
#include "controller/ports/version_care.h"

// Azure's JSON to observed state: pure, and normalised once, here (core/observed.h says what that means). Tolerant
// where the meaning is certain ("true" for true, "3" for 3, null for missing, any case of an enumeration), strict where
// it is not:
//  - a body that is not whole JSON, is nested deeper than 64, or has no resource id of the asked type is an error,
//  never an
//    empty resource; a list page without a `value` array is an error, never an empty list;
//  - dates that are missing, unparsable or before the year 2000 (.NET's unset date is 0001-01-01) are nullopt, so that
//  nothing
//    is ever old enough to be deleted because of a bad date;
//  - unknown enumeration values are kept as text, unknown states become `unknown`.
// Errors are `transient` with reason AzureError (a half or foreign answer says nothing about the resource) and a GD300n
// code.
namespace galleryd::azure {

struct DecodeContext {
    TimePoint read_at{};                   // our clock, when the answer came
    std::optional<TimePoint> server_date;  // its Date header
    bool groups_asked = false;             // GET had $select=Permissions: a missing `groups` then means none
    bool keep_raw = true;                  // false for rows of a list: the body is not needed again
};

Result<ObservedGallery> decode_gallery(std::string_view json, DecodeContext context);
Result<ObservedDefinition> decode_definition(std::string_view json, DecodeContext context);
// `source` says where the version came from: its host caching and data disks are filled in for os_disk sources only
// (for the others they are Azure's inheritance, azure-facts §3.3). Disk encryption set ids keep Azure's spelling.
Result<ObservedVersion> decode_version(std::string_view json, DecodeContext context);
Result<ObservedRoleAssignment> decode_role_assignment(std::string_view json);
Result<ObservedStorageAccount> decode_storage_account(std::string_view json);
Result<ObservedResourceGroup> decode_resource_group(std::string_view json);  // a null tag value reads as ""

// One page of a list: {value: […], nextLink?}. One item that cannot be decoded spoils the page.
template <class T>
struct Page {
    std::vector<T> items;
    std::string next_link;  // byte for byte; "" on the last page
};
Result<Page<ObservedGallery>> decode_gallery_page(std::string_view json, DecodeContext context);
Result<Page<ObservedDefinition>> decode_definition_page(std::string_view json, DecodeContext context);
Result<Page<ObservedVersion>> decode_version_page(std::string_view json, DecodeContext context);
Result<Page<ObservedRoleAssignment>> decode_role_assignment_page(std::string_view json, DecodeContext context);
// Virtual machines or scale sets; a row without an id is an error.
Result<Page<MachineImage>> decode_machine_page(std::string_view json, DecodeContext context);

// Soft-deleted versions of a definition (azure-facts §5); a row that does not say which version it was is an error.
Result<Page<SoftDeletedVersion>> decode_soft_deleted_page(std::string_view json, DecodeContext context);

// The body of a status answer (Azure-AsyncOperation). An unknown status is in progress: the daemon then looks at the
// resource. A missing status is an error.
Result<OperationStatus> decode_operation_status(std::string_view json);
// A successful answer of an operation URL of either kind (azure-facts §4, §11): a status body says it; without a
// status, 202 is in progress, and an empty body (`monitor=true`) or the resource itself (storage) means succeeded.
// retry_after: when Azure named one.
Result<OperationStatus> operation_status_of(const http::Response& answer, TimePoint now);

// {"error": {code, message, target, details, innererror}} or the same without the outer key (azure-facts §6, §7.2).
// Message: the outer text, then the innermost detail's when it adds something; at most 2,000 characters, control
// characters replaced.
struct ErrorBody {
    std::string code, message, target;
    std::vector<std::string> detail_codes;  // outermost first
};
std::optional<ErrorBody> decode_error_body(std::string_view json);  // nullopt: not an error body

// Azure's own normalisation of feature names and values ("true" -> "True", "ConfidentialVm" -> "ConfidentialVM",
// "DiskControllerType" -> "DiskControllerTypes"; azure-facts §3.2). Unknown ones come back unchanged.
std::string fold_feature_name(std::string_view name);
std::string fold_feature_value(std::string_view value);

}  // namespace galleryd::azure
