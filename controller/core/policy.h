#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "controller/core/desired.h"
#include "controller/core/observed.h"
#include "controller/core/time.h"

// Everything besides declared and observed state that a plan depends on. Unknown, missing or unparsable always means
// "no".
namespace galleryd {

enum class UsageState : std::uint8_t { unknown, in_use, not_in_use };

struct VersionUsage {
    UsageState state = UsageState::unknown;
    std::string detail;  // "3 scale sets in 2 subscriptions (7 of 9 readable)"
    std::string way_out =
        {};  // when it is unknown: what a person can do; "" = let this identity read the subscriptions
    std::map<std::string, std::string> evidence = {};  // counts by kind of user and of subscriptions, for JSON
    // Nobody uses it by the last answer; unknown only because another one, from then on, has to say the same.
    std::optional<TimePoint> settles_at = {};
};

// Memory of the daemon about one Azure resource (from the journal), by ResourceId::key().
struct ResourceRecord {
    bool written_by_us = false;       // our record that this instance created or adopted it, for this document
    std::string document;             // the document it was written for
    std::string last_applied_digest;  // Metadata::digest at the last write: equal + difference = drift
    Tags applied_tags;                // what we wrote for spec.tags: taken away when the document no longer has them
    bool operation_in_flight = false;
    std::optional<TimePoint> last_failure_at;
    int failures = 0;                                     // consecutive failed writes
    std::string last_failure;                             // reason and text
    std::map<std::string, int> region_retries;            // by region: how often we retried a failed one
    std::map<std::string, TimePoint> region_retry_after;  // by region: not before
    std::map<std::string, int> region_readds;             // by region: how often removed and added again (at most 3)
    std::optional<TimePoint> removal_failed_at;           // a region removal that Azure refused or that failed
    bool excluded_by_us = false;  // excludeFromLatest was set by deprecation or hold, not by a person or the document
    bool tombstone = false;       // retention removed it: not made again
    std::optional<TimePoint> deleted_at;
    // Azure said that it carried out our deletion: what is there later was restored by somebody. Kept for good: marks
    // of before count for nothing.
    std::optional<TimePoint> gone_at;
    std::optional<TimePoint> written_at;  // last write that Azure accepted, or its end: reads may miss it for minutes
};

// A document that was there and is gone.
struct RemovedDocument {
    ObjectKey key;
    ResourceId id;
    DeletionPolicy deletion_policy = DeletionPolicy::orphan;
    Mode mode = Mode::manage;
    TimePoint first_missing{};  // first complete snapshot without it
    int snapshots_missing = 0;  // complete snapshots without it
    std::optional<std::string> hold;
};

struct SourceHealth {
    bool complete = true;  // every source readable, every document of the scope valid
    bool empty = false;    // some source declares nothing, and nobody released that revision
    std::optional<std::string>
        frozen;  // reason: emptied, shrank by more than 20 %, …; released by approval of that revision
    std::vector<std::string> problems;  // "versions.yaml: GD1003 …" for the message
    std::string revision;               // of the source that is empty or frozen: what a person approves
};

struct Prices {  // per GB-month by storage account type; egress per GB
    std::map<std::string, double> snapshot_gb_month;
    double egress_gb = 0;
    std::string currency = "USD", date;
};

// Asked questions, never compared with strings.
class Policy {
  public:
    // ---- inputs, set by the program ----
    std::string instance;                // id of this daemon: first part of the owner tag
    bool observe = false;                // --observe
    bool allow_deletes = false;          // --allow-deletes
    bool prune = false;                  // --prune
    bool leader = true;                  // lease held with time left (interlock 11)
    bool journal_writable = true;        // interlock 12 can be kept
    std::optional<Duration> clock_skew;  // |our clock - server Date|; nullopt: unknown
    SourceHealth source;
    std::set<std::string> approvals;                // digests that people approved and that have not expired
    std::map<std::string, ResourceRecord> records;  // by ResourceId::key()
    std::map<std::string, VersionUsage> usage;      // by ResourceId::key(); absent = unknown
    std::set<std::string> locked;                   // ResourceId keys with a delete lock (known from a refused delete)
    std::vector<RemovedDocument> removed;           // of this scope
    int deletes_last_hour = 0;                      // in this subscription
    int deletes_per_hour_max = 20;
    Prices prices;
    // Offset of an IANA time zone from UTC at that instant, for deletion windows; from the program, which reads the
    // zone files. Unset, or nullopt for a zone: unknown, so a window in that zone never opens.
    std::function<std::optional<Duration>(const std::string& zone, TimePoint at)> zone_offset;

    // ---- questions ----
    bool may_write(Mode mode) const { return !observe && leader && mode == Mode::manage; }
    const ResourceRecord* find_record(const ResourceId& id) const;
    VersionUsage usage_of(const ResourceId& id) const;
    bool is_approved(const std::string& digest) const { return !digest.empty() && approvals.contains(digest); }
};

// Tags that we write (contract §1).
inline constexpr const char* owner_tag = "galleryd-owner";
inline constexpr const char* delete_after_tag = "galleryd-delete-after";
inline constexpr const char* delete_rule_tag = "galleryd-delete-rule";
inline constexpr const char* hold_tag = "galleryd-hold";

// "INSTANCE/KIND/NAMESPACE/NAME" as the owner tag's value (KIND stands for the source part: it tells objects of one
// name apart).
std::string owner_tag_value(const std::string& instance, const ObjectKey& key);
struct Owner {
    std::string instance, kind, namespace_name, name;
};
std::optional<Owner> parse_owner_tag(const std::optional<std::string>& value);

}  // namespace galleryd
