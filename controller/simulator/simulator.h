#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/adapters/http/server.h"
#include "controller/adapters/http/transport.h"
#include "controller/core/result.h"
#include "controller/core/time.h"
#include "controller/ports/clock.h"
#include "controller/simulator/service_times.h"

// Azure in a box: Azure Resource Manager, the gallery provider and the sign-in endpoints as one state machine without
// I/O. The same seed, clock and requests give the same answers. What it imitates and where that comes from:
// azure-facts; rules whose origin is a guess say "unverified" where they stand.
namespace galleryd::simulator {

// Of every answer of a simulator whose clock does not run at the pace of the world's: how many times as fast.
inline constexpr const char* time_scale_header = "x-galleryd-simulator-time-scale";

struct Options {
    bool limits = true;  // published and recorded request limits
    std::uint64_t seed = 1;
    double time_scale = 1;     // simulated seconds in one real second: Retry-After is given in real seconds
    bool check_tokens = true;  // a bearer token must be one that this simulator issued
    bool anonymous =
        false;  // over plain HTTP a request without a token is let in (`--credential none`); a wrong token never is
    bool noise = false;          // case of ids, groups and regions and the order of lists vary from answer to answer
    std::size_t page_size = 50;  // of galleries, definitions and versions (50 seen for definitions; others unverified)
    // Resource Graph: 95 % of changes are in its index within this time (azure-dev#540), a change record appears up to
    // so much later than its row (azure-facts §8: in less than five minutes). 0: at once.
    std::chrono::seconds graph_lag{28}, graph_change_lag{120};
    std::chrono::seconds parent_lag_max{20};  // a parent refuses deletion for up to so long after its child has gone
    // Tests and replays: how long an operation takes, instead of the drawn duration. Arguments: method, resource id.
    std::function<std::optional<Duration>(std::string_view method, std::string_view id)> operation_length;
    ServiceTimes service_times;
};

// One request that changed something (or tried to and was accepted), in the order of acceptance.
struct Mutation {
    TimePoint at;
    std::string method, path, api_version;
    int status = 0;
    std::string operation;  // guid, "" when the change was immediate
    std::string principal;  // "client" claim of the token, "" when unknown
    std::string body;       // as sent
};

// A failure point of a region or of the whole world, for tests; the faults file offers the same and more.
struct RegionFailure {
    std::string region;  // any spelling
    std::string details = "Failed with internal server error.";
    int count = -1;  // replications that fail; -1 = until cleared
};

// What an estate file may hold beside an ARM list: the keys that load_state reads and save_state writes.
std::vector<std::string> estate_keys();

class Simulator {
  public:
    // `clock` must outlive the simulator; its now() is the simulated time.
    Simulator(Clock& clock, Options options);
    ~Simulator();
    Simulator(const Simulator&) = delete;
    Simulator& operator=(const Simulator&) = delete;

    // Advances the world to clock.now(), then answers. Never throws; not re-entrant; one thread.
    http::ServerResponse handle(const http::ServerRequest& request);
    // The request policy that the last answer charged ("GetGallery"), "" when none: for --log-requests.
    std::string last_policy() const;
    std::string last_principal() const;  // the client that asked, by its token; "" for nobody and for sign-ins

    // {"resources": […]}, an ARM list, a bare array or one resource, as a GET prints them. Adds to what is there;
    // resource groups and subscriptions that ids mention come into being. `invalid` with reason StateInvalid names the
    // resource at fault.
    Status load_state(const std::string& json);
    std::string save_state() const;  // {"resources": […]}, sorted by id, LF line ends
    Status load_faults(const std::string& yaml);

    // ---- for tests and invariants: the true world, without tokens, limits, faults or noise ----
    const std::vector<Mutation>& history() const;
    void on_mutation(std::function<void(const Mutation&)> listener);
    std::optional<std::string> resource(
        std::string_view id);  // body as JSON with replicationStatus; nullopt when absent
    std::vector<std::string> resource_ids(std::string_view type);  // "Microsoft.Compute/galleries"; any case; sorted
    void fail_region(RegionFailure failure);                       // replications that start from now on
    void clear_region_failures();
    // A person in the portal makes or replaces one: shown at once by a GET, by Resource Graph when its index has caught
    // up.
    Status put_resource(const std::string& json);
    void remove_resource(std::string_view id);  // a person in the portal: at once, with everything below it
    Status change_resource(std::string_view id, const std::string& merge_patch);  // a foreign write
    // Whether this identity may read a subscription: Resource Graph leaves an unreadable one out, ARM answers 403.
    void set_readable(std::string_view subscription, bool readable);
    bool is_readable(std::string_view subscription) const;
    std::optional<TimePoint> next_event() const;       // when something changes by itself
    std::string issue_token(std::string_view client);  // a valid bearer token
    std::uint64_t requests() const;                    // answered so far

  private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

// Answers from a Simulator in the same process, without sockets. Delays and cut connections of the faults file apply: a
// cut is a transient NetworkError, a delay past the deadline DeadlineExceeded.
class InProcessTransport : public http::Transport {
  public:
    InProcessTransport(Simulator& simulator, Clock& clock) : simulator_(simulator), clock_(clock) {}
    Task<http::Response> send(http::Origin origin, http::Request request, http::CallLimits limits) override;

  private:
    Simulator& simulator_;
    Clock& clock_;
};

// The clock of a world that runs `scale` times as fast as the given one, starting at its present time.
class ScaledClock : public Clock {
  public:
    ScaledClock(Clock& clock, double scale);
    TimePoint now() const override;
    std::chrono::nanoseconds monotonic() const override;
    boost::asio::awaitable<void> sleep_for(std::chrono::nanoseconds duration) override;  // of simulated time

  private:
    Clock& clock_;
    double scale_;
    TimePoint start_;
    std::chrono::nanoseconds monotonic_start_;
};

}  // namespace galleryd::simulator
