#include "controller/simulator/replication.h"

#include <algorithm>
#include <cmath>

#include "controller/core/region.h"

namespace galleryd::simulator {
namespace {

Duration from_seconds(double seconds) { return Duration(static_cast<std::int64_t>(seconds * 1e6)); }

// A factor around 1, most draws within a quarter of it (the sum of four uniform draws is near enough to a bell).
double jitter(World& world) {
    const double sum = world.random.unit() + world.random.unit() + world.random.unit() + world.random.unit();
    return std::exp((sum - 2.0) * 0.35);
}

bool same_continent(std::string_view a, std::string_view b) {
    const auto area = [](std::string_view region) {
        for (const std::string_view part :
             {"us", "europe", "uk", "asia", "india", "japan", "australia", "brazil", "canada"}) {
            if (region.find(part) != std::string_view::npos)
                return part == "uk" ? std::string_view("europe") : part == "canada" ? std::string_view("us") : part;
        }
        return region;
    };
    return area(a) == area(b);
}

}  // namespace

Duration quick_length(World& world) { return from_seconds(world.random.between(0.1, 0.4)); }

Duration removal_length(World& world) { return from_seconds(std::clamp(120.0 * jitter(world), 91.0, 180.0)); }

double size_gb(const Resource& version) {
    double total = 0;
    for (const Json* profile : {&version.arriving, &member(version.body, {"properties", "storageProfile"})}) {
        if (profile->is_null()) continue;
        const Json& os = member(*profile, {"osDiskImage", "sizeInGB"});
        if (os.is_number()) total += os.get<double>();
        for (const Json& disk : member(*profile, "dataDiskImages")) {
            if (member(disk, "sizeInGB").is_number()) total += member(disk, "sizeInGB").get<double>();
        }
        if (total > 0) return total;
    }
    return 30;
}

Duration plan_copies(World& world, Resource& version, const std::vector<std::string>& regions, bool creating,
                     const std::string& method) {
    const double size = size_gb(version);
    const std::string home = normalise_region(version.location());
    const bool shallow =
        text_of(member(version.body, {"properties", "publishingProfile"}), "replicationMode") == "Shallow";
    const double base = shallow    ? 45 * jitter(world)
                        : creating ? std::clamp(420 * jitter(world), 200.0, 900.0)
                                   : 150 * world.random.between(1.0, 1.2);
    const double ready = creating ? base * 0.92 : 270;  // when copying to other regions can begin
    double lasts = base;
    std::vector<RegionCopy> copies;
    std::vector<std::size_t> fresh;
    for (const std::string& region : regions) {
        const auto old = std::ranges::find(version.copies, region, &RegionCopy::region);
        // A write tries a failed region again; whether that helps depends on why it failed (azure-facts §4.1: "If retry
        // does not work, then please do an update by removing the failed regions and update again by adding them
        // back").
        const bool try_again = old != version.copies.end() && !old->failure.empty() && old->done <= world.now;
        if (old != version.copies.end() && !try_again) {
            copies.push_back(*old);
            continue;
        }
        const double transfer = (60 + 2 * size * (same_continent(home, region) ? 1.0 : 1.6)) * jitter(world);
        const double done = region == home && creating ? ready : ready + transfer;
        lasts = std::max(lasts, done);
        fresh.push_back(copies.size());
        copies.push_back({.region = region,
                          .starts = world.now,
                          .done = world.now + from_seconds(done),
                          .failure = world.pick_failure(region)});
    }
    const Duration drawn = from_seconds(lasts);
    const Duration length = world.operation_length(method, version.id, drawn);
    for (const std::size_t i : fresh) copies[i].done = std::min(copies[i].done, world.now + length);
    // The operation can be done before the last region is usable (azure-facts §4.1: about ten minutes were seen).
    if (!fresh.empty() && copies.size() > 1 && length == drawn && world.random.unit() < 0.25) {
        RegionCopy& last = copies[fresh.back()];
        if (last.region != home && last.failure.empty())
            last.done = world.now + length + from_seconds(world.random.between(30, 600));
    }
    version.copies = std::move(copies);
    return length;
}

Json replication_status(const Resource& version, TimePoint now) {
    Json summary = Json::array();
    bool running = false;
    bool failed = false;
    for (const RegionCopy& copy : version.copies) {
        Json row = Json::object();
        row["region"] = copy.region;
        if (copy.done > now) {
            const double part = std::chrono::duration<double>(now - copy.starts) /
                                std::chrono::duration<double>(copy.done - copy.starts);
            row["state"] = "Replicating";
            row["progress"] = static_cast<int>(part * 10) * 10;
            running = true;
        } else if (!copy.failure.empty()) {
            row["state"] = "Failed";
            row["details"] = copy.failure;
            row["progress"] = 0;
            failed = true;
        } else {
            row["state"] = "Completed";
            row["progress"] = 100;
        }
        summary.push_back(std::move(row));
    }
    Json status = Json::object();
    status["aggregatedState"] = running ? "InProgress" : failed ? "Failed" : summary.empty() ? "Unknown" : "Completed";
    status["summary"] = std::move(summary);
    return status;
}

}  // namespace galleryd::simulator
