#pragma once
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "controller/core/observed.h"
#include "controller/core/shelf.h"
#include "controller/ports/clock.h"
#include "controller/ports/inventory.h"
#include "controller/ports/task.h"

// What Resource Graph says is there: galleries, definitions and versions of whole subscriptions, kept up to date with
// one request an interval. It lags, so it only ever answers "is there anything to do here?": whatever is to be done is
// looked at again by reads of the resources themselves (behaviour §3; controller/decisions/0025).
namespace galleryd {

struct EstateUpdate {
    std::set<std::string> touched;  // keys of galleries and definitions (a version touches its definition) that changed
    std::size_t requests = 0, rows = 0;
    bool was_full = false;
};

// The rows of one definition.
struct DefinitionRows {
    std::optional<ObservedDefinition> definition;
    std::vector<ObservedVersion> versions;  // sorted by id
};

class Estate : private InventorySink {
  public:
    Estate(Inventory& inventory, Clock& clock) : inventory_(inventory), clock_(clock) {}

    // Full: every row, and rows that did not come again go. Otherwise only what changed since the last time (full when
    // that is not known, when a subscription is new, or when Resource Graph lost track). Never called twice at a time.
    // On an error what arrived is kept and nothing goes.
    Task<EstateUpdate> refresh(std::vector<std::string> subscriptions, bool full, std::size_t parallel);

    // Whether the rows of that subscription are whole and not older than `stale_after`.
    bool covers(const std::string& subscription) const;
    std::set<std::string> unreadable() const { return unreadable_; }  // lower case; Resource Graph left them out

    // Views without replication status, role assignments, sharing groups and storage; nullopt when not covered.
    std::optional<GalleryView> gallery(const ResourceId& id) const;
    std::optional<DefinitionView> definition(const ResourceId& id) const;
    std::size_t rows() const;

    static constexpr std::chrono::minutes stale_after{10};
    static constexpr std::chrono::minutes overlap{10};  // change records appear up to five minutes late

  private:
    // What is kept of a row besides its content.
    struct Mark {
        std::uint64_t print = 0;       // of everything that plans depend on
        std::uint32_t generation = 0;  // of the look that saw it last
    };
    struct VersionMark : Mark {
        std::uint64_t name = 0;  // hash of the version's key
    };
    // A definition with its versions; ten thousand of them are known and one is looked at, so the content lies packed.
    struct Drawer {
        std::optional<Mark> definition;  // nullopt: only versions are known
        std::vector<VersionMark> versions;
        std::string packed;  // of DefinitionRows; "" = empty
    };
    struct GalleryRow {
        ObservedGallery observed;
        Mark mark;
    };
    struct Open {  // the drawer used last: rows come sorted by id
        ResourceId id;
        DefinitionRows rows;
    };

    void on_gallery(ObservedGallery row) override;
    void on_definition(ObservedDefinition row) override;
    void on_version(ObservedVersion row) override;
    std::pair<const ResourceId, Drawer>* drawer_of(const ResourceId& version);  // null: not the id of a version
    DefinitionRows& open(const ResourceId& definition);
    void close();
    DefinitionRows content(const ResourceId& definition) const;
    void drop_unseen();
    void drop_version(const ResourceId& definition, Drawer& drawer, std::uint64_t name);
    void drop_empty(const ResourceId& definition);
    void touch(const ResourceId& id, ResourceKind kind);
    void forget(const ResourceChange& change);
    Task<void> look_at_all(std::vector<std::string> subscriptions, std::size_t parallel);
    Task<void> look_at_changes(std::vector<std::string> subscriptions);

    Inventory& inventory_;
    Clock& clock_;
    std::map<ResourceId, GalleryRow> galleries_;
    std::map<ResourceId, Drawer> drawers_;                        // by definition
    std::pair<const ResourceId, Drawer>* last_drawer_ = nullptr;  // that a version's row went to
    std::optional<Open> open_;
    Shelf shelf_;
    std::set<std::string> covered_, unreadable_;  // subscriptions, lower case
    std::uint32_t generation_ = 0;
    std::optional<TimePoint> watermark_;     // by Azure's clock: that is what change records carry
    std::chrono::nanoseconds refreshed_{0};  // monotonic
    std::map<std::string, TimePoint> seen_changes_;
    EstateUpdate update_;  // of the refresh under way
};

}  // namespace galleryd
