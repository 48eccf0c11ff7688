#include <doctest/doctest.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "tests/simulation/estate.h"
#include "tests/simulation/world.h"

// What Azure shows wrongly, reliability §6.2: lists in parts (Z6), Resource Graph late and incomplete (Z7), its change
// records late, cut off or expired (Z8), noise in every answer (Z10). The guard judges every write (R1).
using namespace galleryd;
using nlohmann::json;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

#ifdef NDEBUG
constexpr int page_seeds = 10'000, noisy_rounds = 1'000;
#else
constexpr int page_seeds = 300, noisy_rounds = 40;  // a debug build takes fewer
#endif

// PAGE_SEEDS from the environment takes as many as it says.
int wanted_page_seeds() {
    const char* text = std::getenv("PAGE_SEEDS");
    int wanted = page_seeds;
    if (text != nullptr) std::from_chars(text, text + std::strlen(text), wanted);
    return wanted;
}

class Dice {
  public:
    explicit Dice(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15ULL + 1) {}
    std::uint64_t roll(std::uint64_t sides) {
        state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
        return (state_ >> 33) % sides;
    }

  private:
    std::uint64_t state_;
};

const char* const with_stakes =
    "\n  governs: All\n  retention: {action: Delete, keepNewest: 3, olderThan: 3650d, inUse: Ignore, approval: "
    "Required}\n";

// Twelve versions, pages of three, everything as declared; every look is by reads.
struct Paged : World {
    Paged()
        : World({.operations = seconds{45},
                 .tune = [](simulator::Options& options) { options.page_size = 3; },
                 .engine = WorldOptions::deleting_engine()}) {
        load(estate::images_state());
        declare(estate::small(12, "deletionPolicy: Delete", with_stakes));
        REQUIRE(problems == "");
        REQUIRE(converge());
    }
};

// One page of a list, as a broken or lagging service would send it.
void mutilate(const http::Request& request, http::Response& answer, Dice& dice) {
    auto page = json::parse(answer.body, nullptr, false);
    if (request.method != "GET" || !page.is_object() || !page.contains("value") || !page["value"].is_array()) return;
    auto& rows = page["value"].get_ref<json::array_t&>();
    switch (dice.roll(12)) {
        case 0: page.erase("nextLink"); break;
        case 1: page["nextLink"] = "https://management.azure.com" + request.target; break;
        case 2: page["nextLink"] = "https://attacker.example/x?$skiptoken=1"; break;
        case 3: page["nextLink"] = 7; break;
        case 4: answer.status = 410; break;  // the token expired
        case 5: answer.status = 500; break;
        case 6: std::ranges::reverse(rows); break;
        case 7:
            if (!rows.empty()) rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(dice.roll(rows.size())));
            break;
        case 8: rows.clear(); break;  // a region that says nothing
        case 9:
            if (!rows.empty()) rows.push_back(rows.front());
            break;
        case 10: page.erase("value"); break;
        default: return;
    }
    answer.body = page.dump();
    if (answer.status >= 400) answer.body = R"({"error": {"code": "InternalServerError", "message": "no"}})";
    if (dice.roll(20) == 0) answer.body.resize(answer.body.size() / 2);
}

}  // namespace

TEST_CASE("Z6: from pages that are lost, repeated, led astray, expired, shuffled or short nothing is made or deleted") {
    Paged world;
    const std::size_t before = world.writes();
    const std::string wanted = world.fingerprint();
    const int seeds = wanted_page_seeds();
    std::uint64_t seed = 0;
    int mutilated = 0;
    std::optional<Dice> dice;
    world.transport.on_answer = [&](const http::Request& request, http::Response& answer) {
        const std::string body = answer.body;
        mutilate(request, answer, *dice);
        mutilated += answer.body != body ? 1 : 0;
    };
    for (seed = 1; seed <= static_cast<std::uint64_t>(seeds); ++seed) {
        CAPTURE(seed);
        dice.emplace(seed);
        world.round(seconds{60});
        REQUIRE(world.writes() == before);
        if (seed % 500 == 0) world.look();
    }
    CHECK(mutilated > seeds / 2);
    CHECK(world.guard.problems == 0);
    world.transport.on_answer = nullptr;
    CHECK(world.converge());
    CHECK(world.writes() == before);
    CHECK(first_difference(wanted, world.fingerprint()) == "");
}

namespace {

// A year of a small team in an afternoon: an edit, a new version, a version that goes with its document.
struct Story : World {
    explicit Story(const std::string& faults_yaml = "", seconds change_lag = seconds{120})
        : World({.inventory = true,
                 .operations = seconds{45},
                 .tune = [change_lag](simulator::Options& options) { options.graph_change_lag = change_lag; },
                 .engine = WorldOptions::deleting_engine()}) {
        load(estate::images_state());
        if (!faults_yaml.empty()) faults(faults_yaml);
        auto files_now = estate::small(6, "deletionPolicy: Delete", with_stakes);
        declare(files_now);
        REQUIRE(problems == "");
    }
    void tell() {
        CHECK(converge());
        auto next = files;
        next["gallery.yaml"] = estate::replaced(next["gallery.yaml"], "Hardened images", "Hardened images, 2nd");
        next["version-1.9.0.yaml"] = estate::version("1.9.0", "deletionPolicy: Delete");
        REQUIRE(next.erase("version-1.1.0.yaml") == 1);
        declare(next);
        pass_time(minutes{60});
    }
    static const std::string& undisturbed() {
        static const std::string text = [] {
            Story world;
            world.tell();
            REQUIRE(world.is_converged());
            REQUIRE(world.deletes() == 1);
            return world.fingerprint();
        }();
        return text;
    }
};

}  // namespace

TEST_CASE("Z7: whatever Resource Graph shows, it leads to no wrong write, and the end is the same") {
    std::string yaml;
    const std::string graph = "path: '*ResourceGraph*', ";
    SUBCASE("an hour late") { yaml = "[{" + graph + "graphLag: 1h}]"; }
    SUBCASE("a day late") { yaml = "[{" + graph + "graphLag: 24h}]"; }
    SUBCASE("frozen") { yaml = "[{" + graph + "after: 3m, graphFreeze: true}]"; }
    SUBCASE("old rows after new ones") { yaml = "[{" + graph + "probability: 0.5, graphLag: 30m}]"; }
    SUBCASE("rows missing") { yaml = "[{" + graph + "probability: 0.7, graphHideRows: 3}]"; }
    SUBCASE("rows twice") { yaml = "[{" + graph + "probability: 0.7, graphRepeatRows: 2}]"; }
    SUBCASE("cut off") { yaml = "[{" + graph + "probability: 0.5, graphTruncate: true}]"; }
    SUBCASE("422") { yaml = "[{" + graph + "status: 422, code: UnprocessableEntity}]"; }
    SUBCASE("refused") { yaml = "[{" + graph + "status: 403, code: AuthorizationFailed}]"; }
    SUBCASE("throttled") { yaml = "[{" + graph + "probability: 0.8, status: 429, code: RateLimiting, retryAfter: 5}]"; }
    Story world(yaml);
    world.tell();
    INFO(world.open_points());
    CHECK(world.guard.problems == 0);
    CHECK(world.deletes() == 1);
    CHECK_FALSE(world.exists(estate::version_id("1.1.0")));
    world.pass_time(minutes{70});  // a full look, at the latest
    CHECK(world.is_converged());
    CHECK(first_difference(Story::undisturbed(), world.fingerprint()) == "");
    const std::size_t before = world.writes();
    world.pass_time(minutes{20});
    CHECK(world.writes() == before);
}

TEST_CASE("Z8: no change is missed, however late, cut off or long ago its record is") {
    std::string yaml;
    seconds lag{120};
    hours asleep{0};
    SUBCASE("records a quarter of an hour late, out of order") { lag = minutes{15}; }
    SUBCASE("records two hours late") { lag = hours{2}; }
    SUBCASE("records cut off") { yaml = "[{path: '*ResourceGraph*', probability: 0.5, graphTruncate: true}]"; }
    SUBCASE("nobody looked for fifteen days: records are kept for fourteen") { asleep = hours{24 * 15}; }
    Story world(yaml, lag);
    REQUIRE(world.converge());
    if (asleep > hours{0}) {
        REQUIRE(
            world.azure.change_resource(estate::golden, R"({"properties": {"description": "by hand"}})").has_value());
        world.clock.advance(asleep);
    }
    for (const char* number : {"1.0.0", "1.3.0", "1.5.0"}) {
        REQUIRE(world.azure
                    .change_resource(estate::version_id(number),
                                     R"({"properties": {"publishingProfile": {"excludeFromLatest": true}}})")
                    .has_value());
        world.round();
    }
    REQUIRE(world.azure.change_resource(estate::golden, R"({"properties": {"description": "by hand"}})").has_value());
    world.pass_time(minutes{130});  // two full looks at the latest
    INFO(world.open_points());
    for (const char* number : {"1.0.0", "1.3.0", "1.5.0"}) {
        CAPTURE(number);
        CHECK(world.azure_json(estate::version_id(number))["properties"]["publishingProfile"]["excludeFromLatest"] ==
              false);
    }
    CHECK(world.azure_json(estate::golden)["properties"]["description"] == "Hardened images");
    CHECK(world.deletes() == 0);
    CHECK(world.guard.problems == 0);
}

namespace {

// Numbers and booleans as text, properties that nobody knows yet, null where a member may be missing.
void make_noise(json& value, Dice& dice) {
    if (value.is_array()) {
        for (auto& one : value) make_noise(one, dice);
    }
    if (!value.is_object()) return;
    for (auto& [name, one] : value.items()) {
        if (name == "tags" || name == "replicationStatus") continue;
        if (one.is_number_integer() && dice.roll(2) == 0) one = std::to_string(one.get<long>());
        else if (one.is_boolean() && dice.roll(2) == 0) one = one.get<bool>() ? "True" : "false";
        else make_noise(one, dice);
    }
    if (dice.roll(3) == 0) value["someFutureField"] = {{"depth", dice.roll(9)}, {"list", {1, "two", nullptr}}};
}

void add_noise(const http::Request& request, http::Response& answer, Dice& dice) {
    const std::string target = fold_case(request.target);
    if (request.method != "GET" || answer.status != 200 || !target.contains("/galleries/")) return;
    if (target.contains("/roleassignments")) return;
    auto body = json::parse(answer.body, nullptr, false);
    if (!body.is_object()) return;
    make_noise(body, dice);
    for (const char* name : {"identity", "managedBy", "etag"}) {
        if (!body.contains("value") && dice.roll(3) == 0) body[name] = nullptr;
    }
    if (body.contains("properties") && dice.roll(2) == 0) {
        body["properties"]["sharingStatus"] = {{"aggregatedState", "Interplanetary"}};
        body["properties"]["validationsProfile"] = {{"validationEtag", "x"},
                                                    {"executedValidations", {{{"status", "Martian"}}}}};
    }
    answer.body = body.dump();
}

}  // namespace

TEST_CASE("Z10: noise in spelling, types and unknown members is no difference: nothing is written, ever") {
    World world({.noise = true, .operations = seconds{45}, .engine = WorldOptions::deleting_engine()});
    world.load(estate::wide_state());
    world.declare(estate::wide());
    Dice dice(7);
    world.transport.on_answer = [&dice](const http::Request& request, http::Response& answer) {
        add_noise(request, answer, dice);
    };
    CHECK(world.converge());
    INFO(world.open_points());
    const std::size_t before = world.writes();
    for (int i = 0; i < noisy_rounds; ++i) {
        world.round(seconds{60});
        REQUIRE(world.writes() == before);
    }
    CHECK(world.is_converged());
    CHECK(world.deletes() == 0);
    // What nobody here knows goes back as it came (I7).
    auto files = world.files;
    files["galleries.yaml"] = estate::replaced(files["galleries.yaml"], "Hardened images", "Hardened images, 2nd");
    world.declare(files);
    CHECK(world.converge());
    CHECK(world.writes() == before + 1);
}
