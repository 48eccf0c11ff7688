#include "controller/core/budget_schedule.h"

#include <doctest/doctest.h>

#include <vector>

#include "controller/core/budget_limits.h"

using namespace galleryd;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("the fastest legal schedule of version creates and deletes is the one of performance §3.3") {
    struct Row {
        std::int64_t requests;
        minutes creates, deletes;
    };
    for (const Row& row : std::vector<Row>{{0, minutes{0}, minutes{0}},
                                           {1, minutes{0}, minutes{0}},
                                           {100, minutes{0}, minutes{0}},
                                           {150, minutes{0}, minutes{0}},
                                           {151, minutes{0}, minutes{3}},
                                           {375, minutes{0}, minutes{6}},
                                           {376, minutes{3}, minutes{6}},
                                           {1'000, minutes{6}, minutes{18}},
                                           {1'200, minutes{9}, minutes{33}},
                                           {1'201, minutes{30}, minutes{33}},
                                           {10'000, minutes{243}, minutes{288}}}) {
        CAPTURE(row.requests);
        const auto creates = schedule_windows(*find_policy("CreateUpdateGalleryImageVersion"));
        const auto deletes = schedule_windows(*find_policy("DeleteGalleryImageVersion"));
        CHECK(ideal_schedule(row.requests, creates) == row.creates);
        CHECK(ideal_schedule(row.requests, deletes) == row.deletes);
    }
}

TEST_CASE("a share of the windows stretches the schedule, and one request always fits") {
    const auto half = schedule_windows(*find_policy("CreateUpdateGalleryImageVersion"), 0.5);
    CHECK(half.at(0).limit == 187);
    CHECK(half.at(1).limit == 600);
    CHECK(ideal_schedule(1'000, half) == minutes{36});
    const auto crumb = schedule_windows(*find_policy("PostShareGallery"), 0.01);
    CHECK(crumb.at(0).limit == 1);
    CHECK(ideal_schedule(2, crumb) == minutes{30});
}

TEST_CASE("windows of any number and length are stepped through") {
    const std::vector<ScheduleWindow> one{{.limit = 2, .length = seconds{10}}};
    CHECK(ideal_schedule(7, one) == seconds{30});
    // The short one begins anew in the middle of the long one's pause: it is not whole minutes from there.
    const std::vector<ScheduleWindow> two{{.limit = 3, .length = seconds{4}}, {.limit = 4, .length = seconds{10}}};
    CHECK(ideal_schedule(4, two) == seconds{4});
    CHECK(ideal_schedule(5, two) == seconds{10});
}

TEST_CASE("every request of a gallery has the policy that Azure charges") {
    const auto stem = [](std::string_view method, std::string_view type, bool collection = false, bool group = true) {
        const PolicyLimits* const policy =
            policy_of({.method = method, .type = type, .collection = collection, .resource_group = group});
        return policy == nullptr ? std::string_view{} : policy->stem;
    };
    const std::string_view gallery = "microsoft.compute/galleries", image = "microsoft.compute/galleries/images",
                           version = "microsoft.compute/galleries/images/versions";
    CHECK(stem("GET", gallery) == "GetGallery");
    CHECK(stem("PUT", gallery) == "CreateUpdateGallery");
    CHECK(stem("PATCH", gallery) == "CreateUpdateGallery");
    CHECK(stem("DELETE", gallery) == "DeleteGallery");
    CHECK(stem("POST", gallery) == "PostShareGallery");
    CHECK(stem("POST", "microsoft.compute/galleries/share") == "PostShareGallery");
    CHECK(stem("GET", gallery, true) == "ListGalleryInResourceGroup");
    CHECK(stem("GET", gallery, true, false) == "ListGallery");
    CHECK(stem("PUT", image) == "CreateUpdateGalleryImage");
    CHECK(stem("GET", image, true) == "ListGalleryImagesInGallery");
    CHECK(stem("PUT", version) == "CreateUpdateGalleryImageVersion");
    CHECK(stem("DELETE", version) == "DeleteGalleryImageVersion");
    CHECK(stem("GET", version) == "GetGalleryImageVersion");
    CHECK(stem("GET", version, true) == "ListGalleryImageVersionsInGalleryImage");
    CHECK(stem("GET", "microsoft.compute/locations/capsoperations") == "GetOperationStatus");
    CHECK(stem("GET", "microsoft.compute/virtualmachines", true) == "HighCostGet");
    CHECK(stem("GET", "microsoft.compute/galleriesx") == "");
    CHECK(stem("GET", "microsoft.storage/storageaccounts") == "");
    for (const PolicyLimits& policy : policy_limits()) {
        CAPTURE(policy.stem);
        CHECK(policy.per_3_minutes > 0);
        CHECK(policy.per_30_minutes >= policy.per_3_minutes);
        CHECK(find_policy(policy.stem) == &policy);
    }
}
