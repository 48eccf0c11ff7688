#pragma once
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "controller/core/desired.h"
#include "controller/core/policy.h"
#include "controller/ports/journal.h"
#include "reconcilers/lifecycle/scope.h"

// From looks at a source to what counts as declared (behaviour §2). A document is present, removed, invalid or
// unreadable, and the four are never mixed up: only `removed` can ever lead to a deletion. What is invalid or
// unreadable keeps its last good content.
namespace galleryd {

// Canonical JSON texts of documents back into objects; the documents adapter behind a function, so that this stays
// pure.
using ParseDocuments = std::function<DesiredObjects(const std::vector<GoodDocument>&)>;
// One object of the set as canonical JSON text.
using PrintDocument = std::function<std::string(const DesiredObjects&, const ObjectKey&)>;

struct AcceptedSnapshot {
    DesiredObjects objects;                     // what to reconcile now
    std::vector<RemovedDocument> removed;       // gone from a complete, unfrozen source
    std::vector<GoodDocument> documents;        // to be kept in the journal
    std::set<ObjectKey> held_back;              // documents that stand on their last good content
    std::map<ObjectKey, std::string> problems;  // first problem of each invalid document, with its place
    std::map<ObjectKey, std::string> notes;     // others that stand on their last good content: whose fault that is
    bool readable = true;
    std::string unreadable_reason;
    std::optional<std::string> frozen;         // reason; released by approval of `revision`
    bool released = false;                     // a person approved `revision`
    std::vector<std::string> source_problems;  // files that did not parse far enough to say what they declare
    std::vector<std::string> double_claims;    // objects that another source claims as well (filled by who knows both)
    std::string source, revision;
    std::size_t valid = 0, invalid = 0;
    std::size_t declared = 0;            // how many `objects` there were, also where they are kept elsewhere
    std::vector<DocumentRecord> broken;  // invalid and unreadable ones, as the snapshot lists them
};

struct SnapshotContext {
    TimePoint now{};
    std::set<std::string> approvals;  // revisions and digests that people released
    bool remember = true;  // false: nobody will store `documents`; they are left empty when nothing needs them
};

// `before` is the journal's set for that source ("" revision and empty on the first look).
AcceptedSnapshot accept_snapshot(Snapshot snapshot, const std::vector<GoodDocument>& before,
                                 const SnapshotContext& context, const ParseDocuments& parse,
                                 const PrintDocument& print);

// Interlock point 4 for one scope: is every source complete, non-empty, unfrozen, and every document of the scope
// valid?
SourceHealth source_health(const std::vector<AcceptedSnapshot>& sources, const Scope& scope);

}  // namespace galleryd
