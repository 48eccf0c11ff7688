#include "tests/unit/simulator/box.h"

namespace galleryd::simulator {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("requests for versions are refused as Azure refuses them") {
    FullBox box;
    box.make_version("9.9.9");
    struct Row {
        std::string what, name, body;
        int status;
        std::string code, text;
    };
    const auto with_regions = [&box](const std::string& regions) { return box.version_text(regions); };
    const std::vector<Row> rows{
        {"two parts", "1.0", with_regions(R"([{"name":"eastus2"}])"), 400, "InvalidParameter",
         "galleryImageVersionName"},
        {"too large a part", "1.0.2147483648", with_regions(R"([{"name":"eastus2"}])"), 400, "InvalidParameter",
         "32-bit"},
        {"no location", "1.0.0", R"({"properties":{"storageProfile":{}}})", 400, "LocationRequired", "location"},
        {"unknown location", "1.0.0", R"({"location":"eastus9","properties":{"storageProfile":{}}})", 400,
         "LocationNotAvailableForResourceType", "eastus9"},
        {"no properties", "1.0.0", R"({"location":"eastus2"})", 400, "InvalidParameter", "properties"},
        {"no storage profile", "1.0.0", R"({"location":"eastus2","properties":{}})", 400, "InvalidParameter",
         "storageProfile"},
        {"no source", "1.0.0", R"({"location":"eastus2","properties":{"storageProfile":{}}})", 400, "InvalidParameter",
         "storageProfile.source"},
        {"source missing", "1.0.0",
         R"({"location":"eastus2","properties":{"storageProfile":{"source":{"id":"/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/Microsoft.Compute/images/none"}}}})",
         400, "InvalidParameter", "is not found. Please check source exists"},
        {"source elsewhere", "1.0.0",
         R"({"location":"westus","properties":{"publishingProfile":{"targetRegions":[{"name":"westus"}]},"storageProfile":{"source":{"id":")" +
             box.image + R"("}}}})",
         400, "InvalidParameter", "same region"},
        {"duplicate region", "1.0.0", with_regions(R"([{"name":"eastus2"},{"name":"East US 2"}])"), 400,
         "InvalidParameter", "Duplicate regions are not allowed in target publishing regions."},
        {"home not a target", "1.0.0", with_regions(R"([{"name":"westus"}])"), 400, "InvalidParameter",
         "must contain the location"},
        {"unknown target", "1.0.0", with_regions(R"([{"name":"eastus2"},{"name":"atlantis"}])"), 400,
         "LocationNotAvailableForResourceType", "atlantis"},
        {"count zero", "1.0.0", with_regions(R"([{"name":"eastus2","regionalReplicaCount":0}])"), 400,
         "InvalidParameter", "out of range"},
        {"count too large", "1.0.0", with_regions(R"([{"name":"eastus2","regionalReplicaCount":101}])"), 400,
         "InvalidParameter", "between 1 and 100, inclusive"},
        {"count is text", "1.0.0", with_regions(R"([{"name":"eastus2","regionalReplicaCount":"2"}])"), 400,
         "InvalidParameter", "Int32"},
        {"unknown account type", "1.0.0", with_regions(R"([{"name":"eastus2","storageAccountType":"Floppy"}])"), 400,
         "InvalidParameter", "Floppy"},
        {"end of life in the past", "1.0.0",
         box.version_text(R"([{"name":"eastus2"}])", "", R"(,"endOfLifeDate":"2020-01-01T00:00:00Z")"), 400,
         "InvalidParameter", "EndOfLifeDate must be set to a future date."},
        {"not JSON", "1.0.0", "{", 400, "InvalidRequestContent", "deserialized"},
        {"another location", "9.9.9",
         R"({"location":"westus","properties":{"publishingProfile":{"targetRegions":[{"name":"westus"}]},"storageProfile":{}}})",
         409, "InvalidResourceLocation", "already exists in location 'eastus2'"},
        {"another account type", "9.9.9", with_regions(R"([{"name":"eastus2","storageAccountType":"Premium_LRS"}])"),
         409, "PropertyChangeNotAllowed", "storageAccountType"},
    };
    for (const Row& row : rows) {
        const auto answer = box.ask("PUT", box.version(row.name), row.body);
        CHECK_MESSAGE(answer.status == row.status, row.what << ": " << answer.raw.body);
        CHECK_MESSAGE(answer.code() == row.code, row.what << ": " << answer.raw.body);
        CHECK_MESSAGE(answer.message().find(row.text) != std::string::npos, row.what << ": " << answer.raw.body);
    }
    CHECK(box.ask("GET", box.version("1.0.0")).status == 404);
}

TEST_CASE("requests for definitions are refused as Azure refuses them") {
    FullBox box;
    REQUIRE(box.ask("PUT", box.galleries + "g/images/licensed", Box::definition_text("licensed", R"(,"eula":"terms")"))
                .status == 201);
    box.pass(seconds(1));
    struct Row {
        std::string what, name, body;
        int status;
        std::string code, target;
    };
    const std::vector<Row> rows{
        {"name", "-d", Box::definition_text("x"), 400, "InvalidParameter", "galleryImageName"},
        {"no osType", "e",
         R"({"location":"eastus2","properties":{"osState":"Generalized","identifier":{"publisher":"p","offer":"o","sku":"x"}}})",
         400, "InvalidParameter", "galleryImage.properties.osType"},
        {"bad osType", "e",
         R"({"location":"eastus2","properties":{"osType":"BeOS","osState":"Generalized","identifier":{"publisher":"p","offer":"o","sku":"x"}}})",
         400, "InvalidParameter", "galleryImage.properties.osType"},
        {"no sku", "e",
         R"({"location":"eastus2","properties":{"osType":"Linux","osState":"Generalized","identifier":{"publisher":"p","offer":"o"}}})",
         400, "InvalidParameter", "galleryImage.properties.identifier.sku"},
        {"sku ends with a dot", "e", Box::definition_text("x."), 400, "InvalidParameter",
         "galleryImage.properties.identifier.sku"},
        {"min over max", "e", Box::definition_text("x", R"(,"recommended":{"vCPUs":{"min":8,"max":2}})"), 400,
         "InvalidParameter", "galleryImage.properties.recommended.vCPUs"},
        {"end of life in the past", "e", Box::definition_text("x", R"(,"endOfLifeDate":"2020-01-01T00:00:00Z")"), 400,
         "InvalidParameter", "galleryImage.properties.endOfLifeDate"},
        {"triple taken", "e", Box::definition_text("S"), 409, "Conflict", ""},
        {"eula dropped", "licensed", Box::definition_text("licensed"), 409, "PropertyChangeNotAllowed",
         "galleryImage.properties.eula"},
        {"osState changed", "d",
         R"({"location":"eastus2","properties":{"osType":"Linux","osState":"Specialized","identifier":{"publisher":"p","offer":"o","sku":"s"}}})",
         409, "PropertyChangeNotAllowed", "galleryImage.properties.osState"},
        {"sku changed", "d", Box::definition_text("t"), 409, "PropertyChangeNotAllowed",
         "galleryImage.properties.identifier.sku"},
        {"features changed", "d",
         Box::definition_text("s", R"(,"features":[{"name":"IsAcceleratedNetworkSupported","value":"True"}])"), 409,
         "PropertyChangeNotAllowed", "galleryImage.properties.features"},
    };
    for (const Row& row : rows) {
        const auto answer = box.ask("PUT", box.galleries + "g/images/" + row.name, row.body);
        CHECK_MESSAGE(answer.status == row.status, row.what << ": " << answer.raw.body);
        CHECK_MESSAGE(answer.code() == row.code, row.what << ": " << answer.raw.body);
        CHECK_MESSAGE(answer.target() == row.target, row.what << ": " << answer.raw.body);
    }
    CHECK(box.ask("PUT", box.galleries + "g/images/d",
                  Box::definition_text("s", R"(,"description":"new","releaseNoteUri":"https://x")"))
              .status == 200);
}

TEST_CASE("features change only with allowUpdateImage and a startsAtVersion, which is echoed first") {
    FullBox box;
    const std::string features =
        R"(,"features":[{"name":"DiskControllerTypes","startsAtVersion":"2.0.0","value":"SCSI"}])";
    CHECK(box.ask("PUT", box.galleries + "g/images/d", Box::definition_text("s", features)).code() ==
          "PropertyChangeNotAllowed");
    CHECK(box.ask("PUT", box.galleries + "g/images/d",
                  Box::definition_text("s", features + R"(,"allowUpdateImage":true)"), "2021-10-01")
              .code() == "PropertyChangeNotAllowed");
    const auto changed = box.ask("PUT", box.galleries + "g/images/d",
                                 Box::definition_text("s", features + R"(,"allowUpdateImage":true)"));
    CHECK(changed.status == 200);
    CHECK(changed.body["properties"]["features"].dump() ==
          R"([{"startsAtVersion":"2.0.0","name":"DiskControllerTypes","value":"SCSI"}])");
    CHECK(!changed.body["properties"].contains("allowUpdateImage"));
}

TEST_CASE("definitions of 2025-03-03 become V2 and TrustedLaunchSupported unless told otherwise") {
    Box box;
    box.make_gallery();
    const std::string body =
        R"({"location":"eastus2","properties":{"osType":"Linux","osState":"Generalized","identifier":{"publisher":"p","offer":"o","sku":"SKU"}}})";
    const auto named = [&body](const std::string& sku) { return std::string(body).replace(body.find("SKU"), 3, sku); };
    const auto old = box.ask("PUT", box.galleries + "g/images/a", named("a"), "2024-03-03");
    CHECK(old.body["properties"]["hyperVGeneration"] == "V1");
    CHECK(!old.body["properties"].contains("features"));
    const auto fresh = box.ask("PUT", box.galleries + "g/images/b", named("b"), "2025-03-03");
    CHECK(fresh.body["properties"]["hyperVGeneration"] == "V2");
    CHECK(fresh.body["properties"]["features"].dump() ==
          R"([{"name":"SecurityType","value":"TrustedLaunchSupported"}])");
}

TEST_CASE("answers are normalised: region names, feature values, defaults, empty objects") {
    Box box;
    box.make_gallery();
    const auto definition = box.ask(
        "PUT", box.galleries + "g/images/d",
        R"({"location":"East US 2","tags":{},"properties":{"osType":"linux","osState":"Generalized","hyperVGeneration":"V2","disallowed":{},
      "identifier":{"publisher":"p","offer":"o","sku":"s"},"features":[{"name":"SecurityType","value":"ConfidentialVm"},{"name":"IsAcceleratedNetworkSupported","value":"true"}]}})");
    REQUIRE(definition.status == 201);
    CHECK(definition.body["location"] == "eastus2");
    CHECK(definition.body["tags"].dump() == "{}");
    CHECK(definition.body["properties"]["osType"] == "Linux");
    CHECK(definition.body["properties"]["architecture"] == "x64");
    CHECK(!definition.body["properties"].contains("disallowed"));
    CHECK(definition.body["properties"]["features"][0]["value"] == "ConfidentialVM");
    CHECK(definition.body["properties"]["features"][1]["value"] == "True");
    box.pass(seconds(1));
    const auto version =
        box.ask("PUT", box.version("1.0.0"),
                box.version_text(R"([{"name":"eastus2"},{"name":"WestEurope","storageAccountType":"standard_zrs"}])",
                                 "", R"(,"replicaCount":2)"));
    REQUIRE(version.status == 201);
    const Json profile = version.body["properties"]["publishingProfile"];
    CHECK(profile["targetRegions"][0].dump() ==
          R"({"name":"East US 2","regionalReplicaCount":2,"storageAccountType":"Standard_LRS"})");
    CHECK(profile["targetRegions"][1].dump() ==
          R"({"name":"West Europe","regionalReplicaCount":2,"storageAccountType":"Standard_ZRS"})");
    CHECK(profile["excludeFromLatest"] == false);
    CHECK(version.body["properties"]["safetyProfile"].dump() ==
          R"({"reportedForPolicyViolation":false,"allowDeletionOfReplicatedLocations":false})");
    CHECK(!version.body["properties"]["storageProfile"].contains("osDiskImage"));
    box.pass(hours(2));
    const auto done = box.ask("GET", box.version("1.0.0"));
    CHECK(done.body["properties"]["storageProfile"]["osDiskImage"].dump() ==
          R"({"sizeInGB":30,"hostCaching":"ReadWrite","source":{}})");
    CHECK(done.body["properties"]["storageProfile"]["dataDiskImages"].dump() ==
          R"([{"lun":0,"sizeInGB":10,"hostCaching":"None"}])");
    CHECK(done.body["properties"]["publishingProfile"]["publishedDate"] == profile["publishedDate"]);
    const auto listed = box.ask("GET", box.group + "/providers/Microsoft.Compute/galleries");
    CHECK(listed.body["value"][0]["id"] ==
          box.subscription + "/resourceGroups/RG/providers/Microsoft.Compute/galleries/g");
    CHECK(listed.body["value"][0]["properties"]["identifier"]["uniqueName"] ==
          "11111111-1111-1111-1111-111111111111-G");
}

TEST_CASE("parents refuse deletion while children exist and for a while after") {
    Options options;
    options.seed = 3;
    FullBox box(options);
    box.make_version();
    const auto refused = box.ask("DELETE", box.galleries + "g/images/d");
    CHECK(refused.status == 409);
    CHECK(refused.code() == "CannotDeleteResource");
    CHECK(refused.message().find("galleries/g/images/d/versions/1.0.0") != std::string::npos);
    CHECK(box.ask("DELETE", box.galleries + "g").code() == "CannotDeleteResource");
    REQUIRE(box.ask("DELETE", box.version("1.0.0")).status == 202);
    while (box.ask("GET", box.version("1.0.0")).status == 200) box.pass(std::chrono::seconds(1));
    int lag = 0;
    while (box.ask("DELETE", box.galleries + "g/images/d").status == 409) {
        ++lag;
        box.pass(seconds(1));
        REQUIRE(lag <= 20);
    }
    CHECK(lag >= 1);
}

TEST_CASE("a region is removed only when the stored safety flag allows it") {
    FullBox box;
    const std::string both = R"([{"name":"eastus2"},{"name":"westeurope"}])";
    const std::string one = R"([{"name":"eastus2"}])";
    const std::string flag = R"(,"safetyProfile":{"allowDeletionOfReplicatedLocations":true})";
    box.make_version("1.0.0", both);
    CHECK(box.ask("PUT", box.version("1.0.0"), box.version_text(one)).status == 409);
    CHECK(box.ask("PUT", box.version("1.0.0"), box.version_text(one, flag)).status == 409);
    CHECK(box.ask("GET", box.version("1.0.0")).body["properties"]["publishingProfile"]["targetRegions"].size() == 2);
    CHECK(box.ask("PUT", box.version("1.0.0"), box.version_text(both, flag)).status == 200);
    box.pass(hours(1));
    CHECK(box.ask("PUT", box.version("1.0.0"), box.version_text(one, flag)).status == 200);
    box.pass(hours(1));
    CHECK(box.ask("GET", box.version("1.0.0") + "?$expand=ReplicationStatus")
              .body["properties"]["replicationStatus"]["summary"]
              .size() == 1);
    box.make_version("2.0.0", both);
    CHECK(box.ask("PUT", box.version("2.0.0"), box.version_text(one), "2021-10-01").status ==
          200);                                                    // before the flag existed
    CHECK(box.ask("DELETE", box.version("1.0.0")).status == 202);  // the flag does not protect the whole version
}

TEST_CASE("blockDeletionBeforeEndOfLife blocks deletion until that day") {
    FullBox box;
    const std::string later = R"(,"endOfLifeDate":"2026-03-11T00:00:00Z")";
    const std::string block = R"(,"safetyProfile":{"blockDeletionBeforeEndOfLife":true})";
    REQUIRE(box.ask("PUT", box.version("1.0.0"), box.version_text(R"([{"name":"eastus2"}])", block, later)).status ==
            201);
    box.pass(hours(1));
    const auto refused = box.ask("DELETE", box.version("1.0.0"));
    CHECK(refused.status == 409);
    CHECK(refused.code() == "DeleteGalleryImageVersionBlockedBeforeEndOfLife");
    box.pass(hours(24 * 10));
    CHECK(box.ask("DELETE", box.version("1.0.0")).status == 202);
}

TEST_CASE("an update may leave the source out; a different source or a write during deletion is refused") {
    FullBox box;
    box.make_version();
    const auto kept = box.ask(
        "PUT", box.version("1.0.0"),
        R"({"location":"eastus2","properties":{"publishingProfile":{"targetRegions":[{"name":"eastus2"}],"replicaCount":2},"storageProfile":{}}})");
    CHECK(kept.status == 200);
    CHECK(kept.body["properties"]["storageProfile"]["source"]["id"] == box.image);
    const auto busy = box.ask("PUT", box.version("1.0.0"), box.version_text());
    CHECK(busy.status == 409);
    box.pass(minutes(5));
    const auto other = box.ask(
        "PUT", box.version("1.0.0"),
        R"({"location":"eastus2","properties":{"publishingProfile":{"targetRegions":[{"name":"eastus2"}]},"storageProfile":{"source":{"id":"/subscriptions/x/other"}}}})");
    CHECK(other.code() == "PropertyChangeNotAllowed");
    CHECK(other.target() == "galleryImageVersion.properties.storageProfile.source.id");
    REQUIRE(box.ask("DELETE", box.version("1.0.0")).status == 202);
    const auto marked = box.ask("PUT", box.version("1.0.0"), box.version_text());
    CHECK(marked.status == 409);
    CHECK(marked.message().find("since it is marked for deletion. You can only retry the Delete operation") !=
          std::string::npos);
}

TEST_CASE("PATCH merges and answers 200") {
    FullBox box;
    box.make_version("1.0.0", R"([{"name":"eastus2"}])");
    const auto patched = box.ask("PATCH", box.version("1.0.0"),
                                 R"({"tags":{"a":"b"},"properties":{"publishingProfile":{"excludeFromLatest":true}}})");
    CHECK(patched.status == 200);
    CHECK(patched.body["tags"]["a"] == "b");
    CHECK(patched.body["properties"]["publishingProfile"]["excludeFromLatest"] == true);
    CHECK(patched.body["properties"]["publishingProfile"]["targetRegions"].size() == 1);
    CHECK(box.ask("PATCH", box.galleries + "none", "{}").status == 404);
}

TEST_CASE("children need their parents, groups must exist, and lists of nothing are empty") {
    Box box;
    const auto orphan = box.ask("PUT", box.galleries + "g/images/d", Box::definition_text());
    CHECK(orphan.status == 404);
    CHECK(orphan.code() == "ParentResourceNotFound");
    CHECK(orphan.message().find("Parent resource 'g' not found") != std::string::npos);
    const auto no_group =
        box.ask("GET", box.subscription + "/resourceGroups/nowhere/providers/Microsoft.Compute/galleries/g");
    CHECK(no_group.status == 404);
    CHECK(no_group.code() == "ResourceGroupNotFound");
    CHECK(box.ask("GET", box.group + "/providers/Microsoft.Compute/galleries").raw.body == "{\r\n  \"value\": []\r\n}");
    CHECK(box.raw("GET", box.galleries + "g").code() == "MissingApiVersionParameter");
    CHECK(box.ask("GET", box.galleries + "g", "", "2019-01-01").code() == "NoRegisteredProviderFound");
}

TEST_CASE("gallery names are unique in the subscription, have no dash, and galleries count against the quota") {
    Box box;
    box.make_gallery();
    REQUIRE(box.ask("PUT", box.subscription + "/resourcegroups/other", R"({"location":"eastus2"})").status == 201);
    const auto taken =
        box.ask("PUT", box.subscription + "/resourceGroups/other/providers/Microsoft.Compute/galleries/G",
                R"({"location":"eastus2"})");
    CHECK(taken.status == 409);
    CHECK(taken.message().find("is not unique within the subscription") != std::string::npos);
    CHECK(box.ask("PUT", box.galleries + "a-b", R"({"location":"eastus2"})").status == 400);
    for (int i = 1; i < 100; ++i) {
        const auto made = box.ask("PUT", box.galleries + "n" + std::to_string(i), R"({"location":"eastus2"})");
        REQUIRE_MESSAGE(made.status == 201, made.raw.body);
        box.pass(seconds(30));
    }
    CHECK(box.ask("PUT", box.galleries + "one_too_many", R"({"location":"eastus2"})").code() == "OperationNotAllowed");
    CHECK(box.ask("PUT", box.galleries + "elsewhere", R"({"location":"westus"})").status == 201);
    const auto usages = box.ask("GET", box.subscription + "/providers/Microsoft.Compute/locations/eastus2/usages");
    CHECK(usages.body["value"][0]["name"]["value"] == "Gallery");
    CHECK(usages.body["value"][0]["currentValue"] == 100);
}

TEST_CASE("lists end in pages that lead on with the client's own scheme and host") {
    Options options;
    options.page_size = 2;
    Box box(options);
    box.make_gallery();
    for (const std::string name : {"a", "b", "c", "d", "e"}) box.make_definition(name, name);
    std::string target = box.galleries + "g/images?api-version=2024-03-03";
    std::vector<std::string> names;
    int pages = 0;
    while (!target.empty()) {
        const auto page = box.raw("GET", target);
        REQUIRE(page.status == 200);
        for (const Json& row : page.body["value"]) names.push_back(text_of(row, "name"));
        const std::string next = text_of(page.body, "nextLink");
        if (!next.empty()) REQUIRE(next.starts_with("https://azure.test/"));
        target = next.empty() ? "" : next.substr(18);
        ++pages;
    }
    CHECK(pages == 3);
    CHECK(names == std::vector<std::string>{"a", "b", "c", "d", "e"});
}

TEST_CASE("double slashes, case of literals and escaped query names are accepted") {
    FullBox box;
    box.make_version();
    const auto loose =
        box.raw("GET",
                "//subscriptions/11111111-1111-1111-1111-111111111111/RESOURCEGROUPS/RG/Providers/microsoft.compute//"
                "Galleries/G/Images/D/versions/1.0.0?API-version=2024-03-03&%24expand=replicationStatus");
    CHECK(loose.status == 200);
    CHECK(loose.body["properties"].contains("replicationStatus"));
    CHECK(loose.body["id"] ==
          "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/RG/providers/Microsoft.Compute/galleries/"
          "g/images/d/versions/1.0.0");
}

}  // namespace galleryd::simulator
