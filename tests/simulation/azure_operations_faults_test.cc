#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/simulation/estate.h"
#include "tests/simulation/world.h"

// Azure at its worst, reliability §6.2: throttling (Z1), long operations (Z4), reads that lag behind our own writes
// (Z5).
using namespace galleryd;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

#ifdef NDEBUG
constexpr int seeds = 25;
#else
constexpr int seeds = 3;  // a debug build takes fewer
#endif

const std::string first_version = estate::version_id("1.0.0");

// When Azure may be asked again, for reads and for writes: each has buckets of its own (azure-facts §7.1).
struct Holds {
    Clock& clock;
    std::map<bool, TimePoint> refused_at = {}, until = {};
    int refused = 0, early = 0, asked = 0;

    void watch(MortalTransport& road, seconds wanted, std::optional<TimePoint> date) {
        road.on_answer = [this, wanted, date](const http::Request& request, http::Response& answer) {
            ++asked;
            const bool is_read = request.method == "GET";
            // What left in the same instant was on the wire together with the one that was refused.
            if (clock.now() > refused_at[is_read] && clock.now() < until[is_read]) ++early;
            if (answer.status != 429) return;
            ++refused;
            refused_at[is_read] = clock.now();
            until[is_read] = std::max(until[is_read], date.value_or(clock.now() + wanted));
        };
    }
};

struct Small : World {
    explicit Small(int versions = 1, WorldOptions options = {.operations = seconds{45}}) : World(std::move(options)) {
        load(estate::images_state());
        declare(estate::small(versions));
        REQUIRE(problems == "");
    }
};

// Six versions that go with their documents.
struct Removing : World {
    explicit Removing(std::uint64_t seed = 1)
        : World({.seed = seed, .operations = seconds{45}, .engine = WorldOptions::deleting_engine()}) {
        load(estate::images_state());
        declare(estate::small(
            6, "deletionPolicy: Delete",
            "\n  governs: Declared\n  retention: {action: Report, keepNewest: 1, olderThan: 3650d, inUse: Ignore}\n"));
        REQUIRE(problems == "");
        REQUIRE(converge());
    }
    void without_first() {
        auto left = files;
        REQUIRE(left.erase("version-1.0.0.yaml") == 1);
        declare(left);
    }
};

std::string condition_of(const World& world, const std::string& name, const std::string& type, std::string* message) {
    const auto& status = world.engine->statuses().at({Kind::image_version, "images", name});
    const auto found = std::ranges::find(status.conditions, type, &Condition::type);
    if (found == status.conditions.end()) return "";
    if (message != nullptr) *message = found->message;
    return found->reason;
}

}  // namespace

TEST_CASE("Z1: Retry-After is kept in every form that it may have, and absurd ones are bounded") {
    struct Row {
        const char* header;
        seconds wanted;
        const char* date;
    };
    for (const Row& row : std::vector<Row>{{"45", seconds{45}, nullptr},
                                           {"1200", seconds{1'200}, nullptr},
                                           {"Sat, 21 Nov 2026 00:20:00 GMT", seconds{0}, "2026-11-21T00:20:00Z"},
                                           {"Sat, 21 Nov 2020 00:00:00 GMT", seconds{1}, nullptr},
                                           {"", seconds{60}, nullptr},
                                           {"soon", seconds{60}, nullptr},
                                           {"0", seconds{1}, nullptr},
                                           {"-5", seconds{1}, nullptr},
                                           {"1000000000", seconds{3'600}, nullptr}}) {
        CAPTURE(row.header);
        Small world(2);
        world.round();
        Holds holds{.clock = world.clock};
        holds.watch(world.transport, row.wanted,
                    row.date != nullptr ? parse_rfc3339(row.date) : std::optional<TimePoint>());
        const std::string header = row.header;
        world.faults("[{count: 3, status: 429, code: SubscriptionRequestsThrottled" +
                     (header.empty() ? "" : ", retryAfter: '" + header + "'") + "}]");
        CHECK(world.converge(800));
        CHECK(holds.refused == 3);
        CHECK(holds.early == 0);
        CHECK(world.clock.now() - *parse_rfc3339("2026-11-21T00:00:00Z") < std::chrono::hours{5});  // not 31 years
        CHECK(world.writes_to(first_version) == 1);
    }
}

TEST_CASE("Z1: a storm of 429 costs no more than the limits themselves, and nobody asks early") {
    Small world(8);
    Holds holds{.clock = world.clock};
    holds.watch(world.transport, seconds{20}, std::nullopt);
    world.faults("[{probability: 0.5, before: 30m, status: 429, code: TooManyRequests, retryAfter: 20}]");
    for (int i = 0; i < 90; ++i) world.round();
    CHECK(holds.refused > 10);
    CHECK(holds.early == 0);
    CHECK(world.converge());
    for (int i = 0; i < 8; ++i) CHECK(world.writes_to(estate::version_id("1." + std::to_string(i) + ".0")) == 1);
}

TEST_CASE("Z4: addresses of eight thousand characters are followed, longer ones are told by the resource") {
    for (const char* length : {"4200", "8000", "20000"}) {
        CAPTURE(length);
        Small world;
        world.faults(std::string("[{method: PUT, longUrl: ") + length + "}]");
        CHECK(world.converge());
        CHECK(world.writes_to(first_version) == 1);
        CHECK(world.journal->operations()->empty());
    }
}

TEST_CASE("Z4: killed between 202 and the journal, the operation is found again by its resource") {
    for (const char* path : {"/galleries/golden?", "/images/ubuntu?", "/versions/1.0.0?"}) {
        CAPTURE(path);
        Small counting;
        int at = 0;
        counting.transport.on_answer = [&](const http::Request& request, http::Response&) {
            if (at == 0 && request.method == "PUT" && request.target.contains(path)) at = counting.transport.requests();
        };
        REQUIRE(counting.converge());
        REQUIRE(at > 0);
        Small world;
        world.transport.arm(KillPoint{at, true});
        CHECK_FALSE(world.converge());
        REQUIRE(world.transport.died);
        CHECK(world.journal->operations()->empty());  // its address is lost
        CHECK(world.journal->open_intents()->size() == 1);
        world.restart();
        CHECK(world.converge());
        CHECK(world.journal->open_intents()->empty());
        CHECK(world.writes_to(first_version) == 1);
        CHECK(world.writes_to(estate::golden) == 1);
        CHECK(world.writes_to(estate::ubuntu) == 1);
    }
}

TEST_CASE("Z4: an operation past its deadline is an event, a metric and a condition, and goes on when it ends") {
    Small world;
    world.faults("[{method: PUT, path: '*/versions/*', hangOperation: true, count: 1}]");
    for (int i = 0; i < 6 * 12 + 4; ++i) world.round(minutes{5});
    CHECK(world.has_event("ReplicationStuck"));
    CHECK(world.metrics.sum("galleryd_arm_operations_overdue") == 1);
    std::string message;
    CHECK(condition_of(world, "ubuntu-1.0.0", "Ready", &message) == "ReplicationInProgress");
    CHECK(message.contains("GD3110"));
    CHECK(world.writes_to(first_version) == 1);
    const std::string told = message;
    world.pass_time(minutes{60});
    condition_of(world, "ubuntu-1.0.0", "Ready", &message);
    CHECK(message == told);
    // Azure heals: the resource and the operation say so.
    world.faults("[{method: GET, path: '*capsOperations*', status: 404, code: NotFound}]");
    REQUIRE(world.azure.change_resource(first_version, R"({"properties": {"provisioningState": "Succeeded"}})")
                .has_value());
    world.pass_time(minutes{10});
    CHECK(world.journal->operations()->empty());
    CHECK(world.metrics.sum("galleryd_arm_operations_overdue") == 0);
    CHECK(world.writes_to(first_version) == 1);
}

TEST_CASE("Z4: a success that changed nothing is reported and not looped") {
    Small world;
    REQUIRE(world.converge());
    auto files = world.files;
    files["version-1.0.0.yaml"] += "  excludeFromLatest: true\n";
    // An Azure Policy, or a colleague, puts it back before anybody looks.
    const std::string undo = R"({"properties": {"publishingProfile": {"excludeFromLatest": false}}})";
    world.faults("[{method: GET, path: '*capsOperations*', before: 4h, foreignWrite: {id: " + first_version +
                 ", patch: '" + undo + "'}}]");
    world.declare(files);
    REQUIRE(world.problems == "");
    const std::size_t before = world.writes_to(first_version);
    world.pass_time(minutes{60});
    CHECK(world.has_event("WriteFailed"));
    CHECK(world.writes_to(first_version) == before + 1);
    std::string message;
    condition_of(world, "ubuntu-1.0.0", "Ready", &message);
    CHECK(message.contains("Either somebody else writes this resource and put it back, or Azure does not keep it"));
    CHECK(message.contains("activity log"));
    CHECK(message.ends_with("in an hour. galleryd explain GD3092"));  // once
    world.pass_time(minutes{60 * 2});
    CHECK(world.writes_to(first_version) <= before + 4);  // about once an hour
    world.pass_time(minutes{60 * 3});
    CHECK(world.azure_json(first_version)["properties"]["publishingProfile"]["excludeFromLatest"] == true);
    CHECK(world.is_converged());
}

namespace {

// Half of all reads are answered by a replica that has not heard of what happened within `lag`.
class LaggingReplica {
  public:
    LaggingReplica(World& world, seconds lag, std::uint64_t seed) : world_(world), lag_(lag), state_(seed) {
        world.azure.on_mutation([this](const simulator::Mutation& mutation) {
            if (mutation.method == "PUT") made_.emplace(fold_case(mutation.path), mutation.at);
        });
        world.transport.on_answer = [this](const http::Request& request, http::Response& answer) {
            if (request.method == "GET" && answer.status == 200) age(fold_case(request.target), answer);
        };
    }
    int hidden = 0;

  private:
    bool is_lagging() {
        state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
        return (state_ >> 62) % 2 == 0;
    }
    bool is_new(const std::string& key) const {
        const auto made = made_.find(key);
        return made != made_.end() && world_.clock.now() - made->second < lag_;
    }
    void age(const std::string& target, http::Response& answer) {
        const std::string path = target.substr(0, target.find('?'));
        if (is_new(path) && is_lagging()) {
            ++hidden;
            answer.status = 404;
            answer.body = R"({"error": {"code": "ResourceNotFound", "message": "not here"}})";
            return;
        }
        auto body = nlohmann::json::parse(answer.body, nullptr, false);
        if (!body.is_object() || !body.contains("value") || !is_lagging()) return;
        auto left = nlohmann::json::array();
        for (auto& row : body["value"]) {
            if (!row.contains("id") || !is_new(fold_case(row["id"].get<std::string>()))) left.push_back(row);
            else ++hidden;
        }
        body["value"] = left;
        answer.body = body.dump();
    }

    World& world_;
    seconds lag_;
    std::uint64_t state_;
    std::map<std::string, TimePoint> made_;
};

}  // namespace

TEST_CASE("Z5: after a 201 reads say 404 half the time for five minutes: nothing is made a second time") {
    for (int seed = 1; seed <= seeds; ++seed) {
        CAPTURE(seed);
        Small world(3);
        LaggingReplica replica(world, minutes{5}, static_cast<std::uint64_t>(seed));
        CHECK(world.converge());
        for (int i = 0; i < 90; ++i) world.round();
        CHECK(world.is_converged());
        CHECK(replica.hidden > 0);
        for (const char* number : {"1.0.0", "1.1.0", "1.2.0"}) CHECK(world.writes_to(estate::version_id(number)) == 1);
        CHECK(world.writes_to(estate::ubuntu) == 1);
        CHECK(world.writes_to(estate::golden) == 1);
    }
}

TEST_CASE("Z5: a removed document whose version flaps is not forgotten: the version does not leak") {
    for (int seed = 1; seed <= seeds; ++seed) {
        CAPTURE(seed);
        Removing world;
        const std::size_t before = world.writes();
        world.transport.on_answer = [seed, n = 0](const http::Request& request, http::Response& answer) mutable {
            const std::string target = fold_case(request.target);
            if (request.method != "GET" || (++n * 7 + seed) % 3 == 0) return;
            if (target.contains("/versions/1.0.0")) {
                answer.status = 404;
                answer.body = R"({"error": {"code": "ResourceNotFound", "message": "not here"}})";
            } else if (target.contains("/versions?")) {
                auto body = nlohmann::json::parse(answer.body, nullptr, false);
                if (!body.contains("value")) return;
                std::erase_if(body["value"].get_ref<nlohmann::json::array_t&>(),
                              [](const auto& row) { return row["name"] == "1.0.0"; });
                answer.body = body.dump();
            }
        };
        world.without_first();
        world.pass_time(minutes{14});
        CHECK(world.writes() == before);
        CHECK(world.journal->good_documents(Journal::Content::without)->size() == 9);  // the removed one among them
        world.transport.on_answer = nullptr;
        world.pass_time(minutes{40});
        INFO(world.open_points());
        CHECK_FALSE(world.exists(first_version));
        CHECK(world.deletes() == 1);
    }
}

TEST_CASE("Z5: after a deletion reads flap between 200 and 404: it is deleted once and stays forgotten") {
    for (int seed = 1; seed <= seeds; ++seed) {
        CAPTURE(seed);
        Removing world(static_cast<std::uint64_t>(seed));
        int shown = 0;
        nlohmann::json row;
        world.transport.on_answer = [&, n = 0](const http::Request& request, http::Response& answer) mutable {
            if (request.method != "GET" || !fold_case(request.target).contains("/versions?")) return;
            auto body = nlohmann::json::parse(answer.body, nullptr, false);
            for (const auto& one : body["value"]) row = one["name"] == "1.0.0" ? one : row;
            if (world.exists(first_version) || row.is_null() || (++n + seed) % 2 == 0) return;
            ++shown;
            body["value"].push_back(row);  // a replica that has not heard of it
            answer.body = body.dump();
        };
        world.faults("[{method: GET, probability: 0.5, path: '*/versions/1.0.0', staleRead: 600}]");
        world.without_first();
        world.pass_time(minutes{90});
        CHECK(shown > 0);
        INFO(world.open_points());
        CHECK_FALSE(world.exists(first_version));
        CHECK(world.deletes() == 1);
        CHECK(world.journal->good_documents(Journal::Content::without)->size() ==
              8);  // the removed document is settled
        const std::size_t before = world.writes();
        world.pass_time(minutes{30});
        CHECK(world.writes() == before);
    }
}
