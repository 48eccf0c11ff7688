#pragma once
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "controller/core/time.h"
#include "controller/simulator/json.h"
#include "controller/simulator/simulator.h"

// Internal: what changed lately, so that Resource Graph can show the world as it was: its index lags (95 % within 30 s,
// no upper bound: Azure/azure-dev#540), its change records lag more ("in less than five minutes") and are kept for
// fourteen days (azure-facts §8).
namespace galleryd::simulator {

enum class ChangeKind : std::uint8_t { create, update, remove };

struct ChangeEntry {
    TimePoint at, visible, recorded;  // when it happened, when the index shows it, when its record appears
    ChangeKind kind = ChangeKind::create;
    std::string key, id, type, guid, principal;
    std::string before;        // body before it as text; "" when there was none or it is no longer kept
    bool before_kept = false;  // false: older than what is kept of bodies
    std::string details;       // the record's `changes`, once nothing can alter it any more
    std::uint64_t next = 0;    // number of the next change of the same resource; 0 = none yet
};

class ChangeLog {
  public:
    explicit ChangeLog(const Options& options);

    // Called before a resource changes. `body` is null when it comes into being.
    void note(TimePoint now, ChangeKind kind, const std::string& key, const std::string& id, const std::string& type,
              const Json& body, const std::string& principal);
    void pause(bool paused) { paused_ = paused; }  // while an estate is loaded: it was always there
    // What the index shows at `then` instead of the world's state: by key, the first change that it does not show yet.
    std::map<std::string, const ChangeEntry*, std::less<>> hidden(TimePoint then) const;
    // Differs whenever an answer may differ.
    std::string state_of_view(TimePoint then) const;
    const std::deque<ChangeEntry>& entries() const { return entries_; }
    // previousValue and newValue by property path; `current` is the resource's body now, null when it is gone.
    Json details_of(const ChangeEntry& entry, const Json& current) const;
    void touch() { ++generation_; }  // something changed that has no entry

  private:
    const ChangeEntry* numbered(std::uint64_t number) const;
    void forget_old(TimePoint now);

    const Options& options_;
    std::uint64_t seed_, generation_ = 0, first_ = 1;  // number of entries_.front()
    std::deque<ChangeEntry> entries_;
    std::map<std::string, std::uint64_t> last_;  // number of the last change by key
    std::size_t without_before_ = 0;             // so many at the front have lost their body
    bool paused_ = false;
};

// Property paths that differ between two bodies, as the `changes` of a record shows them.
Json difference(const Json& before, const Json& after);

}  // namespace galleryd::simulator
