#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/core/observed.h"
#include "controller/ports/task.h"

// Many resources in few requests: Azure Resource Graph (azure-facts §8). What it says is a hint, because its index lags
// (95 % within 30 s, no upper bound): every write needs a read of the resource itself, and what is missing here is not
// proven to be absent. Replication status is not in the index; `raw` is empty.
//
// A call that ends in an error has looked at a part: what its sink received shows no absence and must not replace a
// view.
namespace galleryd {

// Receives rows one at a time, in any order; a resource may come twice. Not called again after the call has ended.
class InventorySink {
  public:
    virtual ~InventorySink() = default;
    virtual void on_gallery(ObservedGallery row) = 0;
    virtual void on_definition(ObservedDefinition row) = 0;
    virtual void on_version(ObservedVersion row) = 0;
};

struct LookRequest {
    std::vector<std::string> subscriptions;  // at least one
    // Pages asked for at the same time, 1 to 8. 1 follows Resource Graph's own page tokens; more is faster on a cold
    // start and asks by offset, so a resource that goes away meanwhile makes the call end in an error.
    std::size_t parallel = 1;
};

struct LookSummary {
    std::size_t galleries = 0, definitions = 0, versions = 0;  // rows handed out
    std::size_t duplicates = 0;                                // of them, rows of a resource that had come before
    std::size_t requests = 0;
    // Lower case, sorted. Resource Graph leaves out silently what it may not read: rows of an unreadable subscription
    // are missing, not absent.
    std::vector<std::string> readable, unreadable;
    TimePoint started{};                   // our clock, before the first request
    std::optional<TimePoint> server_date;  // Date of the first answer: a watermark for `changes_since`
};

enum class ResourceKind : std::uint8_t { gallery, definition, version };
inline std::string_view to_string(ResourceKind kind) {
    return kind == ResourceKind::gallery ? "gallery" : kind == ResourceKind::definition ? "definition" : "version";
}

enum class ChangeType : std::uint8_t { unknown, created, updated, removed };
inline std::string_view to_string(ChangeType type) {
    switch (type) {
        case ChangeType::unknown: return "unknown";
        case ChangeType::created: return "created";
        case ChangeType::updated: return "updated";
        case ChangeType::removed: return "removed";
    }
    return "unknown";
}

struct ResourceChange {
    ResourceId id;  // spelled as the change record spells it
    ResourceKind kind = ResourceKind::gallery;
    ChangeType type = ChangeType::unknown;
    TimePoint at{};
    std::string changed_by;  // as Azure prints it: a name, an object id, "System" or ""
};

// A record appears up to five minutes after the change and is kept for fourteen days: ask again from some ten minutes
// before the last watermark, and tolerate what comes twice.
struct ChangeList {
    std::vector<ResourceChange> changes;  // oldest first, at most changes_max
    bool truncated = false;               // there are more: look at everything
    bool gap = false;                     // `since` is older than what is kept: look at everything
    std::size_t requests = 0;
    TimePoint started{};                   // our clock, before the first request
    std::optional<TimePoint> server_date;  // Date of the first answer: the next watermark
    bool needs_full_look() const { return truncated || gap; }
};
inline constexpr std::size_t changes_max = 10'000;

// What the index knows of a resource, small enough to ask for a thousand each minute.
struct ResourceFacts {
    ResourceId id;
    ResourceKind kind = ResourceKind::version;
    ProvisioningState state = ProvisioningState::unknown;
    std::uint64_t fingerprint = 0;  // of properties and tags: gallery resources have no ETag (azure-facts §15)
};

struct FactList {
    std::vector<ResourceFacts> found;
    std::vector<ResourceId> missing;  // asked for, not in the index: gone, too new, or not readable
    std::size_t requests = 0;
};

struct RowSummary {
    std::vector<ResourceId> missing;
    std::size_t rows = 0, requests = 0;
};

// Errors of every call: kind `throttled` with retry_after (the quota is the identity's: 15 queries in 5 s), `denied`
// for 401 and 403, `transient` for an answer that is not whole (a page twice, a page missing, a result cut off, a row
// that cannot be read). See `should_read_lists`.
class Inventory {
  public:
    virtual ~Inventory() = default;

    // Every gallery, definition and version of the subscriptions: a request for each 1,000 rows and one more for what
    // is readable. Without any readable subscription it succeeds with no rows and all of them in `unreadable`. The sink
    // must outlive the call.
    virtual Task<LookSummary> look(LookRequest request, InventorySink& sink) = 0;

    // Changes of galleries, definitions and versions at or after `since`. One request for each 300 subscriptions and
    // each 1,000 changes.
    virtual Task<ChangeList> changes_since(TimePoint since, std::vector<std::string> subscriptions) = 0;

    // Rows of these resources; one request for each 300 ids.
    virtual Task<RowSummary> read(std::vector<ResourceId> ids, InventorySink& sink) = 0;
    virtual Task<FactList> facts(std::vector<ResourceId> ids) = 0;

    // Galleries, definitions and versions that are being created, updated or deleted: one request whatever their number
    // is (up to 1,000). An operation whose resource is not among them, a minute after it began, has probably ended.
    virtual Task<FactList> in_transition(std::vector<std::string> subscriptions) = 0;
};

// Whether the same question may be answered by ARM lists: Resource Graph refuses this identity, this cloud or this
// query, while sign-in and the service work.
inline constexpr std::string_view inventory_refused = "InventoryRefused";
inline bool should_read_lists(const Error& error) { return error.reason == inventory_refused; }

}  // namespace galleryd
