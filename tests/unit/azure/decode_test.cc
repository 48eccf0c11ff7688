#include "controller/adapters/azure/decode.h"

#include <doctest/doctest.h>

#include "tests/unit/azure/scripted_transport.h"

using namespace galleryd;
using namespace galleryd::azure;
using namespace galleryd::azure::test;

namespace {

const DecodeContext context{.read_at = *parse_rfc3339("2026-03-01T00:00:00Z"),
                            .server_date = parse_rfc3339("2026-03-01T00:00:01Z")};

std::string version_with(const std::string& properties) {
    return R"({"id":")" + sample_version.text() + R"(","name":"1.1.2","location":"East US 2","properties":{)" +
           properties + "}}";
}

std::string gallery_with(const std::string& rest) {
    return R"({"id":")" + sample_gallery.text() + R"(","name":"gallery_000003","location":"eastus2",)" + rest + "}";
}

ObservedVersion version_of(const std::string& properties) {
    const auto version = decode_version(version_with(properties), context);
    REQUIRE_MESSAGE(version.has_value(), version.error().message);
    return *version;
}

}  // namespace

TEST_CASE("a recorded version reads with short regions, filled-in storage types and sizes") {
    const auto version = decode_version(version_body(), context);
    REQUIRE(version.has_value());
    CHECK(version->id == sample_version);
    CHECK(version->number == parse_image_version_number("1.1.2"));
    REQUIRE(version->target_regions.size() == 2);
    CHECK(version->target_regions[0].name == "eastus2");
    CHECK(version->target_regions[0].replicas == 2);
    CHECK(version->target_regions[1].name == "westus2");
    CHECK(version->target_regions[1].storage_account_type == "Standard_LRS");
    CHECK_FALSE(version->target_regions[1].exclude_from_latest.has_value());
    CHECK(version->published == parse_rfc3339("2025-01-07T05:56:46.464847Z"));
    CHECK_FALSE(version->end_of_life.has_value());
    CHECK_FALSE(version->end_of_life_unparsable);
    CHECK(version->source.type == SourceType::managed_image);
    CHECK(version->source.os_host_caching.empty());
    CHECK(version->os_disk_gb == 30);
    CHECK(version->data_disks_gb == 10);
    CHECK(version->state == ProvisioningState::succeeded);
    CHECK(version->replication_mode == "Full");
    CHECK_FALSE(version->block_deletion_before_end_of_life.has_value());
    CHECK_FALSE(version->replication_known);
    CHECK(version->raw == version_body());
    CHECK(version->server_date == context.server_date);
}

TEST_CASE("a region without a replica count takes the profile's, and one without either has one") {
    const auto with_default = version_of(
        R"("publishingProfile":{"replicaCount":3,"storageAccountType":"standard_zrs","targetRegions":[{"name":"West US"}]})");
    CHECK(with_default.target_regions.at(0).replicas == 3);
    CHECK(with_default.target_regions.at(0).storage_account_type == "Standard_ZRS");
    const auto without = version_of(R"("publishingProfile":{"targetRegions":[{"name":"westus"}]})");
    CHECK(without.target_regions.at(0).replicas == 1);
    CHECK(without.target_regions.at(0).storage_account_type == "Standard_LRS");
}

TEST_CASE("Z10: numbers and booleans as text mean what they say, everything else means missing") {
    const auto version = version_of(
        R"("publishingProfile":{"excludeFromLatest":"True","replicaCount":"4","targetRegions":[{"name":"westus","regionalReplicaCount":2.0,"excludeFromLatest":"maybe"}]},
        "safetyProfile":{"allowDeletionOfReplicatedLocations":"TRUE","blockDeletionBeforeEndOfLife":null},"provisioningState":"UPDATING")");
    CHECK(version.exclude_from_latest);
    CHECK(version.replica_count == 4);
    CHECK(version.target_regions.at(0).replicas == 2);
    CHECK_FALSE(version.target_regions.at(0).exclude_from_latest.has_value());
    CHECK(version.allow_deletion_of_replicated_locations);
    CHECK_FALSE(version.block_deletion_before_end_of_life.has_value());
    CHECK(version.state == ProvisioningState::updating);
    CHECK(version_of(R"("provisioningState":"Hibernating")").state == ProvisioningState::unknown);
}

TEST_CASE("a bad date never makes a version old") {
    for (const char* date : {R"("yesterday")", R"("0001-01-01T00:00:00")", R"("0001-01-01T00:00:00+00:00")",
                             R"("2025-02-30T00:00:00Z")", "17", "{}", R"("")"}) {
        CAPTURE(date);
        const auto version = version_of(R"("publishingProfile":{"publishedDate":)" + std::string(date) +
                                        R"(,"endOfLifeDate":)" + date + "}");
        CHECK_FALSE(version.published.has_value());
        CHECK_FALSE(version.end_of_life.has_value());
        CHECK(version.end_of_life_unparsable);
    }
    const auto missing = version_of(R"("publishingProfile":{"endOfLifeDate":null})");
    CHECK_FALSE(missing.end_of_life_unparsable);
    // Without a zone an end of life means the latest instant it could mean; a published date without one is not
    // believed.
    const auto zoneless = version_of(
        R"("publishingProfile":{"publishedDate":"2026-01-01T00:00:00","endOfLifeDate":"2026-01-01T00:00:00"})");
    CHECK_FALSE(zoneless.published.has_value());
    CHECK(zoneless.end_of_life == parse_rfc3339("2026-01-01T12:00:00Z"));
    CHECK(version_of(R"("publishingProfile":{"endOfLifeDate":"9999-12-31T23:59:59.9999999+00:00"})")
              .end_of_life.has_value());
}

TEST_CASE("every kind of source is told apart") {
    const std::string prefix = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/";
    const auto source = [&](const std::string& storage) { return version_of(R"("storageProfile":)" + storage).source; };
    CHECK(source(R"({"source":{"id":")" + prefix + R"(images/a"}})").type == SourceType::managed_image);
    CHECK(source(R"({"source":{"id":")" + prefix + R"(galleries/g/images/d/versions/1.0.0"}})").type ==
          SourceType::gallery_image_version);
    CHECK(source(R"({"source":{"id":")" + prefix + R"(virtualMachines/v"}})").type == SourceType::virtual_machine);
    CHECK(source(R"({"source":{"virtualMachineId":")" + prefix + R"(virtualMachines/v"}})").type ==
          SourceType::virtual_machine);
    CHECK(source(R"({"source":{"communityGalleryImageId":"/CommunityGalleries/p/Images/i/Versions/1.0.0"}})").type ==
          SourceType::community_gallery_image);
    const auto unknown = source(R"({"source":{"id":")" + prefix + R"(restorePoints/r"}})");
    CHECK(unknown.type == SourceType::none);
    CHECK_FALSE(unknown.id.empty());
    CHECK(source(R"({"osDiskImage":{"sizeInGB":30,"source":{}}})").type == SourceType::none);

    const auto snapshot =
        source(R"({"osDiskImage":{"hostCaching":"readwrite","source":{"id":")" + prefix + R"(snapshots/os"}},
        "dataDiskImages":[{"lun":2,"hostCaching":"None","source":{"id":")" +
               prefix + R"(snapshots/two"}},{"lun":1,"source":{"id":")" + prefix + R"(disks/one"}}]})");
    CHECK(snapshot.type == SourceType::os_disk);
    CHECK(snapshot.os_host_caching == "ReadWrite");
    REQUIRE(snapshot.data_disks.size() == 2);
    CHECK(snapshot.data_disks[0].lun == 1);
    CHECK(snapshot.data_disks[1].source.name() == "two");

    for (const char* account : {"storageAccountId", "id"}) {
        CAPTURE(account);
        const auto vhd = source(
            R"({"osDiskImage":{"source":{"uri":"https://a.blob.core.windows.net/vhds/x.vhd",")" + std::string(account) +
            R"(":"/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a"}}})");
        CHECK(vhd.type == SourceType::os_disk);
        CHECK(vhd.id.empty());
        CHECK(vhd.storage_account.name() == "a");
        CHECK(vhd.vhd_uri == "https://a.blob.core.windows.net/vhds/x.vhd");
    }
}

TEST_CASE("encryption drops Azure's empty security profile and keeps disks by lun") {
    const auto version = version_of(R"("publishingProfile":{"targetRegions":[
        {"name":"eastus2","encryption":{"osDiskImage":{"securityProfile":{},"diskEncryptionSetId":"/des/1"},"dataDiskImages":[{"lun":0,"diskEncryptionSetId":"/des/2"}]}},
        {"name":"westus","encryption":{"osDiskImage":{"securityProfile":{}},"dataDiskImages":[]}},
        {"name":"westus3","encryption":{"osDiskImage":{"securityProfile":{"confidentialVMEncryptionType":"encryptedwithcmk","secureVMDiskEncryptionSetId":"/des/3"}}}}]})");
    REQUIRE(version.target_regions.size() == 3);
    REQUIRE(version.target_regions[0].encryption.has_value());
    CHECK(version.target_regions[0].encryption->os_disk_encryption_set_id == "/des/1");
    CHECK(version.target_regions[0].encryption->data_disk_encryption_set_ids.at(0) == "/des/2");
    CHECK_FALSE(version.target_regions[1].encryption.has_value());
    CHECK(version.target_regions[2].encryption->cvm_encryption_type == "EncryptedWithCmk");
}

TEST_CASE("replication status is known only when it came, and its regions are short") {
    const auto version = version_of(R"("replicationStatus":{"aggregatedState":"InProgress","summary":[
        {"region":"eastus2","state":"Completed","progress":100},{"region":"West US 2","state":"replicating","progress":250},
        {"region":"westus","state":"Failed","progress":0,"details":"no\r\nroom"},{"region":"uksouth","state":"Pondering"}]})");
    CHECK(version.replication_known);
    CHECK(version.replication.at("eastus2").state == ReplicationState::completed);
    CHECK(version.replication.at("westus2").state == ReplicationState::replicating);
    CHECK(version.replication.at("westus2").progress == 100);
    CHECK(version.replication.at("westus").detail == "no room");
    CHECK(version.replication.at("uksouth").state == ReplicationState::unknown);
    CHECK_FALSE(version_of(R"("replicationStatus":null)").replication_known);
}

TEST_CASE("null tags stay as tags without a value") {
    const auto gallery = decode_gallery(gallery_with(R"("tags":{"keep":null,"owner":"team","count":3})"), context);
    REQUIRE(gallery.has_value());
    CHECK(gallery->tags.at("keep") == std::nullopt);
    CHECK(gallery->tags.at("owner") == "team");
    CHECK(gallery->tags.at("count") == "3");
    CHECK(decode_gallery(gallery_with(R"("tags":null)"), context)->tags.empty());
}

TEST_CASE("sharing groups are known only when they were asked for or came") {
    const std::string plain = gallery_body();
    CHECK_FALSE(decode_gallery(plain, context)->sharing_groups_known);
    DecodeContext asked = context;
    asked.groups_asked = true;
    CHECK(decode_gallery(plain, asked)->sharing_groups_known);
    const auto shared = decode_gallery(
        gallery_with(
            R"("properties":{"softDeletePolicy":{"isSoftDeleteEnabled":true},"sharingProfile":{"permissions":"groups","groups":[
        {"type":"Subscriptions","ids":["BBBB","aaaa","bbbb"]},{"type":"AADTenants","ids":["T1"]},{"type":"Martians","ids":["m"]}]}})"),
        context);
    REQUIRE(shared.has_value());
    CHECK(shared->sharing_groups_known);
    CHECK(shared->permissions == SharingPermissions::groups);
    CHECK(shared->shared_subscription_ids == std::vector<std::string>{"aaaa", "bbbb"});
    CHECK(shared->shared_tenant_ids == std::vector<std::string>{"t1"});
    CHECK(shared->soft_delete_enabled == true);
}

TEST_CASE("a definition reads with Azure's defaults and folded features") {
    const auto recorded = decode_definition(definition_body(), context);
    REQUIRE(recorded.has_value());
    CHECK(recorded->hyper_v_generation == "V1");
    CHECK(recorded->sku == "sku1");
    CHECK(recorded->features.empty());
    const auto rich =
        decode_definition(R"({"id":")" + sample_definition.text() + R"(","properties":{"osType":"linux","features":[
        {"name":"securitytype","value":"ConfidentialVm"},{"name":"IsAcceleratedNetworkSupported","value":"true"},{"name":"DiskControllerType","value":"SCSI, NVMe"},{"name":"New","value":"yes"}],
        "recommended":{"vCPUs":{"min":2},"memory":{}},"disallowed":{"diskTypes":["Standard_LRS","Premium_LRS"]},"purchasePlan":{"name":"n"},"endOfLifeDate":"2030-01-01T00:00:00+08:00"}})",
                          context);
    REQUIRE(rich.has_value());
    CHECK(rich->name == "image1");
    CHECK(rich->os_type == "Linux");
    CHECK(rich->architecture == "x64");
    CHECK(rich->features == std::map<std::string, std::string>{{"SecurityType", "ConfidentialVM"},
                                                               {"IsAcceleratedNetworkSupported", "True"},
                                                               {"DiskControllerTypes", "SCSI, NVMe"},
                                                               {"New", "yes"}});
    CHECK(rich->recommended_vcpus->min == 2);
    CHECK_FALSE(rich->recommended_memory_gb.has_value());
    CHECK(rich->disallowed_disk_types == std::vector<std::string>{"Premium_LRS", "Standard_LRS"});
    CHECK(rich->purchase_plan->name == "n");
    CHECK(rich->end_of_life == parse_rfc3339("2029-12-31T16:00:00Z"));
}

TEST_CASE("Z10: ids compare equal whatever case a list answers with") {
    std::string listed = version_body();
    const std::string group = "resourceGroups/clitest.rg000001/providers/Microsoft.Compute/galleries";
    listed.replace(listed.find(group), group.size(),
                   "resourceGroups/CLITEST.RG000001/providers/Microsoft.Compute/galleries");
    const auto page = decode_version_page(
        R"({"value":[)" + listed + R"(],"nextLink":"https://management.azure.com/next?x=%20y"})", context);
    REQUIRE(page.has_value());
    REQUIRE(page->items.size() == 1);
    CHECK(page->items[0].id == sample_version);
    CHECK(page->next_link == "https://management.azure.com/next?x=%20y");
}

TEST_CASE("an answer that is not whole, not JSON or not the resource is an error") {
    const std::string whole = version_body();
    for (std::size_t cut : {std::size_t{0}, std::size_t{1}, whole.size() / 2, whole.size() - 1}) {
        CAPTURE(cut);
        const auto half = decode_version(whole.substr(0, cut), context);
        REQUIRE_FALSE(half.has_value());
        CHECK(half.error().kind == ErrorKind::transient);
    }
    CHECK(decode_version("<html>Sign in to the guest network</html>", context).error().code == "GD3002");
    CHECK(decode_version(gallery_body(), context).error().code == "GD3005");
    CHECK(decode_version("{}", context).error().code == "GD3005");
    CHECK(decode_version("[]", context).error().code == "GD3005");
    CHECK(decode_version("\xff\xfe", context).error().code == "GD3001");
    CHECK(decode_version(std::string(100'000, '['), context).error().code == "GD3001");
    CHECK(decode_version_page(R"({"error":"x"})", context).error().code == "GD3003");
    CHECK(decode_version_page(R"({"value":null})", context).error().code == "GD3003");
    CHECK_FALSE(decode_version_page(R"({"value":[{}]})", context).has_value());
    CHECK(decode_version_page(R"({"value":[]})", context)->items.empty());
}

TEST_CASE("operation status: recorded forms, failures, unknown words") {
    const auto done = decode_operation_status(
        "{\r\n  \"startTime\": \"2025-01-07T05:56:46.4648477+00:00\",\r\n  \"endTime\": "
        "\"2025-01-07T06:04:04.9163931+00:00\",\r\n  \"status\": \"Succeeded\",\r\n  \"name\": \"b94c\"\r\n}");
    REQUIRE(done.has_value());
    CHECK(done->state == OperationState::succeeded);
    CHECK(*done->ended - *done->started == std::chrono::microseconds{438'451'546});
    const auto failed = decode_operation_status(
        R"({"status":"Failed","error":{"code":"ValidationError","message":"Gallery replication jobs failed"}})");
    CHECK(failed->state == OperationState::failed);
    CHECK(failed->error_code == "ValidationError");
    CHECK(decode_operation_status(R"({"status":"Cancelled"})")->state == OperationState::canceled);
    CHECK(decode_operation_status(R"({"status":"Dreaming"})")->state == OperationState::in_progress);
    CHECK_FALSE(decode_operation_status("{}").has_value());
}

TEST_CASE("error bodies are read in both forms, with the innermost detail") {
    const auto bare = decode_error_body(
        R"({"code":"OperationNotAllowed","message":"The server rejected the request.","details":[{"code":"TooManyRequests","target":"HighCostGet30Min","message":"HighCostGet30Min used up"}]})");
    REQUIRE(bare.has_value());
    CHECK(bare->code == "OperationNotAllowed");
    CHECK(bare->message == "The server rejected the request. (HighCostGet30Min used up)");
    CHECK(bare->detail_codes == std::vector<std::string>{"TooManyRequests"});
    const auto wrapped = decode_error_body(
        R"({"error":{"code":"A","message":"","target":"t","details":[{"code":"B","details":[{"code":"C","message":"deep\r\nroot"}]}],"innererror":{"code":"D"}}})");
    CHECK(wrapped->message == "deep root");
    CHECK(wrapped->detail_codes == std::vector<std::string>{"B", "C", "D"});
    CHECK_FALSE(decode_error_body("<html/>").has_value());
    CHECK_FALSE(decode_error_body("{}").has_value());
    CHECK_FALSE(decode_error_body(R"({"error":"invalid_client"})").has_value());
    CHECK(
        decode_error_body(R"({"error":{"code":"A","message":")" + std::string(50'000, 'x') + R"("}})")->message.size() <
        2100);
}

TEST_CASE("groups, storage accounts and role assignments") {
    const auto group = decode_resource_group(
        R"({"id":"/subscriptions/s/resourceGroups/RG","name":"RG","location":"East US","tags":{"a":"b"}})");
    CHECK(group->location == "eastus");
    CHECK(group->tags.at("a") == "b");
    const auto account = decode_storage_account(
        R"({"id":"/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a","location":"eastus","sku":{"name":"standard_lrs","tier":"Standard"},"properties":{"provisioningState":"Succeeded"}})");
    REQUIRE(account.has_value());
    CHECK(account->sku == "Standard_LRS");
    const auto inherited = decode_role_assignment(
        R"({"id":"/providers/Microsoft.Management/managementGroups/m/providers/Microsoft.Authorization/roleAssignments/88888888-0000-0000-0000-000000000001","properties":{"roleDefinitionId":"/r","principalId":"p","principalType":"serviceprincipal"}})");
    REQUIRE(inherited.has_value());
    CHECK(inherited->scope == "/providers/Microsoft.Management/managementGroups/m");
    CHECK(inherited->principal_type == "ServicePrincipal");
    CHECK_FALSE(decode_role_assignment("{}").has_value());
}
