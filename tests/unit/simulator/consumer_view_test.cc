#include "tests/unit/simulator/box.h"

namespace galleryd::simulator {

TEST_CASE("consumers of a community gallery see the recorded shapes") {
    Box box;
    REQUIRE(
        box.ask(
               "PUT", box.galleries + "g",
               R"({"location":"eastus2","properties":{"sharingProfile":{"permissions":"Community","communityGalleryInfo":
      {"publisherUri":"puburi","publisherContact":"abc@123.com","eula":"eula","publicNamePrefix":"pubname"}}}})")
            .status == 201);
    box.pass(std::chrono::seconds(1));
    box.make_definition();
    box.make_version();
    const auto owner = box.ask("GET", box.galleries + "g?$select=Permissions");
    const Json info = owner.body["properties"]["sharingProfile"]["communityGalleryInfo"];
    CHECK(info["communityGalleryEnabled"] == false);
    const std::string name = info["publicNames"][0].get<std::string>();
    CHECK(name.starts_with("pubname-"));
    const std::string base =
        box.subscription + "/providers/Microsoft.Compute/locations/eastus2/communityGalleries/" + name;
    CHECK(box.ask("GET", base).status == 404);  // not yet enabled
    REQUIRE(box.ask("POST", box.galleries + "g/share", R"({"operationType":"EnableCommunity"})").status == 202);
    box.pass(std::chrono::seconds(10));
    const auto gallery = box.ask("GET", base);
    CHECK(gallery.body["properties"]["communityMetadata"].dump() ==
          R"({"publisherUri":"puburi","publisherContact":"abc@123.com","eula":"eula","publicNames":[")" + name +
              "\"]}");
    CHECK(gallery.body["communityMetadata"] == gallery.body["properties"]["communityMetadata"]);
    CHECK(gallery.header("x-ms-ratelimit-remaining-resource").starts_with("Microsoft.Compute/GetGallery3Min;"));
    const auto definition = box.ask("GET", base + "/images/d");
    CHECK(definition.body["properties"]["identifier"].dump() == R"({"publisher":"","offer":"","sku":""})");
    CHECK(definition.body["properties"]["recommended"].dump() == "{}");
    CHECK(definition.header("x-ms-ratelimit-remaining-resource")
              .starts_with("Microsoft.Compute/GetGalleryArtifact3Min;"));
    const auto versions = box.ask("GET", base + "/images/d/versions");
    REQUIRE(versions.body["value"].size() == 1);
    CHECK(versions.body["value"][0]["properties"]["storageProfile"]["osDiskImage"].dump() ==
          R"({"diskSizeGB":30,"hostCaching":"ReadWrite"})");
    CHECK(versions.body["value"][0]["identifier"]["uniqueId"] ==
          "/CommunityGalleries/" + name + "/Images/d/Versions/1.0.0");
    CHECK(box.ask("GET", base + "/images/none").status == 404);
}

TEST_CASE("validationsProfile is printed from 2024-03-03 on and not before") {
    FullBox box;
    box.make_version();
    CHECK(box.ask("GET", box.version("1.0.0"), "", "2024-03-03")
              .body["properties"]["validationsProfile"]["validationOperationStatus"] == "NotExecuted");
    CHECK(!box.ask("GET", box.version("1.0.0"), "", "2023-07-03").body["properties"].contains("validationsProfile"));
}

}  // namespace galleryd::simulator
