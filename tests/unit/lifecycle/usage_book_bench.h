#pragma once
#include <doctest/doctest.h>

#include "reconcilers/lifecycle/usage_book.h"

// A book of who uses what, its clock and the looks that it is told of.
namespace galleryd::test {
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

inline const std::string consumer = "22222222-2222-2222-2222-222222222222";
inline const std::string owner = "11111111-1111-1111-1111-111111111111";
inline const ResourceId gallery = gallery_id(owner, "rg", "golden");
inline const ResourceId definition = definition_id(gallery, "ubuntu");

inline ResourceId version(const std::string& number) { return version_id(definition, number); }

inline ImageUser machine(const std::string& name, const std::string& number) {
    return {.kind = UserKind::virtual_machine,
            .id = ResourceId("/subscriptions/" + consumer +
                             "/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/" + name),
            .region = "eastus",
            .definition = definition,
            .version = number};
}

struct UsageBookBench {
    Instant now{.wall = *parse_rfc3339("2026-11-21T12:00:00Z"), .monotonic = hours(5)};
    UsageBook book;
    GalleryReach reach{.gallery = gallery, .found = true, .subscriptions = {}, .tenants = {}};
    std::vector<std::string> readable{owner, consumer};

    void pass(std::chrono::nanoseconds time) {
        now.wall += std::chrono::duration_cast<Duration>(time);
        now.monotonic += time;
    }
    void look(std::vector<ImageUser> users = {}) {
        UsageAnswer answer{.at = now.wall,
                           .users = std::move(users),
                           .hidden = {},
                           .galleries = {reach},
                           .readable = readable,
                           .requests = 4};
        sort_users(answer.users);
        book.note(std::move(answer), now, now);
    }
    // As a pass whose plan wants this version away.
    VersionUsage usage(const std::string& number = "1.0.0") {
        VersionUsage usage = book.usage_of(version(number), nullptr, now);
        book.follow(definition, {version(number).key()}, {row(number)}, now);
        return usage;
    }
    static ObservedVersion row(const std::string& number) {
        ObservedVersion made;
        made.id = version(number);
        made.name = number;
        return made;
    }
};

inline ObservedVersion observed(const std::string& number, std::vector<std::string> regions,
                                ReplicationState state = ReplicationState::completed) {
    ObservedVersion row;
    row.id = version(number);
    row.name = number;
    row.number = parse_image_version_number(number);
    row.state = ProvisioningState::succeeded;
    for (const std::string& region : regions) {
        TargetRegion target;
        target.name = region;
        row.target_regions.push_back(target);
        row.replication[region].state = state;
    }
    return row;
}

}  // namespace galleryd::test
