#pragma once
#include <optional>
#include <string>
#include <vector>

#include "controller/core/observed.h"
#include "controller/core/plan.h"
#include "controller/core/policy.h"
#include "controller/core/result.h"

// The interlock (behaviour §6): twelve points that all have to hold before anything is taken away. Pure, and closed by
// default: every fact of a question starts out as the answer that stops, so a caller who forgets one cannot delete by
// accident.
namespace galleryd {

enum class Destruction : std::uint8_t {
    delete_version,        // asks all twelve points
    delete_definition,     // all twelve; usage and keep rules are those of its versions: it must have none left
    delete_gallery,        // the same, one level up
    remove_region,         // all but 8 (no date is involved)
    remove_failed_region,  // 1, 2, 3, 4, 5, 6, 11, 12: it holds no completed replica, so no capacity goes
    lower_replicas,        // the same: a replica stays in every region, so no use breaks
    remove_access,         // 1, 2, 3, 4, 11, 12: takes a permission away, no image
};
std::string_view to_string(Destruction destruction);  // "delete version", "remove region", …
bool asks(Destruction destruction, int point);        // does this destruction ask that point (1..12)?

enum class OwnershipProof : std::uint8_t {
    none,
    document,  // the owner tag on the live resource names this instance and document, and our own record agrees
    policy_governs_all,  // published by others, in a definition that is ours, under a policy with governs: All
                         // (deletions: action: Delete)
};

// What the brake would let through. A plan that holds more is deleted from only after a person approved its digest.
struct BrakeQuestion {
    int deletions = 0;  // of the same kind in this plan, this one included
    int per_pass_max = 0;
    std::optional<int> percent_max;  // nullopt: not asked (region and replica steps)
    int versions_total = 0;          // what the percentage is of
    int hourly_left = 0;             // of the subscription's hourly budget, for this one and those after it
    std::optional<DeletionWindow> window;
    bool approval_required = true;
    bool approved = false;  // a person approved exactly this digest
    std::string digest;     // "sha256:…"
};
// The number of deletions that pass without approval: per pass, and percent of the definition rounded down but at
// least 1.
int brake_limit(const BrakeQuestion& brakes);

struct InterlockQuestion {
    Destruction destruction = Destruction::delete_version;
    std::string name = "VERSION";    // of the version, as verbs take it: "golden/ubuntu-2404/1.8.0"
    const Policy* policy = nullptr;  // nullptr blocks
    TimePoint now{};
    Mode mode = Mode::suspend;                        // 1
    OwnershipProof ownership = OwnershipProof::none;  // 2
    std::string ownership_problem;                    //    for the message when it is none
    std::string positive_reason;  // 3: "standard/olderThan", "document removed", "tier archive"; "" blocks
    const RemovedDocument* removed =
        nullptr;  //    with a removed document: deletionPolicy, --prune, snapshots and their age are asked
    bool view_complete = false;  // 5
    ProvisioningState state = ProvisioningState::unknown;
    bool operation_in_flight = true;
    bool identity_known = false;          //    published date read (what tells a re-created resource from the old one)
    std::optional<TimePoint> refused_at;  //    Azure refused or failed the same removal then: not again for an hour
    std::vector<std::string> holds;       // 6: reasons of people: "annotation galleryd.io/hold: …", "tag keep=true"
    std::vector<std::string> hold_ways_out;  //    what ends each of them
    bool locked = false;                     //    a lock is known
    bool blocked_until_end_of_life = false;  //    Azure's flag (we never clear it in order to delete)
    bool end_of_life_unknown = false;        // 8: there is a date and it cannot be read
    std::optional<TimePoint> end_of_life;
    bool end_of_life_counts = true;        //    false only for a version that was never provisioned
    std::optional<TimePoint> grace_until;  //    the mark's date
    VersionUsage usage;                    // 7
    bool usage_ignored = false;            //    policy says inUse: Ignore
    std::string keep_rule;                 // 9: rule and sentence that keeps it; "" = none
    std::string keep_text = "nothing was checked";
    BrakeQuestion brakes;  // 10
};

// Every point that is asked and does not hold, all at once, in the order of the points. Empty: it may pass.
std::vector<BlockReason> interlock(const InterlockQuestion& question);

// The same without the points that a person or time releases (10): what is left then only waits for approval, brake or
// window.
bool waits_only_for_release(const std::vector<BlockReason>& reasons);

// Of the window's time zone from UTC. UTC, "Etc/GMT±n" and fixed offsets are known here; other names need
// `Policy::zone_offset`.
std::optional<Duration> window_offset(const DeletionWindow& window, TimePoint now, const Policy& policy);
// Is it within the window? Unknown time zones never open it.
bool is_in_window(const DeletionWindow& window, TimePoint now, const Policy& policy);

// Point 5 again at write time, with the strong GET that was read right before the request: read at most 30 s ago, the
// same resource as planned (published date, source, nothing changed), state Succeeded or Failed. Also looks once more
// at what could have been added since: a hold, and the mark's date and end of life by the server's clock. Errors:
// `conflict` ChangedSincePlan (look again), `denied` for a hold, `not_ready` for an answer that is too old.
Status check_fresh(const Fingerprint& seen, const ObservedVersion& fresh, TimePoint now);

inline constexpr std::chrono::seconds fresh_look_age_max{30};
// From the question to its answer: with the ten seconds for which a write may wait for its turn (ArmOptions::
// wait_inside_max) a look is no older than fresh_look_age_max when the request leaves.
inline constexpr std::chrono::seconds fresh_look_takes_max{20};
inline constexpr std::chrono::minutes clock_skew_max{5};
// The way out where the digest is not known yet; finish_plan puts it in.
inline constexpr const char* approve_unnamed = "galleryd approve DIGEST";
inline constexpr std::chrono::minutes removed_age_min{15};
inline constexpr int removed_snapshots_min = 2;
inline constexpr std::chrono::hours refused_removal_pause{1};

}  // namespace galleryd
