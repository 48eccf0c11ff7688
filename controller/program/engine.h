#pragma once
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "controller/core/plan.h"
#include "controller/core/status.h"
#include "controller/ports/clock.h"
#include "controller/ports/gallery_api.h"
#include "controller/ports/journal.h"
#include "controller/ports/log.h"
#include "controller/ports/metrics.h"
#include "controller/ports/usage.h"
#include "controller/program/declared.h"
#include "controller/program/packing.h"
#include "controller/program/status_book.h"
#include "controller/program/usage_desk.h"
#include "controller/runtime/event.h"
#include "reconcilers/lifecycle/absence.h"
#include "reconcilers/lifecycle/estate.h"
#include "reconcilers/lifecycle/events.h"
#include "reconcilers/lifecycle/executor.h"
#include "reconcilers/lifecycle/gallery_credentials.h"
#include "reconcilers/lifecycle/look_troubles.h"
#include "reconcilers/lifecycle/observer.h"
#include "reconcilers/lifecycle/operation_follower.h"
#include "reconcilers/lifecycle/quiet_scopes.h"
#include "reconcilers/lifecycle/resource_memory.h"
#include "reconcilers/lifecycle/usage_book.h"

// The one engine behind plan, apply, run and demo: documents in, plans out, Azure follows. Owned by the loop thread.
namespace galleryd {

struct DefinitionScopeInput;
struct Forecast;

struct EngineOptions {
    std::string instance = "galleryd";  // who owns what we make: first part of the owner tag
    std::string asked_by = "daemon";    // for the audit trail
    bool observe = false, allow_deletes = false, prune = false;
    bool remember_documents = true;  // false for `plan`, which stores nothing
    // False for commands: the last good content that they remember may be older than what somebody else applied since.
    bool reconcile_held_back = true;
    bool galleries_have_credentials = false;  // some may: where that is not known yet, nobody looks (--credentials-dir)
    std::size_t source_count = 1;             // nothing is written before each of them has been looked at once
    Prices prices;
    int deletes_per_hour_max = 20;
    // Offset of a named time zone, for deletion windows; unset: windows in named zones stay shut.
    std::function<std::optional<Duration>(const std::string& zone, TimePoint at)> zone_offset;
    std::chrono::seconds drift_interval{60};
    std::chrono::seconds full_interval{3600};  // with an inventory: a scope where nothing is to be done
    std::chrono::seconds progress_interval{15};
};

struct PassResult {
    std::string scope;
    std::optional<Plan> plan;  // nullopt: the look failed
    ApplyReport applied;
    bool is_news = false;        // of statuses, plan or versions: something that is told of the scope is another
    bool is_told = false;        // of `error`: an event names it, for all scopes that share its cause
    bool was_read = false;       // false: Resource Graph says that nothing is to be done; no resource was read
    std::optional<Error> error;  // of the look, or of the journal
    std::chrono::nanoseconds look_again_after{0};
};

class Engine {
  public:
    Engine(GalleryApi& api, Journal& journal, Clock& clock, Log& log, Metrics& metrics, EngineOptions options);

    // From now on Resource Graph says where there is something to do; without it every look reads the resources.
    void use_inventory(Inventory& inventory) {
        estate_.emplace(inventory, clock_);
        follower_.use_inventory(inventory);
    }
    bool has_inventory() const { return estate_.has_value(); }
    bool inventory_covers_all() const;  // every subscription that is declared
    // Each scope is read after the start, whatever Resource Graph says: nobody has to wait for its answer first.
    bool reads_every_scope() const;
    // Brings the inventory up to date; the scopes that moved since. Never called twice at a time.
    Task<std::set<std::string>> refresh(bool full);
    static constexpr std::chrono::minutes refresh_deadline{5};  // for who waits: 100,000 resources take 35 s of quota
    void note_inventory_error(const Error& error);
    // An event when Azure stops and begins to answer; objects become Ready=Unknown when it lasts (engine_silence.cc).
    void note_contact(bool is_away, const std::string& text);

    // From now on it is known who uses a version (engine_usage.cc); without it usage is unknown, and nothing that point
    // 7 of the interlock protects is taken away.
    // With `lists`, the subscriptions where users of a gallery were seen are asked once more right before a request, by
    // reads that do not lag.
    void use_usage(UsageReader& reader, MachineLists* lists = nullptr) {
        own_desk().askers = {.reader = &reader, .lists = lists};
    }
    // From now on galleries may have credentials of their own (engine_credentials.cc); `api` acts by the same choices.
    struct CredentialFacts {
        // Who asks with such a credential who uses a version; without it that is unknown.
        std::function<UsageAskers(const CredentialChoice&)> usage = {};
        // Credentials whose values are others than before: `refresh` names their scopes.
        std::function<std::set<std::string>()> changed = {};
    };
    void use_credentials(GalleryCredentials& choices, CredentialFacts facts) {
        credentials_ = &choices;
        credential_facts_ = std::move(facts);
    }
    // Whether every declared gallery has one, so that nothing is asked with galleryd's own.
    bool needs_no_credential() const;
    // Whether what Resource Graph shows to galleryd's own credential counts for this scope.
    bool is_in_inventory(const Scope& scope) const { return !api_.has_own_credential(scope.gallery_id); }
    const UsageBook& usage() const { return usage_desks_.at("").book; }  // by galleryd's own credential
    // Writes down what has to survive a restart, if it changed; `at_once` also within a minute of the last time.
    void remember_usage(bool at_once);

    // Reads the journal: documents, records, operations. Call once before anything else.
    Status load();
    // Operations that were in flight when the journal was last written.
    Result<std::vector<OperationRecord>> operations_in_flight();

    // Takes a look at one source over. Returns the scopes to look at. Fails only when the journal cannot be written.
    Result<std::set<std::string>> accept(Snapshot snapshot);

    const std::map<std::string, Scope>& scopes() const { return declared_.scopes(); }
    const Declared& declared() const { return declared_; }
    const std::vector<AcceptedSnapshot>& sources() const { return declared_.sources(); }

    Task<Plan> plan_scope(std::string name);  // looks and plans; writes nothing
    // The same, and what retention makes of a definition until and on that date; writes nothing.
    Task<Forecast> forecast_scope(std::string name, TimePoint at);
    Task<PassResult> pass(std::string name);              // looks, plans, applies, reports
    Task<std::string> follow(OperationRecord operation);  // until it ended; returns the scope to look at again

    // For `apply`: from now on only the destructive changes of these plans are sent, because only they were shown and
    // confirmed.
    void confirm_only(const std::vector<Plan>& plans);
    // From now on no further request that changes something is sent; what is on the wire ends.
    void stop_writing() { stopping_ = true; }
    bool all_sources_read() const { return sources().size() >= options_.source_count; }
    // Every scope has been looked at once since the start; before that nothing destructive is done.
    bool looked_everywhere() const;
    const StatusBook& statuses() const { return statuses_; }
    const PackedMap<std::string, Plan>& plans() const { return plans_; }
    // By scope: what the last look at each definition saw.
    const PackedMap<std::string, std::vector<VersionGlance>>& live_versions() const { return live_versions_; }
    ResourceRecord record_of(const ResourceId& id) const { return memory_.get(id.key()); }
    const EngineOptions& options() const { return options_; }
    const std::vector<std::string>& double_claims() const { return declared_.double_claims(); }
    std::string revision() const { return declared_.revision(); }  // of all sources together
    std::optional<TimePoint> last_look() const { return last_look_; }

  private:
    struct Look {
        Plan plan;
        std::optional<DefinitionView> definition_view;
        std::optional<ResourceId> gallery_id;  // of a gallery's scope
        std::optional<ObservedGallery> gallery;
        bool lacks(const ResourceId& id) const;
        Trust by = Trust::nothing;  // what stands for a read of the resources; nothing: they were read
        bool was_read() const { return by == Trust::nothing; }
    };
    Task<Look> look(std::string name);
    Status declare_credentials();
    bool credentials_unsaved_ = false;
    std::set<std::string> untold_;  // edited scopes of an accept that failed: the next one that succeeds tells them
    std::optional<Error> unclear_credential(const Scope& scope) const;
    std::string credential_of(const Scope& scope) const;
    std::set<std::string> scopes_of_changed_credentials();
    // What was planned waits for an answer of who uses versions, and there is a new one: plan again.
    Task<bool> learns_usage(const Scope& scope, const Plan& plan);
    static void tell_usage(Plan& plan, const Plan& hint);
    UsageDesk& own_desk() { return usage_desks_[""]; }
    UsageDesk& desk_of(const ResourceId& gallery);
    const UsageDesk* desk_named(const CredentialChoice& choice) const;  // null: nobody has asked with it
    void hand_over(const ResourceId& gallery, const UsageDesk* before);
    Task<void> read_usage(UsageDesk& desk, ResourceId gallery, UsageFor what);
    Task<void> look_at_usage(UsageDesk& desk, ResourceId gallery);
    // Right before a request; `versions` of its definition.
    Task<VersionUsage> usage_now(ResourceId version, const std::vector<ObservedVersion>* versions);
    Task<VersionUsage> without_lag(UsageDesk& desk, ResourceId version, const std::vector<ObservedVersion>* versions,
                                   VersionUsage usage);
    Task<void> list_machines(UsageDesk& desk, std::string subscription);
    std::vector<ResourceId> usage_galleries(UsageDesk& desk, const ResourceId& gallery);
    void load_usage(UsageDesk& desk);
    void follow_usage(const DefinitionView& view, const Plan& plan);
    Instant instant() const { return {.wall = clock_.now(), .monotonic = clock_.monotonic()}; }
    Task<Look> read_and_plan(Scope scope);
    std::optional<Look> hint_of(const Scope& scope);
    Trust trust(const Scope& scope, const Look& hint);
    static constexpr std::chrono::minutes progress_in_bulk{10};  // between two looks at what many operations do
    bool only_waits(const Scope& scope, const Look& hint, const Plan& last) const;
    bool is_overtaken(const std::string& name, const Plan& last, const Look& hint) const;
    void remember(const Scope& scope, PassResult& result, Look seen);
    Policy policy_for(const Scope& scope);
    bool declares_access(const Scope& definition) const;
    Plan plan_gallery(const Scope& scope, const GalleryView& view);
    Plan plan_definition(const Scope& scope, const DefinitionView& view, UsageView seen_by = UsageView::reads);
    // What a definition's plan is made from. `objects` and `view` must outlive it.
    DefinitionScopeInput input_of(const Scope& scope, const DesiredObjects& objects, const DefinitionView& view) const;
    Policy policy_for(const Scope& scope, const DefinitionView& view, UsageView seen_by);
    Forecast forecast(const Scope& scope, const DefinitionView& view, UsageView seen_by, TimePoint at);
    GalleryLook gallery_look(const Scope& scope) const;
    ApplyContext apply_context(const Scope& scope) const;
    void remember_locks(const ApplyReport& report, const Plan& plan);
    Status note_sightings(const Look& seen);
    void note_assignments(const std::optional<std::vector<ObservedRoleAssignment>>& seen);
    Status purge_removed(const Scope& scope, const Plan& plan, const Look& seen);
    bool is_gone(const RemovedDocument& removed, const Plan& plan, const Look& seen);
    bool needs_reads_of_removed(const Scope& scope, const Look& hint) const;
    bool waits_for_agreement(const std::string& scope) const;
    void keep_removed_absences();
    bool report(const Scope& scope, const PassResult& result, const DefinitionView* view);  // whether it is news
    bool is_silent() const;                   // for long enough to be told of objects
    bool report_silence(const Scope& scope);  // whether it is news
    bool report_again(const Scope& scope, const DefinitionView* view);
    void tell_troubles(const Scope& scope, const PassResult& result);
    void tell_conflicts(const std::string& scope, const Plan& plan);
    void drop_what_is_not_declared();
    void drop_statuses_beyond(const std::string& scope);
    void report_policies();
    std::vector<Condition> conditions_of_policy(const ObjectKey& key) const;
    std::chrono::nanoseconds next_look(const PassResult& result) const;

    GalleryApi& api_;
    Journal& journal_;
    Clock& clock_;
    Log& log_;
    EngineOptions options_;
    EventRecorder events_;
    Declared declared_;
    ResourceMemory memory_;
    Observer observer_;
    std::optional<Estate> estate_;
    QuietScopes quiet_;
    GalleryCredentials* credentials_ = nullptr;
    CredentialFacts credential_facts_;
    std::map<std::string, UsageDesk> usage_desks_;  // by credential; "" ours. They stay: looks under way refer to them
    LookTroubles troubles_;
    std::map<std::string, std::set<std::string>> told_conflicts_;  // by scope; what an event was written of
    Executor executor_;
    OperationFollower follower_;
    AbsenceMemory removed_absences_;

    struct Silence {
        std::chrono::nanoseconds began{0};
        std::string since;
    };
    std::optional<Silence> silence_;  // Azure answers nobody
    std::set<std::string> silent_;    // scopes of which that was told
    // Scopes whose statuses are behind: edited, or failed at the last look, since they were reported.
    std::set<std::string> to_tell_;

    StatusBook statuses_;
    PackedMap<std::string, Plan> plans_;
    PackedMap<std::string, std::vector<VersionGlance>> live_versions_;
    std::set<std::string> looked_;                             // scopes looked at since the start
    std::map<std::string, std::chrono::nanoseconds> read_at_;  // by scope; none since an operation of it ended
    std::map<std::string, TimePoint> locked_;  // resource keys that refused a deletion because of a lock
    std::optional<TimePoint> last_look_;
    bool stopping_ = false;
    std::optional<std::set<std::string>> confirmed_;  // resource key and step of the destructive changes a person saw
};

}  // namespace galleryd
