#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "controller/core/desired.h"
#include "controller/core/observed.h"
#include "controller/ports/clock.h"
#include "controller/ports/gallery_api.h"
#include "controller/ports/side_by_side.h"
#include "controller/ports/task.h"

// Looks at one scope in Azure. A view is complete or it is an error: a failed read never becomes "empty". Replication
// status comes only from `$expand=ReplicationStatus`, one GET a version, so a finished one is remembered until the
// version changes. What does not need another's answer is read side by side, the same requests as one after the other;
// what was on the wire when a read failed still ends and is remembered.
namespace galleryd {

struct GalleryLook {
    ResourceId id;
    bool wants_role_assignments = false;
    std::optional<ResourceId> storage_account;
    bool wants_definition_names = false;  // for the deletion of a removed gallery
};

struct DefinitionLook {
    ResourceId id;
    bool wants_role_assignments = false;
    // Keys of versions whose replication is not asked for one by one: many operations run, and each end is read anyway.
    std::set<std::string> not_expanded = {};
};

class Observer {
  public:
    Observer(GalleryApi& api, Clock& clock, SideBySide side_by_side)
        : api_(api), clock_(clock), side_by_side_(std::move(side_by_side)) {}
    Task<GalleryView> look(GalleryLook what);
    Task<DefinitionView> look(DefinitionLook what);
    // |our clock - server Date| of the last answer that carried a Date; nullopt before the first.
    std::optional<Duration> clock_skew() const { return clock_skew_; }
    void forget(const ResourceId& version) { settled_.erase(version.key()); }
    void note(const ObservedVersion& fresh);               // a strong read of somebody else, with replication
    void forget_below(const std::string& definition_key);  // its versions moved
    // Replication that is remembered, for versions that look exactly as they did then.
    void fill_known(DefinitionView& view) const;

  private:
    struct Settled {
        std::string fingerprint;
        std::map<std::string, RegionReplication> replication;
        std::chrono::nanoseconds seen{0};  // monotonic; looked at again after an hour
    };
    struct Reading;  // one look, while it is made
    void note_skew(const ObservedBase& base);
    boost::asio::awaitable<bool> read_assignments(Reading& reading, ResourceId scope);
    boost::asio::awaitable<bool> read_definition_names(Reading& reading, ResourceId gallery);
    boost::asio::awaitable<bool> read_storage(Reading& reading, ResourceId account);
    boost::asio::awaitable<bool> read_versions(Reading& reading, const DefinitionLook& what);
    boost::asio::awaitable<bool> read_version(Reading& reading, std::size_t which);
    boost::asio::awaitable<void> read_all(Reading& reading);
    const Settled* find_settled(const ObservedVersion& version) const;
    void drop_gone(const ResourceId& definition, const std::vector<ObservedVersion>& versions);

    GalleryApi& api_;
    Clock& clock_;
    SideBySide side_by_side_;
    std::map<std::string, Settled> settled_;  // by version key: every wanted region Completed
    std::optional<Duration> clock_skew_;
};

}  // namespace galleryd
