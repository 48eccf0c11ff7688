#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "controller/ports/clock.h"
#include "controller/ports/journal.h"
#include "controller/program/packing.h"
#include "reconcilers/lifecycle/desired_store.h"
#include "reconcilers/lifecycle/events.h"
#include "reconcilers/lifecycle/scope.h"

// What is declared, from every source together: looks at sources in, objects and scopes out. Owns the last good
// documents (journal) and the memory of what is missing since when.
namespace galleryd {

class Declared {
  public:
    struct Options {
        bool remember = true;             // false for `plan`, which stores nothing
        bool reconcile_held_back = true;  // false: what stands on its last good content is observed, not written
    };
    Declared(Journal& journal, Clock& clock, EventRecorder& events, Options options)
        : journal_(journal),
          clock_(clock),
          events_(events),
          remember_(options.remember),
          reconcile_held_back_(options.reconcile_held_back) {}

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
    // What a scope's plan may name: its gallery, definition, versions and policy. The objects lie packed; the last
    // scope's are at hand.
    std::shared_ptr<const DesiredObjects> objects_of(const Scope& scope) const;
    std::vector<std::shared_ptr<const DesiredObjects>> definitions_below(const ResourceId& gallery) const;
    const std::map<ObjectKey, LifecyclePolicy>& policies() const { return shared_.policies; }
    // Every gallery document of every source, also those that are refused because two sources claim them.
    std::vector<const Gallery*> gallery_documents() const;
    DesiredObjects all_objects() const;
    // By source, in order of first look; without their objects.
    const std::vector<AcceptedSnapshot>& sources() const { return sources_; }
    // Of these, what stands on its last good content and is not to blame for it: whose fault it is.
    std::map<ObjectKey, std::string> notes_on(const std::vector<ObjectKey>& keys) const;
    // What is wrong with the sources, in one line; "" when nothing is. For /readyz?verbose.
    std::string source_trouble() const;
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
    void keep(const std::string& source, const DesiredObjects& objects);
    DesiredObjects kept(const std::string& source) const;
    DesiredObjects rebuild(const std::string& source, DesiredObjects objects);
    bool is_at_rest(const Snapshot& unchanged) const;
    std::uint64_t print_of(const Scope& scope, const DesiredObjects& objects) const;  // of all that is declared of it
    std::set<std::string> find_edited(const DesiredObjects& objects);
    void refuse_double_claims(const std::map<std::string, DesiredObjects>& by_source, DesiredObjects& merged);
    std::vector<GoodDocument> good_documents(const std::string& source) const;
    void keep_good_documents(const std::string& source, const std::vector<GoodDocument>& documents);

    Journal& journal_;
    Clock& clock_;
    EventRecorder& events_;
    bool remember_, reconcile_held_back_;
    std::vector<AcceptedSnapshot> sources_;  // in order of first look; objects are in parts_
    struct GoodDocuments {
        std::string squeezed;         // content only where the journal has not got it
        bool is_any_missing = false;  // one of them is gone from its source
    };
    std::map<std::string, GoodDocuments> good_documents_;  // by source
    std::vector<std::string> double_claims_;
    std::set<ObjectKey> refused_;             // claimed twice
    std::vector<Gallery> refused_galleries_;  // of these
    // By source, then the definition's key: it with its versions.
    std::map<std::string, PackedMap<std::string, DesiredObjects>> parts_;
    DesiredObjects shared_;  // galleries and policies of every source: few, and many scopes name them
    struct AtHand {
        std::string scope, resource_key;
        std::optional<ObjectKey> gallery, policy;
        std::shared_ptr<const DesiredObjects> objects;
        bool is_of(const Scope& one) const;
    };
    mutable std::optional<AtHand> at_hand_;
    std::map<std::string, Scope> scopes_;
    std::set<std::string> untold_;                 // edited, and the journal failed before anybody was told
    std::map<std::string, std::uint64_t> prints_;  // by scope, when `accept` ended last
    // Since when documents are missing, by monotonic time: a step of the wall clock does not age a removal.
    std::map<ObjectKey, std::chrono::nanoseconds> missing_since_;
    std::set<std::string> stored_;  // sources whose last good documents are in the journal
};

}  // namespace galleryd
