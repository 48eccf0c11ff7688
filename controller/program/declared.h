#pragma once
#include <map>
#include <optional>
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
    struct Moved {
        std::set<std::string> edited;  // scopes whose documents changed, or what is known of them
        bool health_changed = false;   // of a source: what may be deleted anywhere depends on it
        bool nothing = false;          // another look at the same: not even a counter has moved
    };
    // Takes a look at one source over. Fails only when the journal cannot be read or written; then nothing was taken
    // over.
    Result<Moved> accept(Snapshot snapshot);
    Status forget_removed(const std::set<ObjectKey>& keys);  // removed documents that have nothing left to say

    const std::map<std::string, Scope>& scopes() const { return scopes_; }
    const Scope* find_scope(const std::string& name) const;  // null: no longer declared
    const DesiredObjects& objects() const { return sources_.size() == 1 ? sources_.front().objects : merged_; }
    const std::vector<AcceptedSnapshot>& sources() const { return sources_; }
    // Objects that two sources claim, "…; neither is written": not part of objects() and scopes().
    const std::vector<std::string>& double_claims() const { return double_claims_; }
    std::string revision() const;  // of all sources together
    // Gone for as long as both clocks say; the journal's wall time counts for what was gone when this process started.
    RemovedDocument aged(RemovedDocument removed) const;

  private:
    Result<Snapshot> again(const Snapshot& unchanged, DesiredObjects& held);
    DesiredObjects parse(std::vector<GoodDocument> documents, const std::string& source,
                         std::optional<Error>& error) const;
    Status store(const std::string& source, const std::vector<GoodDocument>& before,
                 std::vector<GoodDocument>& documents);
    Status forget_moved();
    void note_missing(const AcceptedSnapshot& accepted, TimePoint now);
    void tell(const AcceptedSnapshot& accepted, const AcceptedSnapshot* before);
    void rebuild();
    bool is_at_rest(const Snapshot& unchanged) const;
    std::uint64_t print_of(const Scope& scope) const;  // of everything that is declared of it
    std::set<std::string> find_edited();
    void refuse_double_claims();

    Journal& journal_;
    Clock& clock_;
    EventRecorder& events_;
    bool remember_;
    std::vector<AcceptedSnapshot> sources_;                            // by source, in order of first look
    std::map<std::string, std::vector<GoodDocument>> good_documents_;  // content only where the journal has not got it
    std::vector<std::string> double_claims_;
    DesiredObjects merged_;  // of several sources; a single one is not copied
    std::map<std::string, Scope> scopes_;
    std::map<std::string, std::uint64_t> prints_;  // by scope, when `accept` ended last
    // Since when documents are missing, by monotonic time: a step of the wall clock does not age a removal.
    std::map<ObjectKey, std::chrono::nanoseconds> missing_since_;
    std::set<std::string> stored_;  // sources whose last good documents are in the journal
};

}  // namespace galleryd
