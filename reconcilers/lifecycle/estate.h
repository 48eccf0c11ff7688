#pragma once
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "controller/core/observed.h"
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
    std::size_t rows() const { return galleries_.size() + definitions_.size() + versions_.size(); }

    static constexpr std::chrono::minutes stale_after{10};
    static constexpr std::chrono::minutes overlap{10};  // change records appear up to five minutes late

  private:
    template <class Observed>
    struct Row {
        Observed observed;
        std::uint64_t print = 0;       // of everything that plans depend on
        std::uint64_t generation = 0;  // of the look that saw it last
    };
    template <class Observed>
    using Rows = std::map<ResourceId, Row<Observed>>;

    void on_gallery(ObservedGallery row) override;
    void on_definition(ObservedDefinition row) override;
    void on_version(ObservedVersion row) override;
    template <class Observed>
    void take(Rows<Observed>& rows, Observed observed);
    template <class Observed>
    void drop_unseen(Rows<Observed>& rows);
    void touch(const ResourceId& id, ResourceKind kind);
    void forget(const ResourceChange& change);
    Task<void> look_at_all(std::vector<std::string> subscriptions, std::size_t parallel);
    Task<void> look_at_changes(std::vector<std::string> subscriptions);

    Inventory& inventory_;
    Clock& clock_;
    Rows<ObservedGallery> galleries_;
    Rows<ObservedDefinition> definitions_;
    Rows<ObservedVersion> versions_;
    std::set<std::string> covered_, unreadable_;  // subscriptions, lower case
    std::uint64_t generation_ = 0;
    std::optional<TimePoint> watermark_;     // by Azure's clock: that is what change records carry
    std::chrono::nanoseconds refreshed_{0};  // monotonic
    std::map<std::string, TimePoint> seen_changes_;
    EstateUpdate update_;  // of the refresh under way
};

}  // namespace galleryd
