#pragma once
#include <cstdint>
#include <string>

#include "controller/simulator/world.h"
#include "tests/simulation/estate.h"
#include "tests/simulation/world.h"

namespace galleryd {

inline constexpr const char* consumer_subscription = "00000000-0000-0000-0000-00000000000c";

// A random schedule: edits of documents (valid, invalid, removed), people in the portal, faults of Azure and of the
// disk, restarts at any request and with other flags, clock steps, approvals, and in every fourth world a second daemon
// of another instance that claims the same gallery. A guard judges every write of each. The same seed is the same
// schedule.
class Schedule {
  public:
    explicit Schedule(std::uint64_t seed);

    // Until as many steps are done (World::steps), and a whole schedule at most; then faults and edits stop, and it has
    // to come to rest.
    void run(std::uint64_t steps);
    // Until the guard finds something wrong; false when it never does. Nothing has to come to rest.
    bool run_until_wrong();
    std::uint64_t steps() const;
    std::size_t writes() const { return world_.guard.writes_seen + (rival_ ? rival_->guard.writes_seen : 0); }
    std::size_t deletes() const { return world_.guard.deletes_seen + (rival_ ? rival_->guard.deletes_seen : 0); }
    int problems() const { return world_.guard.problems + (rival_ ? rival_->guard.problems : 0); }
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
    void change_clock();
    void break_disk();
    void change_flags();
    void approve();
    void start_rival();
    void act_as_rival();
    void pass_time(std::chrono::seconds time);
    void mend();
    void rest();

    simulator::SeededRandom random_;
    std::uint64_t seed_ = 0;
    World world_;
    bool is_alone_ = false;         // nobody but galleryd writes, and reads may be stale
    std::unique_ptr<World> rival_;  // a second daemon, by its own documents
    estate::Files good_, removed_, rival_good_;
    int versions_ = 0;
};

}  // namespace galleryd
