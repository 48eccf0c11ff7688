#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "controller/core/document.h"
#include "controller/core/policy.h"
#include "controller/core/result.h"
#include "controller/core/time.h"
#include "controller/ports/gallery_api.h"

// The daemon's memory: intents and outcomes of every mutating request (the audit trail), operations in flight, what we
// know of each resource, tombstones, last good documents, removed documents, approvals, events. Calls are synchronous:
// a call that returns success is on disk (SQLite, write-ahead log, full sync). After a failed write every further write
// fails: stop writing to Azure.
namespace galleryd {

struct Intent {
    std::string resource;      // ResourceId::text()
    std::string step;          // "UpdateVersion", …
    std::string document;      // to_string(ObjectKey), "" when governed without one
    std::string revision;      // of the source
    std::string rule, reason;  // which rule, why
    std::string plan_id;       // digest
    std::string detail;        // fields written, as text
    std::string asked_by;      // "daemon", "apply", user name
    bool destructive = false;
    TimePoint at{};
};

struct OperationRecord {
    std::int64_t intent = 0;
    std::string resource;  // ResourceId::text()
    std::string step;
    std::string scope;  // plan scope to look at again when it ends
    OperationRef operation;
    TimePoint started{};
};

struct EventRecord {
    std::int64_t sequence = 0;
    TimePoint at{};  // last time seen
    TimePoint first_at{};
    int count = 1;
    bool warning = false;
    std::string reason;  // closed list of experience §1.5.3
    std::string object;  // address or key text
    std::string action;  // "create", …
    std::string message;
    std::string correlation_id, plan_id, revision;
};

// The last good content of a document, so that an invalid or unreadable one keeps it, also after a restart.
struct GoodDocument {
    ObjectKey key;
    std::string file;  // relative to the source
    std::string source;
    std::string digest;
    std::string content;          // the one document as JSON text, as the documents adapter prints it; "": only stored
    std::string azure_id;         // ResourceId::text(), "" for policies
    std::string deletion_policy;  // "Orphan" | "Delete"
    std::string mode;
    std::string hold;  // reason, "" = none
    std::optional<TimePoint> first_missing;
    int snapshots_missing = 0;
};

struct AuditRecord {
    std::int64_t id = 0;
    Intent intent;
    std::string outcome;  // "" = not known (killed in between), "accepted", "done", "failed: …"
    std::string correlation_id;
    std::optional<TimePoint> finished;
};

class Journal {
  public:
    virtual ~Journal() = default;

    // Before a mutating request leaves: on disk when this returns.
    virtual Result<std::int64_t> begin_intent(const Intent& intent) = 0;
    // The answer: `outcome` is "accepted", "done" or "failed: …"; with an operation it is stored in the same
    // transaction.
    virtual Status finish_intent(std::int64_t intent, const std::string& outcome, const std::string& correlation_id,
                                 TimePoint at, const std::optional<OperationRecord>& operation) = 0;
    virtual Result<std::vector<AuditRecord>> open_intents() = 0;    // no outcome: killed between send and answer
    virtual Result<std::vector<AuditRecord>> audit(int limit) = 0;  // newest first

    virtual Result<std::vector<OperationRecord>> operations() = 0;
    virtual Status finish_operation(const std::string& resource, const std::string& outcome, TimePoint at) = 0;

    virtual Result<std::map<std::string, ResourceRecord>>
    resource_records() = 0;  // by ResourceId::key(); operation_in_flight filled in
    virtual Status put_resource_record(const std::string& resource_key, const ResourceRecord& record) = 0;
    virtual Status forget_resource(const std::string& resource_key) = 0;

    // By source, then kind, namespace and name. Without content (which is most of their size): `content` is "".
    enum class Content : std::uint8_t { with, without };
    virtual Result<std::vector<GoodDocument>> good_documents(Content content) = 0;
    // What changed in the set of one source, in one transaction: `put` replaces or adds (an empty content leaves the
    // stored one), `gone` leaves it.
    virtual Status update_good_documents(const std::string& source, const std::vector<GoodDocument>& put,
                                         const std::vector<ObjectKey>& gone) = 0;

    virtual Status put_event(
        const EventRecord& event) = 0;  // same (object, reason, message) within five minutes: counted up
    virtual Result<std::vector<EventRecord>> events(std::int64_t after_sequence, int limit) = 0;  // oldest first

    virtual Result<std::map<std::string, TimePoint>> approvals() = 0;  // digest -> expires
    virtual Status put_approval(const std::string& digest, const std::string& by, TimePoint expires) = 0;

    // Accepted DELETEs of versions (brake). `not_ready` RebuiltLately while that reaches back behind a rebuilt
    // journal.
    virtual Result<int> deletes_since(const std::string& subscription, TimePoint since) = 0;
    virtual Result<std::string> setting(const std::string& key) = 0;  // "" when absent
    virtual Status put_setting(const std::string& key, const std::string& value) = 0;
    virtual Status sound() const = 0;  // after the first failed write: why nothing is written any more, with its code
    bool writable() const { return sound().has_value(); }
};

}  // namespace galleryd
