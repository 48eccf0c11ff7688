#include "controller/core/fingerprint.h"

#include <doctest/doctest.h>

#include "controller/core/digest.h"

using namespace galleryd;

namespace {

ObservedVersion version_with_regions(std::vector<std::string> names) {
    ObservedVersion version;
    version.id =
        ResourceId("/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/galleries/g/images/d/versions/1.0.0");
    version.location = "eastus";
    version.state = ProvisioningState::succeeded;
    version.tags = {{"a", "b"}, {"none", std::nullopt}};
    for (std::string& name : names) {
        TargetRegion& region = version.target_regions.emplace_back();
        region.name = std::move(name);
        region.replicas = 2;
    }
    version.published = parse_rfc3339("2026-01-02T03:04:05.6789Z");
    version.source.type = SourceType::managed_image;
    version.source.id = ResourceId("/subscriptions/S/x");
    return version;
}

}  // namespace

TEST_CASE(
    "a fingerprint is the digest of every field behind its length, so that records of older versions stay valid") {
    const std::string expected =
        "89:/subscriptions/s/resourcegroups/g/providers/microsoft.compute/galleries/g/images/d/versions/1.0.0;"
        "6:eastus;9:Succeeded;2;1:a;t;1:b;4:none;f;0:;"
        "1;6:eastus;2;0:;f;0:;0:;0:;0;"
        "1;12:Standard_LRS;4:Full;f;25:2026-01-02T03:04:05.6789Z;0:;f;"
        "1;18:/subscriptions/s/x;0:;0:;0;f;f;";
    ObservedVersion version = version_with_regions({"eastus"});
    std::string text = expected;
    text.replace(text.find("89:"), 2, std::to_string(version.id.key().size()));
    text.replace(text.find("25:2026"), 2, std::to_string(format_rfc3339(*version.published).size()));
    const std::string type = std::to_string(static_cast<int>(SourceType::managed_image)) + ";18:";
    text.replace(text.find("1;18:"), 5, type);
    const std::string storage = std::to_string(version.target_regions[0].storage_account_type.size()) + ":" +
                                version.target_regions[0].storage_account_type + ";f;0:;0:;0:;0;";
    text.replace(text.find("0:;f;0:;0:;0:;0;"), 16, storage);
    CHECK(fingerprint(version) == sha256_label(text));
}

TEST_CASE("the order of regions and disks is no difference, their values are") {
    const ObservedVersion sorted = version_with_regions({"canadaeast", "eastus", "westus"});
    CHECK(fingerprint(sorted) == fingerprint(version_with_regions({"westus", "canadaeast", "eastus"})));
    CHECK(fingerprint(sorted) != fingerprint(version_with_regions({"canadaeast", "eastus", "westus2"})));
    ObservedVersion one = sorted, two = sorted;
    for (const int lun : {0, 1}) one.source.data_disks.emplace_back().lun = lun;
    for (const int lun : {1, 0}) two.source.data_disks.emplace_back().lun = lun;
    for (auto* disks : {&one.source.data_disks, &two.source.data_disks})
        for (DataDiskSource& disk : *disks) disk.vhd_uri = "disk " + std::to_string(disk.lun);
    CHECK(fingerprint(one) == fingerprint(two));
    two.source.data_disks[0].lun = 2;
    CHECK(fingerprint(one) != fingerprint(two));
}
