#pragma once
#include <cstdint>
#include <string>

#include "controller/simulator/world.h"
#include "tests/simulation/estate.h"
#include "tests/simulation/world.h"

namespace galleryd {

// A random schedule: edits of documents (valid, invalid, removed), people in the portal, faults, restarts at any
// request, clock steps, approvals. The guard judges every write. The same seed is the same schedule.
class Schedule {
  public:
    explicit Schedule(std::uint64_t seed);

    // Until as many steps are done (World::steps), and a whole schedule at most; then faults and edits stop, and it has
    // to come to rest.
    void run(std::uint64_t steps);
    // Until the guard finds something wrong; false when it never does. Nothing has to come to rest.
    bool run_until_wrong();
    std::uint64_t steps() const { return world_.steps(); }
    std::size_t writes() const { return world_.guard.writes_seen; }
    std::size_t deletes() const { return world_.guard.deletes_seen; }
    int problems() const { return world_.guard.problems; }
    World& world() { return world_; }

  private:
    void play_round(std::uint64_t number);
    WorldOptions options(std::uint64_t seed);
    bool chance(double probability);
    int below(int limit);
    std::string version_file(int number);
    std::string any_version();
    void add_version();
    void act();
    void machine();
    void scale_set();
    void declare_good();
    void edit();
    void remove_document();
    void break_document();
    void foreign_write();
    void fault();
    void approve();
    void mend();
    void rest();

    simulator::SeededRandom random_;
    std::uint64_t seed_ = 0;
    World world_;
    estate::Files good_, removed_;
    int versions_ = 0;
};

}  // namespace galleryd
