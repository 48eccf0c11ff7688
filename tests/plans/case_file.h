#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "controller/core/desired.h"
#include "controller/core/observed.h"
#include "controller/core/policy.h"

// One golden case: tests/plans/<kind>/<case>.yaml. Keys:
//   why         what the behaviour is and why it has to be so; printed on failure
//   now         RFC 3339
//   base        another file under tests/plans whose `documents` and `azure` come first (optional)
//   policy      allowDeletes, prune, observe, leader, journalWritable (all as the daemon starts: false false false true
//   true),
//               clockSkew ("0s"; "unknown"), approvals (digests; "this plan" approves the plan's own deletions digest),
//               usage {VERSION or "all": in_use | not_in_use | unknown | {state, detail, wayOut,
//               evidence}} (absent: unknown),
//               records: "none", or {NAME or id: {writtenByUs, document, lastApplied: current | other, inFlight,
//               failures, lastFailureAt, regionRetries, regionRetryAfter, regionReadds, removalFailedAt, excludedByUs,
//               tombstone, deletedAt, appliedTags}}; a resource whose owner tag names this instance ("test") has the
//               fitting record unless something else is said, removed [{kind, name, id, deletionPolicy, mode,
//               missingSince, snapshots, hold}], source {complete, empty, frozen, problems, revision}, locked [NAME or
//               id], deletesLastHour, deletesPerHourMax, prices {snapshot, egress}
//   documents   full manifests, read by the documents adapter
//   azure       ARM bodies as a GET prints them, decoded by the azure adapter
//   view        {complete: true, galleryExists: true, groupExists: true} (optional)
//   scope       gallery | definition | all (default: by folder: gallery for tests/plans/gallery, else definition)
//   show        [verdicts, regions, latest, cost] lines to print besides the plan's rows (optional)
//   plan        the expected text, a literal block; always the last key, so that UPDATE_GOLDEN=1 can rewrite it
namespace galleryd::plans {

struct Estate {  // Azure, by ResourceId::key()
    std::map<std::string, ObservedGallery> galleries;
    std::map<std::string, ObservedDefinition> definitions;
    std::map<std::string, ObservedVersion> versions;
    std::map<std::string, ObservedResourceGroup> groups;
    std::map<std::string, ObservedStorageAccount> storage;
    std::vector<ObservedRoleAssignment> assignments;
};

struct Case {
    std::filesystem::path path;
    std::string why, scope, expected;
    TimePoint now{};
    Policy policy;
    bool approves_itself = false;
    DesiredObjects objects;
    Estate azure;
    bool view_complete = true, gallery_exists = true, group_exists = true;
    std::vector<std::string> show;
    bool shows(const std::string& what) const;
};

// Throws std::runtime_error with a sentence when the case itself is wrong (a document that is not valid, an unknown
// key).
Case read_case(const std::filesystem::path& path, const std::filesystem::path& root);

// Puts `plan` in place of the expectation, leaving everything before it as it is.
void rewrite_expectation(const std::filesystem::path& path, const std::string& plan);

}  // namespace galleryd::plans
