#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "controller/core/plan.h"
#include "controller/core/result.h"
#include "controller/program/plan_header.h"

// `plan --out FILE` and `apply FILE`. The file is the plan's JSON and what tells a stale one: apply plans again from
// the same sources and only goes on when nothing moved. Nothing is ever applied out of the file itself, so an edited
// file cannot do harm.
namespace galleryd {

// One step of a saved plan, as far as people need it to see what moved.
struct SavedStep {
    std::string address, kind, action, detail;  // detail: the fields, "/description: old -> new"
    friend bool operator==(const SavedStep&, const SavedStep&) = default;
};

struct SavedScope {
    std::string id, observed_digest, deletions_digest;
    std::vector<SavedStep> steps;  // in the order of the plan
};

struct SavedPlan {
    std::string id;  // "sha256:…" over all scopes
    std::string galleryd_version;
    std::string observed_at;                   // RFC 3339
    PlanHeader header;                         // sources and Azure to look at again
    std::map<std::string, SavedScope> scopes;  // by scope name
    int deletions = 0;                         // steps that delete, for --approve-deletes
};

// Written beside the target with mode 0600, synced, then renamed over it: a reader sees the old file or the new one.
// Errors: `denied` (permission, directory missing), `transient` (disk full, …), both with GD5043.
Status write_saved_plan(const std::string& path, const std::vector<Plan>& plans, const PlanHeader& header);

// Errors: `invalid` with GD5040 when the file is not there, not readable, larger than 64 MiB, not JSON, or not a plan
// of format 1.x.
Result<SavedPlan> read_saved_plan(const std::string& path);
// The same of a file's text; `path` is for messages.
Result<SavedPlan> parse_saved_plan(std::string_view text, const std::string& path);

// What moved since the plan was saved, one sentence each, sorted; empty when it may be applied. A scope that changed in
// Azure, in the documents or in what is allowed counts as moved, and so does one that appeared or went away.
std::vector<std::string> compare(const SavedPlan& saved, const std::vector<Plan>& fresh);

}  // namespace galleryd
