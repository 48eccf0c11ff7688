#include "controller/simulator/replay.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

namespace galleryd::simulator {
namespace {

std::string recording() {
    std::ifstream file(std::string(GALLERYD_SOURCE_DIR) + "/tests/recordings/gallery_life.yaml");
    return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
}

std::string with(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("the recorded life of a gallery replays without a difference") {
    const auto report = replay_recording(recording());
    REQUIRE(report);
    CHECK(report->exchanges == 61);
    CHECK(report->compared == 61);
    CHECK(report->skipped.empty());
    for (const std::string& difference : report->differences) MESSAGE(difference);
    CHECK(report->differences.empty());
}

TEST_CASE("the replay notices what differs from the recording") {
    struct Row {
        std::string from, to, seen;
    };
    for (const Row& row :
         {Row{"East US 2", "East US 3", "targetRegions"}, Row{"code: 202", "code: 204", "status"},
          Row{"CreateUpdateGallery3Min", "CreateGallery3Min", "x-ms-ratelimit-remaining-resource"},
          Row{"azure-asyncoperation", "azure-other", "azure-other"}, Row{"Succeeded", "Failed", "Succeeded"}}) {
        const auto report = replay_recording(with(recording(), row.from, row.to));
        REQUIRE(report);
        REQUIRE_MESSAGE(!report->differences.empty(), row.from);
        bool seen = false;
        for (const std::string& difference : report->differences)
            seen = seen || difference.find(row.seen) != std::string::npos;
        CHECK_MESSAGE(seen, row.from);
    }
}

TEST_CASE("a file that is not a recording is refused and foreign providers are skipped by name") {
    CHECK(replay_recording("interactions: 7").error().reason == "RecordingInvalid");
    CHECK(replay_recording("a: [").error().reason == "RecordingInvalid");
    const auto report = replay_recording(R"(interactions:
- request: {method: GET, uri: 'https://management.azure.com/subscriptions/00000000-0000-0000-0000-000000000000/providers/Microsoft.Network/virtualNetworks?api-version=2023-01-01', body: null, headers: {}}
  response: {status: {code: 200, message: OK}, headers: {}, body: {string: '{"value":[]}'}}
)");
    REQUIRE(report);
    CHECK(report->compared == 0);
    REQUIRE(report->skipped.size() == 1);
    CHECK(report->skipped[0].find("microsoft.network") != std::string::npos);
}

}  // namespace galleryd::simulator
