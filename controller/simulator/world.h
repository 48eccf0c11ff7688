#pragma once
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "controller/core/time.h"
#include "controller/ports/clock.h"
#include "controller/simulator/graph_log.h"
#include "controller/simulator/json.h"
#include "controller/simulator/login_state.h"
#include "controller/simulator/simulator.h"
#include "controller/simulator/surroundings.h"

// Internal: everything that exists, the operations under way, and time.
namespace galleryd::simulator {

class SeededRandom : public Random {  // splitmix64
  public:
    explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next() override;
    std::string guid();
    std::string base64url(std::size_t characters);
    double between(double low, double high) { return low + (high - low) * unit(); }

  private:
    std::uint64_t state_;
};

// The copy of a version in one region.
struct RegionCopy {
    std::string region;  // short
    TimePoint starts, done;
    std::string failure;  // what `details` says once done, "" when it succeeds
};

struct Resource {
    std::string id, key;             // as first written; folded
    std::string type;                // folded
    Json body;                       // as a GET prints it
    std::vector<RegionCopy> copies;  // versions, in the order of targetRegions
    Json arriving;                   // storageProfile members that appear when provisioning has finished
    std::string operation;           // guid of the running operation
    bool deleting = false;
    Json previous;  // the body before the last change, and when that was: stale reads
    TimePoint changed_at;
    std::string name() const;
    std::string subscription() const;
    std::string group() const;
    std::string location() const { return text_of(body, "location"); }
    std::string state() const;  // provisioningState
    void set_state(std::string_view state);
};

enum class OperationKind : std::uint8_t { create, update, remove, share, remove_group, storage };

struct Operation {
    std::string guid, subscription, location, api_version, key;  // key: the resource's
    OperationKind kind = OperationKind::create;
    std::string started_text, ended_text;
    TimePoint started, ends;
    std::string signature;  // "t=…&c=…&s=…&h=…"
    std::string error_code, error_message;
    bool finished = false, hangs = false, lost = false, bypass_soft_delete = false;
};

struct SoftDeleted {
    Resource resource;
    TimePoint at, consumable_until, gone_at;
    std::string at_text, consumable_until_text, gone_at_text;
};

class World {
  public:
    World(Options options_in)
        : options(std::move(options_in)),
          random(options.seed),
          id_random(options.seed ^ 0x9e3779b97f4a7c15ULL),
          changes(options) {}
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    Options options;
    TimePoint now{};
    SeededRandom random;     // durations and chances
    SeededRandom id_random;  // guids and signatures: their number must not move the durations

    ChangeLog changes;  // what Resource Graph does not show yet, and its change records
    std::string actor;  // whose request is being served, "" while time passes
    // Must stand before every change of a body in place; put, erase and the end of operations call it themselves.
    void note_update(const Resource& resource) { note(ChangeKind::update, resource, &resource.body); }

    Resource* find(std::string_view key);
    const Resource* find(std::string_view key) const;
    Resource& put(Resource resource);  // replaces the one with the same key
    void erase(const std::string& key);
    // The body of what went away so lately; null when it did not (a lagging replica still shows it).
    const Json* gone_lately(std::string_view key, Duration within) const;
    const std::map<std::string, Resource, std::less<>>& resources() const { return resources_; }
    // Direct children of one type: key "…/galleries/g", type segment "images". In order of key; stops when `visit` says
    // false.
    void visit_children(std::string_view key, std::string_view segment,
                        const std::function<bool(const Resource&)>& visit) const;
    bool has_children(std::string_view key) const;  // anything below the key
    std::size_t count(const std::string& subscription, const std::string& region, const std::string& type) const;

    Operation& begin(Resource& resource, OperationKind kind, const std::string& api_version, Duration lasts);
    Operation* find_operation(const std::string& guid);
    void preempt(Resource& resource);  // the running operation ends as failed, now
    void advance(TimePoint to);        // finishes what is due, in order of time
    std::optional<TimePoint> next_event() const;
    Duration operation_length(std::string_view method, const std::string& id, Duration drawn) const;

    std::string timestamp(TimePoint time);  // .NET round-trip text with up to seven digits
    void remember_gone_child(const std::string& parent, const std::string& child);
    std::vector<std::string> gone_children(
        const std::string& parent) const;  // still counted against the parent's deletion
    std::optional<std::string> lock_on(std::string_view key, bool for_delete) const;  // id of the lock's scope
    std::string pick_failure(const std::string& region);  // details when a copy to this region is to fail, else ""

    std::map<std::string, SoftDeleted> soft_deleted;  // by the version's key
    std::vector<RegionFailure> region_failures;
    std::set<std::string> subscriptions, tenants, unknown_principals;
    std::set<std::string> unreadable_subscriptions;  // lower case
    std::map<std::string, std::string> secrets;      // client id -> secret, when the state names some
    LoginState login;
    Surroundings around;

  private:
    void note(ChangeKind kind, const Resource& resource, const Json* before);
    void finish(Operation& operation);
    void finish_removal(const Operation& operation);

    std::map<std::string, Resource, std::less<>> resources_;
    std::map<std::string, std::size_t> counts_;  // "subscription/region/type"
    std::set<std::string> locks_;                // keys
    std::unordered_map<std::string, Operation> operations_;
    std::multimap<TimePoint, std::string> due_;
    struct Gone {
        std::string child;
        TimePoint until;
    };
    std::map<std::string, std::vector<Gone>> gone_;
    struct Body {
        Json body;
        TimePoint at;
    };
    std::map<std::string, Body, std::less<>> gone_bodies_;  // the last few
};

std::string version_parent(std::string_view key);  // key without its last type and name
Json replication_status(const Resource& version, TimePoint now);

}  // namespace galleryd::simulator
