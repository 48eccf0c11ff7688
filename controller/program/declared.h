#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "controller/ports/clock.h"
#include "controller/ports/journal.h"
#include "reconcilers/lifecycle/desired_store.h"
#include "reconcilers/lifecycle/events.h"
#include "reconcilers/lifecycle/scope.h"

// What is declared, from every source together: looks at sources in, objects and scopes out. Owns the last good
// documents (journal) and the memory of what is missing since when.
namespace galleryd {

class Declared {
  public:
    // `remember`: false for `plan`, which stores nothing.
    Declared(Journal& journal, Clock& clock, EventRecorder& events, bool remember)
        : journal_(journal), clock_(clock), events_(events), remember_(remember) {}

    Status load();  // the last good documents; call once before anything else
    // Takes a look at one source over. Returns the scopes to look at: all, when anything changed. Fails only when the
    // journal cannot be written.
    Result<std::set<std::string>> accept(Snapshot snapshot);
    Status forget_removed(const ObjectKey& key);  // a removed document that has nothing left to say

    const std::map<std::string, Scope>& scopes() const { return scopes_; }
    const Scope* find_scope(const std::string& name) const;  // null: no longer declared
    const DesiredObjects& objects() const { return sources_.size() == 1 ? sources_.front().objects : merged_; }
    const std::vector<AcceptedSnapshot>& sources() const { return sources_; }
    std::string revision() const;  // of all sources together
    // Gone for as long as both clocks say; the journal's wall time counts for what was gone when this process started.
    RemovedDocument aged(RemovedDocument removed) const;

  private:
    void note_missing(const AcceptedSnapshot& accepted, TimePoint now);
    void tell(const AcceptedSnapshot& accepted, const AcceptedSnapshot* before);
    void rebuild();
    void refuse_double_claims();

    Journal& journal_;
    Clock& clock_;
    EventRecorder& events_;
    bool remember_;
    std::vector<AcceptedSnapshot> sources_;  // by source, in order of first look
    std::map<std::string, std::vector<GoodDocument>> good_documents_;
    DesiredObjects merged_;  // of several sources; a single one is not copied
    std::map<std::string, Scope> scopes_;
    // Since when documents are missing, by monotonic time: a step of the wall clock does not age a removal.
    std::map<ObjectKey, std::chrono::nanoseconds> missing_since_;
};

}  // namespace galleryd
