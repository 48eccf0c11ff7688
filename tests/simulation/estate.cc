#include "tests/simulation/estate.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace galleryd::estate {
namespace {

std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    REQUIRE_MESSAGE(file.good(), path.string());
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

const std::filesystem::path demo_folder = std::filesystem::path(GALLERYD_SOURCE_DIR) / "manifests" / "demo";

std::string image_id(const std::string& name) {
    return subscription + "/resourceGroups/rg-packer/providers/Microsoft.Compute/images/" + name;
}

std::string image(const std::string& name) {
    return R"({"id": ")" + image_id(name) + R"(", "type": "Microsoft.Compute/images", "name": ")" + name +
           R"(", "location": "canadacentral",
  "properties": {"hyperVGeneration": "V2", "storageProfile": {"osDisk": {"osType": "Linux", "osState": "Generalized", "diskSizeGB": 30}}}})";
}

std::string gallery_resource(const std::string& name, const std::string& tags) {
    return R"({"id": ")" + subscription + "/resourceGroups/rg-golden/providers/Microsoft.Compute/galleries/" + name +
           R"(", "type": "Microsoft.Compute/galleries", "name": ")" + name +
           R"(", "location": "canadacentral", "tags": )" + tags +
           R"(, "properties": {"description": "old words", "provisioningState": "Succeeded"}})";
}

std::string definition_resource(const std::string& id, const std::string& sku, const std::string& tags) {
    return R"({"id": ")" + id + R"(", "type": "Microsoft.Compute/galleries/images", "name": ")" +
           id.substr(id.rfind('/') + 1) + R"(", "location": "canadacentral", "tags": )" + tags +
           R"(, "properties": {"osType": "Linux", "osState": "Generalized", "hyperVGeneration": "V2",
  "architecture": "x64", "identifier": {"publisher": "Contoso", "offer": "Ubuntu", "sku": ")" +
           sku + R"("}, "provisioningState": "Succeeded"}})";
}

const char* const wide_galleries = R"(
apiVersion: galleryd.io/v1alpha1
kind: Gallery
metadata: {name: golden, namespace: images}
spec:
  subscriptionId: 00000000-0000-0000-0000-000000000001
  resourceGroup: rg-golden
  location: canadacentral
  adoption: Adopt
  description: Hardened images
  tags: {environment: prod}
  softDelete: {enabled: true}
  lifecyclePolicy: standard
  allowedRegions: [canadacentral, canadaeast, eastus]
  access:
    - {role: Reader, principalId: 7f1c2a90-3d6b-4a51-9d5e-1c0b7a6e2f44, principalType: Group}
---
apiVersion: galleryd.io/v1alpha1
kind: Gallery
metadata: {name: partners, namespace: images}
spec:
  subscriptionId: 00000000-0000-0000-0000-000000000001
  resourceGroup: rg-partners
  ensureResourceGroup: true
  location: Canada Central
  description: For those who share
  sharing:
    permissions: Groups
    subscriptionIds: [00000000-0000-0000-0000-00000000000a, 00000000-0000-0000-0000-00000000000b]
    tenantIds: [00000000-0000-0000-0000-0000000000aa]
)";

const char* const wide_policy = R"(
  governs: All
  tiers:
    - {name: current, newest: 1, targetRegions: [{name: canadacentral, replicas: 2}, {name: canadaeast, replicas: 1}]}
    - {name: archive, targetRegions: [{name: canadacentral, replicas: 1}]}
  deprecate: {beyondNewest: 2}
  retention: {action: Report, keepNewest: 2, olderThan: 30d, inUse: Ignore}
)";

}  // namespace

std::string version_id(const std::string& number) { return ubuntu + "/versions/" + number; }

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    std::size_t at = text.find(from);
    REQUIRE_MESSAGE(at != std::string::npos, from);
    for (; at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
    return text;
}

std::string gallery() {
    return R"(
apiVersion: galleryd.io/v1alpha1
kind: Gallery
metadata: {name: golden, namespace: images}
spec:
  subscriptionId: 00000000-0000-0000-0000-000000000001
  resourceGroup: rg-golden
  ensureResourceGroup: true
  location: canadacentral
  description: Hardened images
  access:
    - {role: Reader, principalId: 7f1c2a90-3d6b-4a51-9d5e-1c0b7a6e2f44, principalType: Group}
)";
}

std::string definition(const std::string& policy) {
    return R"(
apiVersion: galleryd.io/v1alpha1
kind: ImageDefinition
metadata: {name: ubuntu, namespace: images}
spec:
  gallery: golden
  identifier: {publisher: Contoso, offer: Ubuntu, sku: 24_04}
  osType: Linux
  osState: Generalized
  hyperVGeneration: V2
)" + (policy.empty() ? "" : "  lifecyclePolicy: " + policy + "\n");
}

std::string version(const std::string& number, const std::string& extra, const std::string& regions) {
    std::string list;
    std::istringstream names(regions);
    for (std::string name; std::getline(names >> std::ws, name, ',');)
        list += (list.empty() ? "{name: " : ", {name: ") + name + "}";
    return R"(
apiVersion: galleryd.io/v1alpha1
kind: ImageVersion
metadata: {name: ubuntu-)" +
           number + R"(, namespace: images}
spec:
  imageDefinition: ubuntu
  version: )" +
           number + R"(
  source: {managedImage: )" +
           image_id("packer-1") + "}\n" + (regions.empty() ? "" : "  targetRegions: [" + list + "]\n") +
           (extra.empty() ? "" : "  " + extra + "\n");
}

std::string policy(const std::string& spec) {
    return "\napiVersion: galleryd.io/v1alpha1\nkind: LifecyclePolicy\nmetadata: {name: standard, namespace: "
           "images}\nspec:" +
           spec;
}

Files small(int versions, const std::string& version_extra, const std::string& policy_spec) {
    Files files{{"gallery.yaml", gallery()}, {"definition.yaml", definition(policy_spec.empty() ? "" : "standard")}};
    if (!policy_spec.empty()) files["policy.yaml"] = policy(policy_spec);
    for (int i = 0; i < versions; ++i) {
        const std::string number = "1." + std::to_string(i) + ".0";
        files["version-" + number + ".yaml"] = version(number, version_extra);
    }
    return files;
}

Files wide() {
    return {{"galleries.yaml", wide_galleries},
            {"definitions.yaml",
             definition() + "---" +
                 replaced(replaced(replaced(definition(), "name: ubuntu,", "name: partner-ubuntu,"), "gallery: golden",
                                   "gallery: partners"),
                          "24_04", "24_04-p") +
                 "---" + replaced(replaced(definition(), "name: ubuntu,", "name: rhel,"), "24_04", "9-gen2") +
                 "  adoption: Adopt\n"},
            {"policy.yaml", policy(wide_policy)},
            {"versions.yaml", version("3.0.0", "holdLatestUntilReplicated: true", "") + "---" +
                                  version("2.9.0", "adoption: Adopt", "") + "---" +
                                  replaced(version("1.0.0", "tags: {team: partner}", "canadaeast, canadacentral"),
                                           "imageDefinition: ubuntu", "imageDefinition: partner-ubuntu")}};
}

std::string images_state() { return R"({"resources": [)" + image("packer-1") + "]}"; }

std::string published(const std::string& number, const std::string& published, const std::string& tags,
                      const std::string& state) {
    return R"({"id": ")" + version_id(number) +
           R"(", "type": "Microsoft.Compute/galleries/images/versions", "name": ")" + number +
           R"(", "location": "canadacentral", "tags": )" + tags + R"(, "properties": {"provisioningState": ")" + state +
           R"(", "publishingProfile": {"targetRegions": [{"name": "Canada Central", "regionalReplicaCount": 1, "storageAccountType": "Standard_LRS"}],
  "replicaCount": 1, "excludeFromLatest": false, "storageAccountType": "Standard_LRS", "publishedDate": ")" +
           published + R"("}, "storageProfile": {"source": {"id": ")" + image_id("packer-1") +
           R"("}, "osDiskImage": {"sizeInGB": 30, "hostCaching": "ReadWrite"}},
  "safetyProfile": {"allowDeletionOfReplicatedLocations": false, "reportedForPolicyViolation": false},
  "replicationStatus": {"aggregatedState": "Completed", "summary": [{"region": "Canada Central", "state": "Completed", "progress": 100}]}}})";
}

std::string wide_state() {
    return R"({"resources": [)" + image("packer-1") + "," + gallery_resource("golden", R"({"team": "web"})") + "," +
           definition_resource(golden + "/images/rhel", "9-gen2", R"({"by": "hand"})") + "," +
           definition_resource(ubuntu, "24_04", R"({"galleryd-owner": "test/ImageDefinition/images/ubuntu"})") + "," +
           published("2.9.0", "2026-10-01T00:00:00Z", R"({"by": "packer"})") + "," +
           published("2.10.0", "2026-10-10T00:00:00Z", R"({"by": "packer"})") + "," +
           published("1.0.0", "2024-01-01T00:00:00Z", R"({"by": "packer", "keep": null})") + "," +
           published("0.9.0", "2023-01-01T00:00:00Z", R"({"galleryd-hold": "audit"})") + "]}";
}

Files demo_files() {
    Files files;
    for (const char* name : {"definitions.yaml", "galleries.yaml", "policies.yaml", "versions.yaml"})
        files[name] = read_file(demo_folder / name);
    return files;
}

std::string demo_state() { return read_file(demo_folder / "azure.json"); }

}  // namespace galleryd::estate
