#include "controller/adapters/azure/encode.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "controller/adapters/azure/decode.h"
#include "tests/unit/azure/scripted_transport.h"

using namespace galleryd;
using namespace galleryd::azure;
using namespace galleryd::azure::test;
using nlohmann::json;

namespace {

json body_of(const Result<std::string>& encoded) {
    REQUIRE_MESSAGE(encoded.has_value(), encoded.error().message);
    return json::parse(*encoded);
}

// What Azure would answer to a PUT: the body with the id added.
std::string as_answer(const std::string& body, const ResourceId& id) {
    json answer = json::parse(body);
    answer["id"] = id.text();
    answer["name"] = id.name();
    answer["properties"]["provisioningState"] = "Succeeded";
    return answer.dump();
}

ObservedVersion observed_version(json raw) {
    const auto version = decode_version(raw.dump(), {});
    REQUIRE(version.has_value());
    return *version;
}

VersionWrite write_of(const ObservedVersion& version) {
    VersionWrite write;
    write.location = version.location;
    write.target_regions = version.target_regions;
    write.replica_count = version.replica_count;
    write.storage_account_type = version.storage_account_type;
    write.replication_mode = version.replication_mode;
    write.exclude_from_latest = version.exclude_from_latest;
    write.end_of_life = version.end_of_life;
    write.block_deletion_before_end_of_life = version.block_deletion_before_end_of_life.value_or(false);
    write.allow_deletion_of_replicated_locations = version.allow_deletion_of_replicated_locations;
    return write;
}

}  // namespace

TEST_CASE("a created version reads back as it was written, whatever it was") {
    std::mt19937 random(7);
    const auto below = [&random](int limit) { return static_cast<int>(random() % static_cast<unsigned>(limit)); };
    const std::vector<std::string> storage_types{"Standard_LRS", "Standard_ZRS", "Premium_LRS", "PremiumV2_LRS"};
    const std::vector<std::string> names{"eastus", "westeurope", "canadacentral", "uksouth", "moonbase1"};
    const std::string prefix = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/";
    for (int round = 0; round < 500; ++round) {
        VersionWrite write;
        write.location = names[static_cast<std::size_t>(below(5))];
        write.replica_count = 1 + below(100);
        write.storage_account_type = storage_types[static_cast<std::size_t>(below(4))];
        write.replication_mode = below(2) == 0 ? "Full" : "Shallow";
        write.exclude_from_latest = below(2) == 0;
        write.block_deletion_before_end_of_life = below(2) == 0;
        write.allow_deletion_of_replicated_locations = below(2) == 0;
        if (below(2) == 0) write.end_of_life = ManualClock::default_start + std::chrono::seconds{below(1 << 30)};
        write.tags = {{"round", std::to_string(round)}};
        for (const std::string& name : names) {
            if (below(3) == 0) continue;
            TargetRegion region{.name = name,
                                .replicas = 1 + below(50),
                                .storage_account_type = storage_types[static_cast<std::size_t>(below(4))],
                                .exclude_from_latest = std::nullopt,
                                .encryption = std::nullopt};
            if (below(2) == 0) region.exclude_from_latest = below(2) == 0;
            if (below(3) == 0)
                region.encryption = DiskEncryption{.os_disk_encryption_set_id = "/des/" + name,
                                                   .cvm_encryption_type = below(2) == 0 ? "EncryptedWithCmk" : "",
                                                   .cvm_disk_encryption_set_id = {},
                                                   .data_disk_encryption_set_ids = {{below(4), "/des/d"}}};
            write.target_regions.push_back(region);
        }
        std::ranges::sort(write.target_regions, {}, &TargetRegion::name);
        ImageSource source;
        source.type = static_cast<SourceType>(1 + below(5));
        if (source.type == SourceType::managed_image) source.id = ResourceId(prefix + "images/i");
        if (source.type == SourceType::virtual_machine) source.id = ResourceId(prefix + "virtualMachines/v");
        if (source.type == SourceType::gallery_image_version)
            source.id = ResourceId(prefix + "galleries/g/images/d/versions/1.0.0");
        if (source.type == SourceType::community_gallery_image)
            source.id = ResourceId("/CommunityGalleries/p/Images/i/Versions/1.0.0");
        if (source.type == SourceType::os_disk) {
            source.os_host_caching = "ReadOnly";
            if (below(2) == 0) {
                source.id = ResourceId(prefix + "snapshots/s");
                source.data_disks = {{.lun = 0,
                                      .source = ResourceId(prefix + "disks/d"),
                                      .vhd_uri = {},
                                      .storage_account = {},
                                      .host_caching = "None"}};
            } else {
                source.vhd_uri = "https://a.blob.core.windows.net/vhds/x.vhd";
                source.storage_account =
                    ResourceId("/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a");
            }
        }
        write.source = source;

        const auto encoded = encode_version(write, std::nullopt);
        REQUIRE(encoded.has_value());
        CAPTURE(*encoded);
        const auto read = decode_version(as_answer(*encoded, sample_version), {});
        REQUIRE(read.has_value());
        CHECK(read->location == write.location);
        CHECK(read->target_regions == write.target_regions);
        CHECK(read->replica_count == write.replica_count);
        CHECK(read->storage_account_type == write.storage_account_type);
        CHECK(read->replication_mode == write.replication_mode);
        CHECK(read->exclude_from_latest == write.exclude_from_latest);
        CHECK(read->block_deletion_before_end_of_life == write.block_deletion_before_end_of_life);
        CHECK(read->allow_deletion_of_replicated_locations == write.allow_deletion_of_replicated_locations);
        CHECK(read->end_of_life == write.end_of_life);
        CHECK(read->source == source);
        CHECK(read->tags.at("round") == std::to_string(round));

        // And an update that changes nothing sends what means the same.
        const auto again = encode_version(write_of(*read), *read);
        REQUIRE(again.has_value());
        const auto reread = decode_version(as_answer(*again, sample_version), {});
        CHECK(reread->target_regions == write.target_regions);
        CHECK(reread->end_of_life == write.end_of_life);
    }
}

TEST_CASE("Z10: an update sends unknown properties back and drops what only Azure may set") {
    json raw = json::parse(version_body());
    raw["zones"] = {"1"};
    raw["systemData"] = {{"createdAt", "x"}};
    raw["tags"] = {
        {"theirs", "kept"}, {"nothing", nullptr}, {"Galleryd-Owner", "old"}, {"galleryd-delete-after", "gone"}};
    raw["properties"]["future"] = {{"deep", {1, 2.5, "three"}}};
    raw["properties"]["securityProfile"] = {{"uefiSettings", {{"signatureTemplateNames", {"t"}}}}};
    raw["properties"]["replicationStatus"] = {{"aggregatedState", "Completed"}};
    raw["properties"]["validationsProfile"] = json::object();
    raw["properties"]["safetyProfile"]["policyViolations"] = json::array();
    raw["properties"]["safetyProfile"]["futureFlag"] = true;
    raw["properties"]["storageProfile"]["futureDisk"] = "kept";
    raw["properties"]["publishingProfile"]["targetRegions"][0]["additionalReplicaSets"] = {
        {{"storageAccountType", "PremiumV2_LRS"}, {"regionalReplicaCount", 1}}};
    const ObservedVersion base = observed_version(raw);
    VersionWrite write = write_of(base);
    write.exclude_from_latest = true;
    write.end_of_life = parse_rfc3339("2027-05-21T00:00:00Z");
    write.tags = {{"galleryd-owner", "new"}};
    write.tags_removed = {"galleryd-delete-after"};
    const json body = body_of(encode_version(write, base));

    CHECK(body["zones"] == raw["zones"]);
    const json& properties = body["properties"];
    CHECK(properties["future"] == raw["properties"]["future"]);
    CHECK(properties["securityProfile"] == raw["properties"]["securityProfile"]);
    CHECK(properties["safetyProfile"]["futureFlag"] == true);
    CHECK(properties["storageProfile"] == json{{"futureDisk", "kept"}});
    for (const char* read_only : {"provisioningState", "replicationStatus", "validationsProfile"})
        CHECK_FALSE(properties.contains(read_only));
    for (const char* read_only : {"id", "name", "type", "systemData"}) CHECK_FALSE(body.contains(read_only));
    CHECK_FALSE(properties["publishingProfile"].contains("publishedDate"));
    CHECK_FALSE(properties["safetyProfile"].contains("reportedForPolicyViolation"));
    CHECK_FALSE(properties["safetyProfile"].contains("policyViolations"));
    CHECK(properties["publishingProfile"]["excludeFromLatest"] == true);
    CHECK(properties["publishingProfile"]["endOfLifeDate"] == "2027-05-21T00:00:00Z");
    const json& regions = properties["publishingProfile"]["targetRegions"];
    REQUIRE(regions.size() == 2);
    CHECK(regions[1]["name"] == "westus2");
    CHECK(regions[1]["additionalReplicaSets"] ==
          raw["properties"]["publishingProfile"]["targetRegions"][0]["additionalReplicaSets"]);
    CHECK(body["tags"] == json{{"theirs", "kept"}, {"nothing", nullptr}, {"galleryd-owner", "new"}});
}

TEST_CASE("Z11: every field whose default could move is sent, even when nothing was declared") {
    VersionWrite write;
    write.location = "eastus";
    write.target_regions.resize(1);
    write.target_regions[0].name = "eastus";
    const json body = body_of(encode_version(write, std::nullopt));
    const json& publishing = body["properties"]["publishingProfile"];
    CHECK(publishing["replicaCount"] == 1);
    CHECK(publishing["excludeFromLatest"] == false);
    CHECK(publishing["storageAccountType"] == "Standard_LRS");
    CHECK(publishing["replicationMode"] == "Full");
    CHECK_FALSE(publishing.contains("endOfLifeDate"));
    CHECK(publishing["targetRegions"][0]["regionalReplicaCount"] == 1);
    CHECK(publishing["targetRegions"][0]["storageAccountType"] == "Standard_LRS");
    CHECK(body["properties"]["safetyProfile"]["allowDeletionOfReplicatedLocations"] == false);
    CHECK(body["properties"]["safetyProfile"]["blockDeletionBeforeEndOfLife"] == false);
    CHECK(body["properties"]["storageProfile"] == json::object());
}

TEST_CASE("a region that is left out of the write is left out of the body, and an end of life taken away goes") {
    json raw = json::parse(version_body());
    raw["properties"]["publishingProfile"]["endOfLifeDate"] = "2027-01-01T00:00:00+00:00";
    const ObservedVersion base = observed_version(raw);
    VersionWrite write = write_of(base);
    write.target_regions.pop_back();
    write.end_of_life.reset();
    const json body = body_of(encode_version(write, base));
    CHECK(body["properties"]["publishingProfile"]["targetRegions"].size() == 1);
    CHECK(body["properties"]["publishingProfile"]["targetRegions"][0]["name"] == "eastus2");
    CHECK_FALSE(body["properties"]["publishingProfile"].contains("endOfLifeDate"));
}

TEST_CASE("a storage strategy excludes storage account types") {
    json raw = json::parse(version_body());
    raw["properties"]["publishingProfile"]["storageAccountStrategy"] = "PreferStandard_ZRS";
    const ObservedVersion base = observed_version(raw);
    const json body = body_of(encode_version(write_of(base), base));
    CHECK(body["properties"]["publishingProfile"]["storageAccountStrategy"] == "PreferStandard_ZRS");
}

TEST_CASE("encryption of an existing region goes back as Azure spelled it") {
    json raw = json::parse(version_body());
    raw["properties"]["publishingProfile"]["targetRegions"][0]["encryption"] = {
        {"osDiskImage", {{"securityProfile", json::object()}, {"diskEncryptionSetId", "/des/1"}, {"future", 1}}}};
    const ObservedVersion base = observed_version(raw);
    const json same = body_of(encode_version(write_of(base), base));
    CHECK(same["properties"]["publishingProfile"]["targetRegions"][1]["encryption"] ==
          raw["properties"]["publishingProfile"]["targetRegions"][0]["encryption"]);
    VersionWrite undeclared = write_of(base);
    for (TargetRegion& region : undeclared.target_regions) region.encryption.reset();
    const json kept = body_of(encode_version(undeclared, base));
    CHECK(kept["properties"]["publishingProfile"]["targetRegions"][1]["encryption"]["osDiskImage"]
              ["diskEncryptionSetId"] == "/des/1");
}

TEST_CASE("an update without the body of a fresh read is refused") {
    ObservedVersion listed = observed_version(json::parse(version_body()));
    listed.raw.clear();
    const auto encoded = encode_version(write_of(listed), listed);
    REQUIRE_FALSE(encoded.has_value());
    CHECK(encoded.error().kind == ErrorKind::bug);
}

TEST_CASE("fixed fields of a definition go back as read, mutable ones follow the write") {
    json raw = json::parse(definition_body());
    raw["properties"]["eula"] = "as stored";
    raw["properties"]["privacyStatementUri"] = "https://stored";
    raw["properties"]["description"] = "old";
    raw["properties"]["allowUpdateImage"] = true;
    raw["properties"]["features"] = {
        {{"name", "SecurityType"}, {"value", "ConfidentialVm"}, {"startsAtVersion", "1.0.0"}},
        {{"name", "Theirs"}, {"value", "x"}}};
    raw["properties"]["recommended"] = {{"vCPUs", {{"min", 1}, {"max", 4}}}, {"memory", {{"min", 1}}}};
    raw["properties"]["disallowed"] = {{"diskTypes", {"Standard_LRS"}}, {"future", 1}};
    const auto base = decode_definition(raw.dump(), {});
    REQUIRE(base.has_value());
    DefinitionWrite write;
    write.publisher = "other";
    write.eula = "other";
    write.description = "new";
    write.recommended_vcpus = RecommendedRange{.min = 2, .max = 8};
    write.features = {{"SecurityType", "ConfidentialVM"}, {"IsHibernateSupported", "True"}};
    const json properties = body_of(encode_definition(write, *base))["properties"];
    CHECK(properties["eula"] == "as stored");
    CHECK(properties["privacyStatementUri"] == "https://stored");
    CHECK(properties["identifier"]["publisher"] == "publisher1");
    CHECK(properties["hyperVGeneration"] == "V1");
    CHECK(properties["allowUpdateImage"] == true);
    CHECK(properties["description"] == "new");
    CHECK(properties["recommended"] == json{{"vCPUs", {{"min", 2}, {"max", 8}}}});
    CHECK(properties["disallowed"] == json{{"future", 1}});
    CHECK(properties["features"] ==
          json{{{"name", "SecurityType"}, {"value", "ConfidentialVm"}, {"startsAtVersion", "1.0.0"}},
               {{"name", "Theirs"}, {"value", "x"}},
               {{"name", "IsHibernateSupported"}, {"value", "True"}}});
}

TEST_CASE("a created definition reads back as it was written, with its generation always named") {
    const DefinitionWrite write{.location = "eastus2",
                                .publisher = "p",
                                .offer = "o",
                                .sku = "s",
                                .os_type = "Linux",
                                .os_state = "Generalized",
                                .hyper_v_generation = "V2",
                                .architecture = "Arm64",
                                .description = "d",
                                .eula = "e",
                                .privacy_statement_uri = "https://p",
                                .release_note_uri = "https://r",
                                .end_of_life = parse_rfc3339("2030-01-01T00:00:00Z"),
                                .recommended_vcpus = std::nullopt,
                                .recommended_memory_gb = RecommendedRange{.min = 4, .max = std::nullopt},
                                .disallowed_disk_types = {"Standard_LRS"},
                                .purchase_plan = PurchasePlan{.name = "n", .publisher = "p", .product = "q"},
                                .features = {{"SecurityType", "TrustedLaunchSupported"}},
                                .tags = {{"a", "b"}},
                                .tags_removed = {}};
    const auto encoded = encode_definition(write, std::nullopt);
    REQUIRE(encoded.has_value());
    const auto read = decode_definition(as_answer(*encoded, sample_definition), {});
    REQUIRE(read.has_value());
    CHECK(read->publisher == "p");
    CHECK(read->hyper_v_generation == "V2");
    CHECK(read->architecture == "Arm64");
    CHECK(read->eula == "e");
    CHECK(read->end_of_life == write.end_of_life);
    CHECK(read->recommended_memory_gb == write.recommended_memory_gb);
    CHECK(read->disallowed_disk_types == write.disallowed_disk_types);
    CHECK(read->purchase_plan == write.purchase_plan);
    CHECK(read->features == write.features);
    CHECK(read->tags.at("a") == "b");
    DefinitionWrite bare;
    bare.hyper_v_generation = "V1";
    const json plain = body_of(encode_definition(bare, std::nullopt));
    CHECK(plain["properties"]["hyperVGeneration"] == "V1");
    CHECK_FALSE(plain["properties"].contains("features"));
    CHECK_FALSE(plain["properties"].contains("recommended"));
}

TEST_CASE("a gallery's sharing and identity go back as read, without what only Azure may set") {
    json raw = json::parse(gallery_body());
    raw["identity"] = {{"type", "UserAssigned"},
                       {"principalId", "p"},
                       {"tenantId", "t"},
                       {"userAssignedIdentities", {{"/id/1", {{"clientId", "c"}}}}}};
    raw["properties"]["sharingProfile"] = {
        {"permissions", "Community"},
        {"groups", json::array()},
        {"communityGalleryInfo",
         {{"publicNamePrefix", "x"}, {"publicNames", {"x-1"}}, {"communityGalleryEnabled", true}}}};
    raw["properties"]["sharingStatus"] = {{"aggregatedState", "Succeeded"}};
    raw["properties"]["softDeletePolicy"] = {{"isSoftDeleteEnabled", false}, {"retentionPeriodInDays", 31}};
    const auto base = decode_gallery(raw.dump(), {});
    REQUIRE(base.has_value());
    GalleryWrite write{.location = "eastus2",
                       .description = "golden",
                       .soft_delete_enabled = true,
                       .permissions = std::nullopt,
                       .community = std::nullopt,
                       .tags = {},
                       .tags_removed = {}};
    const json body = body_of(encode_gallery(write, *base));
    CHECK(body["identity"] == json{{"type", "UserAssigned"}, {"userAssignedIdentities", {{"/id/1", json::object()}}}});
    CHECK(body["properties"]["sharingProfile"] ==
          json{{"permissions", "Community"}, {"communityGalleryInfo", {{"publicNamePrefix", "x"}}}});
    CHECK_FALSE(body["properties"].contains("sharingStatus"));
    CHECK(body["properties"]["softDeletePolicy"] == json{{"isSoftDeleteEnabled", true}, {"retentionPeriodInDays", 31}});
    CHECK(body["properties"]["description"] == "golden");
    write.soft_delete_enabled.reset();
    CHECK(body_of(encode_gallery(write, *base))["properties"]["softDeletePolicy"]["isSoftDeleteEnabled"] == false);
}

TEST_CASE("small bodies: share, role assignment, storage account, group") {
    const json share = json::parse(encode_share({.operation = "Add", .subscription_ids = {"s1"}, .tenant_ids = {}}));
    CHECK(share == json{{"operationType", "Add"}, {"groups", {{{"type", "Subscriptions"}, {"ids", {"s1"}}}}}});
    CHECK(json::parse(encode_share({.operation = "Reset", .subscription_ids = {}, .tenant_ids = {}})) ==
          json{{"operationType", "Reset"}});
    const json role =
        json::parse(encode_role_assignment({.role = "Reader", .principal_id = "p", .principal_type = "Group"}, "/r"));
    CHECK(role == json{{"properties", {{"roleDefinitionId", "/r"}, {"principalId", "p"}, {"principalType", "Group"}}}});
    const json account =
        json::parse(encode_storage_account({.account = {}, .location = "eastus", .sku = "", .container = "vhds"}));
    CHECK(account["properties"] ==
          json{{"allowBlobPublicAccess", false}, {"minimumTlsVersion", "TLS1_2"}, {"supportsHttpsTrafficOnly", true}});
    CHECK(account["sku"]["name"] == "Standard_LRS");
    const std::string group = R"({"name":"rg","tags":{"Env":"prod","theirs":null}})";
    CHECK(*encode_resource_group_tags(group, {{"env", "prod"}}) == "");
    CHECK(json::parse(*encode_resource_group_tags(group, {{"env", "test"}, {"new", "1"}})) ==
          json{{"tags", {{"env", "test"}, {"theirs", nullptr}, {"new", "1"}}}});
}
