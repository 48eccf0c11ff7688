#pragma once
#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>

#include "controller/adapters/azure/arm_client.h"
#include "controller/adapters/azure/resource_graph.h"
#include "controller/adapters/azure/token.h"
#include "controller/adapters/documents/reader.h"
#include "controller/adapters/journal/journal.h"
#include "controller/program/engine.h"
#include "controller/runtime/task_group.h"
#include "controller/simulator/simulator.h"
#include "tests/simulation/failing_disk.h"
#include "tests/simulation/guard.h"
#include "tests/support/manual_clock.h"
#include "tests/support/recording_log.h"
#include "tests/support/recording_metrics.h"

namespace galleryd {

// Where the process dies: at the N-th request, before Azure sees it or after Azure did it and before the answer
// arrives.
struct KillPoint {
    int request = 0;
    bool after_delivery = false;
};

// Passes requests on to the simulator, until the kill point: that request never answers. The guard sees every write
// before Azure.
class MortalTransport : public http::Transport {
  public:
    MortalTransport(simulator::Simulator& azure, Clock& clock, Guard& guard)
        : inner_(azure, clock), clock_(clock), guard_(guard) {}
    Task<http::Response> send(http::Origin origin, http::Request request, http::CallLimits limits) override;
    void arm(std::optional<KillPoint> point) {
        point_ = point;
        count_ = 0;
        died = false;
    }
    int requests() const { return count_; }                 // since it was armed
    std::uint64_t delivered() const { return delivered_; }  // requests and answers, in the whole life of the world
    bool died = false;
    // Sees every answer before the client does, and may change it: noise and mutilation that no faults file can say.
    std::function<void(const http::Request&, http::Response&)> on_answer;

  private:
    simulator::InProcessTransport inner_;
    Clock& clock_;
    Guard& guard_;
    std::optional<KillPoint> point_;
    int count_ = 0;
    std::uint64_t delivered_ = 0;
};

struct WorldOptions {
    bool noise = false;
    bool limits = false;
    bool knows_usage = false;  // Resource Graph says who uses a version
    bool inventory = false;    // Resource Graph says where there is something to do, as in the shipped daemon
    std::uint64_t seed = 1;
    std::chrono::seconds operations{
        0};  // how long every operation takes; 0: as drawn, tens of minutes for a replication
    std::function<Result<std::unique_ptr<Journal>>(TimePoint)> open_journal = {};  // instead of one in memory
    std::function<void(simulator::Options&)> tune = {};  // the last word about the simulator's options
    EngineOptions engine = test_engine();
    static EngineOptions test_engine() {
        EngineOptions options;
        options.instance = "test";
        return options;
    }
    static EngineOptions deleting_engine() {  // --allow-deletes --prune
        EngineOptions options = test_engine();
        options.allow_deletes = options.prune = true;
        return options;
    }
};

// The daemon's own clock: Azure's, with the wall clock off by `shift`.
class ShiftedClock : public Clock {
  public:
    explicit ShiftedClock(Clock& clock) : clock_(clock) {}
    TimePoint now() const override { return clock_.now() + shift; }
    std::chrono::nanoseconds monotonic() const override { return clock_.monotonic(); }
    boost::asio::awaitable<void> sleep_for(std::chrono::nanoseconds duration) override {
        co_await clock_.sleep_for(duration);
    }
    Duration shift{0};

  private:
    Clock& clock_;
};

// Time and Azure, which several daemons may share.
struct Ground {
    explicit Ground(const WorldOptions& options);
    boost::asio::io_context context;
    ManualClock clock;
    simulator::Simulator azure;
    std::set<std::string> on_wire;  // what requests of any of them change right now (reliability I4)
};

// A token that Azure may refuse at any time. Whoever finds its text anywhere but in the header has found a leak.
class CanaryToken : public azure::TokenProvider {
  public:
    static constexpr std::string_view canary = "canary-7b1f";
    Task<std::string> token() override { co_return std::string(canary) + "-" + std::to_string(number_); }
    void invalidate(std::string) override { ++number_; }
    std::string_view name() const override { return "canary"; }

  private:
    int number_ = 0;
};

// The whole daemon but for its sockets, files and threads: engine, Azure client and journal on a manual clock against
// the simulator.
class World {
  public:
    explicit World(WorldOptions options = {});
    World(WorldOptions options, std::shared_ptr<Ground> ground);  // beside another daemon
    ~World();

    void load(const std::string& azure_state);               // JSON estate
    void declare(std::map<std::string, std::string> files);  // file name -> YAML; replaces the folder, and looks at it
    void look();  // another look at the same folder: nothing is read again where no file was written since the last
    Snapshot read_folder();  // what the first look at these files sees
    void unreadable();       // the folder is gone

    // One pass over every scope; the clock moves on by `step` afterwards. Returns the number of requests that changed
    // something.
    std::size_t round(std::chrono::seconds step = std::chrono::seconds{20});
    void begin_round();  // the same without the time; whoever shares the ground lets it pass
    // Rounds until every plan is converged and no operation runs; false when that takes more than `rounds_max`.
    bool converge(int rounds_max = 400);
    bool is_converged() const;
    // As much time as that, in rounds of a minute, with a look at the folder every five minutes.
    void pass_time(std::chrono::minutes time);
    // Rounds that may plan and block: true when a whole round wrote nothing and no operation runs.
    bool settle(int rounds_max = 400);
    // The process is gone: what it had in memory is lost, the journal stays.
    void restart();
    void lose_journal();                        // and the state directory with it
    void restart_with(EngineOptions changed) {  // other flags on the command line
        options_.engine = std::move(changed);
        restart();
    }
    void approve(const std::string& digest);  // galleryd approve, for a day
    void stop_writing();                      // SIGTERM: what is under way may end, nothing more is sent
    void faults(const std::string& yaml);
    nlohmann::json azure_json(const std::string& id);  // null when Azure has none
    bool exists(const std::string& id) { return azure.resource(id).has_value(); }
    bool has_event(const std::string& reason) const;
    std::string revision() const { return engine->revision(); }
    // Every reason of everything that is blocked in the last plans: "in_use", "source_frozen", …
    std::set<std::string> blocked_reasons() const;
    std::set<std::string> conflict_reasons() const;  // "NotOwned", …
    std::string open_points() const;                 // what the last plans still hold, for messages
    std::size_t writes() const { return azure.history().size(); }
    // As reliability §5 counts them: delivered messages, timers that fired, looks at documents, deaths and other acts.
    std::uint64_t steps() const { return transport.delivered() + clock.woken() + acts; }
    std::uint64_t acts = 0;
    std::size_t deletes() const;
    std::size_t writes_to(const std::string& id) const;  // accepted ones, of any kind, to exactly that resource
    // Every resource of the galleries as JSON, times and ids of operations left out: equal worlds give equal texts.
    std::string fingerprint() const;
    std::string leak() const;  // where the token's text is found: log, metrics, events; "" nowhere (I12)
    Plan plan(const std::string& scope) const { return engine->plans().at(scope); }
    const EngineOptions& engine_options() const { return options_.engine; }
    bool knows_usage() const { return options_.knows_usage; }
    bool asks_index() const { return options_.knows_usage || options_.inventory; }

    std::shared_ptr<Ground> ground;
    boost::asio::io_context& context;
    ManualClock& clock;
    ShiftedClock daemon_clock;
    RecordingLog log;
    RecordingMetrics metrics;
    simulator::Simulator& azure;
    Guard guard;
    MortalTransport transport;
    CanaryToken token;
    azure::ArmClient arm;
    azure::ResourceGraph graph;
    std::unique_ptr<FailingDisk> journal;
    std::unique_ptr<Engine> engine;
    std::map<std::string, std::string> files;
    bool readable = true;
    bool approves_all = false;  // a person who approves every digest at once, before the next round
    std::string problems;       // of the documents when they were last read

  private:
    void accept(Snapshot snapshot);
    boost::asio::awaitable<void> follow(OperationRecord operation);
    boost::asio::awaitable<void> pass_all();
    void resume_operations();
    void close_tasks();
    std::unique_ptr<FailingDisk> make_journal();

    WorldOptions options_;
    std::unique_ptr<TaskGroup> tasks_;
    bool passing_ = false, looked_ = false;
    struct Folder {
        std::map<std::string, std::string> files;
        std::string revision;
        ReadResult read;
    };
    std::shared_ptr<const Folder> folder();
    std::vector<std::shared_ptr<const Folder>> folders_;  // the last few that were read: most edits come back
    std::optional<std::string> seen_;  // the revision that this process has read, as FolderSource keeps it
    int rounds_ = 0;                   // since the start of the process
};

// The first line that differs, with the resource it stands in; "" when the fingerprints are equal.
std::string first_difference(const std::string& wanted, const std::string& found);

}  // namespace galleryd
