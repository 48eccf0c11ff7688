#include <doctest/doctest.h>

#include "tests/simulation/schedule.h"

// What fails: Azure, its answers, the disk, the clock, the process; and other flags on the next command line.
namespace galleryd {
namespace {

const std::vector<std::string> answers{"status: 500",
                                       "status: 503, retryAfter: 5",
                                       "status: 429, code: TooManyRequests, retryAfter: 90",
                                       "status: 401, code: ExpiredAuthenticationToken",
                                       "status: 403, code: AuthorizationFailed",
                                       "cutAfterBytes: 0",
                                       "delay: 90",
                                       "method: PUT, cutAfterBytes: 3",
                                       "method: DELETE, cutAfterBytes: 3",
                                       "method: GET, dropPage: true",
                                       "method: GET, repeatPage: true",
                                       "method: PUT, loseOperation: true",
                                       "method: DELETE, loseOperation: true",
                                       "method: PUT, longUrl: true",
                                       "method: DELETE, status: 409, code: Conflict",
                                       "method: DELETE, status: 409, code: ScopeLocked"};

// Machines in subscriptions without a known user are seen by the index alone (decision 0027): what hides them from it
// for longer than the quarter of an hour between two looks hides them from us.
const std::vector<std::string> index_faults{
    "graphLag: 10m", "graphTruncate: true", "graphRepeatRows: 2",        "status: 500",
    "status: 403",   "cutAfterBytes: 20",   "status: 429, retryAfter: 5"};
const std::vector<std::string> index_lies{"graphLag: 1d", "graphFreeze: true", "graphHideRows: 2"};

template <class Choices>
const std::string& pick(const Choices& choices, int number) {
    return choices[static_cast<std::size_t>(number)];
}

}  // namespace

// A foreign write that our strong look is not shown cannot be respected (Azure has no ETag to ask for it): reads are
// stale only where nobody else writes, and by less than the three agreeing reads that end an operation without an
// address take (decision 0029).
void Schedule::fault() {
    std::string made = pick(answers, below(static_cast<int>(answers.size())));
    if (is_alone_ && chance(0.3)) made = "method: GET, staleRead: " + std::to_string(5 + below(30)) + "s";
    const std::string often =
        chance(0.1) ? "probability: 1, count: 60" : "probability: 0.5, count: " + std::to_string(1 + below(20));
    if (world_.asks_index() && chance(0.3)) {
        const auto& kinds = world_.knows_usage() || chance(0.5) ? index_faults : index_lies;
        made = "path: '/providers/Microsoft.ResourceGraph/*', " + pick(kinds, below(static_cast<int>(kinds.size())));
    }
    if (chance(0.03)) return world_.faults("[{method: [PUT, DELETE], hangOperation: true, count: 1}]");  // for ever
    world_.faults("[{" + made + ", " + often + "}]");
}

void Schedule::change_clock() {
    const auto shift = chance(0.6) ? Duration{0} : Duration(std::chrono::seconds{below(1200) - 600});
    world_.daemon_clock.shift = shift;
    if (!chance(0.1)) return;
    static const std::vector<Duration> jumps{std::chrono::hours{1}, -std::chrono::hours{1}, std::chrono::days{3653},
                                             -std::chrono::days{3653}};
    world_.daemon_clock.shift = jumps[static_cast<std::size_t>(below(4))];
}

void Schedule::break_disk() { world_.journal->fail_at(1 + below(12), chance(0.5)); }

// Somebody edits the unit file: less is allowed for a while, or all again.
void Schedule::change_flags() {
    EngineOptions options = WorldOptions::deleting_engine();
    options.allow_deletes = chance(0.7);
    options.prune = chance(0.7);
    options.observe = chance(0.2);
    world_.restart_with(options);
}

}  // namespace galleryd
