#include <doctest/doctest.h>

#include "tests/unit/documents/samples.h"

// Transition rules: what cannot change after creation is refused in the words that kubectl shows.
using namespace galleryd;
using namespace galleryd::test;

namespace {

// The first difference between two texts that differ in one replaced word.
std::vector<Diagnostic> change(const std::string& text, const std::string& from, const std::string& to) {
    std::string after = text;
    const std::size_t at = after.find(from);
    REQUIRE(at != std::string::npos);
    after.replace(at, from.size(), to);
    return check_change({"before.yaml", text}, {"after.yaml", after});
}

std::string document_of(const std::string& kind) {
    const std::string estate = example("valid/estate.yaml");
    const std::size_t begin = estate.rfind("apiVersion", estate.find("kind: " + kind + "\n"));
    return estate.substr(begin, estate.find("\n---", begin) - begin) + "\n";
}

struct Case {
    std::string kind, from, to, field;
};

}  // namespace

TEST_CASE("every immutable field refuses a change, and says what to do instead") {
    const std::vector<Case> cases{
        {"Gallery", "00000000-0000-0000-0000-000000000001\n", "00000000-0000-0000-0000-000000000002\n",
         "/spec/subscriptionId"},
        {"Gallery", "resourceGroup: rg-golden-images", "resourceGroup: other", "/spec/resourceGroup"},
        {"Gallery", "location: canadacentral", "location: canadaeast", "/spec/location"},
        {"Gallery", "azureName: golden", "azureName: silver", "/spec/azureName"},
        {"Gallery", "permissions: Private", "permissions: Groups", "/spec/sharing/permissions"},
        {"ImageDefinition", "gallery: golden", "gallery: silver", "/spec/gallery"},
        {"ImageDefinition", "sku: 24_04-lts-gen2", "sku: other", "/spec/identifier"},
        {"ImageDefinition", "osType: Linux", "osType: Windows", "/spec/osType"},
        {"ImageDefinition", "osState: Generalized", "osState: Specialized", "/spec/osState"},
        {"ImageDefinition", "architecture: x64", "architecture: Arm64", "/spec/architecture"},
        {"ImageDefinition", "eula: https://example.com/eula", "eula: https://example.com/new", "/spec/eula"},
        {"ImageDefinition", "privacyStatementUri: https://example.com/privacy",
         "privacyStatementUri: https://example.com/new", "/spec/privacyStatementUri"},
        {"ImageDefinition", "product: ubuntu", "product: debian", "/spec/purchasePlan"},
        {"ImageVersion", "imageDefinition: ubuntu-2404", "imageDefinition: debian", "/spec/imageDefinition"},
        {"ImageVersion", "version: 1.8.0", "version: 1.8.1", "/spec/version"},
        {"ImageVersion", "packer-1182", "packer-1183", "/spec/source"},
        {"ImageVersion", "storageAccountType: Standard_ZRS", "storageAccountType: Premium_LRS",
         "/spec/targetRegions/1/storageAccountType"},
        {"ImageVersion", "holdLatestUntilReplicated: true", "storageAccountType: Premium_LRS",
         "/spec/storageAccountType"},
    };
    for (const Case& one : cases) {
        CAPTURE(one.from);
        const auto problems = change(document_of(one.kind), one.from, one.to);
        CAPTURE(shown(problems));
        REQUIRE(problems.size() == 1);
        CHECK(problems[0].code == "GD1021");
        CHECK(problems[0].field == one.field);
        CHECK(problems[0].message.contains("change"));
        CHECK(problems[0].where.file == "after.yaml");
        CHECK(problems[0].where.line > 1);
    }
}

TEST_CASE("generation, mode of replication, location, armId and azureName are immutable too") {
    const std::string definition = R"(apiVersion: galleryd.io/v1alpha1
kind: ImageDefinition
metadata: {name: d}
spec: {armId: /subscriptions/s/resourceGroups/r/providers/Microsoft.Compute/galleries/g, location: eastus, azureName: d1, identifier: {publisher: P, offer: O, sku: S}, osType: Linux, osState: Generalized}
)";
    CHECK(shown(change(definition, "location: eastus", "location: westus")).contains("/spec/location"));
    CHECK(shown(change(definition, "galleries/g", "galleries/h")).contains("/spec/armId"));
    CHECK(shown(change(definition, "azureName: d1", "azureName: d2")).contains("/spec/azureName"));
    CHECK(shown(change(definition, "osType: Linux", "osType: Linux, hyperVGeneration: V2"))
              .contains("/spec/hyperVGeneration"));
    const std::string version = R"(apiVersion: galleryd.io/v1alpha1
kind: ImageVersion
metadata: {name: v}
spec: {armId: /subscriptions/s/resourceGroups/r/providers/Microsoft.Compute/galleries/g/images/d, location: eastus, version: 1.0.0, mode: Observe}
)";
    CHECK(shown(change(version, "mode: Observe", "mode: Observe, replicationMode: Shallow"))
              .contains("/spec/replicationMode"));
    CHECK(shown(change(version, "images/d", "images/e")).contains("/spec/armId"));
    CHECK(shown(change(version, "location: eastus", "location: westus")).contains("/spec/location"));
}

TEST_CASE("what may change passes: counts, regions, back to private, the order of regions") {
    CHECK(shown(change(document_of("ImageVersion"), "replicas: 3", "replicas: 5")) == "");
    CHECK(shown(change(document_of("ImageVersion"), "Canada East", "West Europe")) == "");
    CHECK(shown(change(document_of("ImageDefinition"), "maxAgeDays: 35", "maxAgeDays: 40")) == "");
    CHECK(shown(change(document_of("Gallery"), "description: Hardened", "description: Soft")) == "");
    const std::string groups =
        "apiVersion: galleryd.io/v1alpha1\nkind: Gallery\nmetadata: {name: g}\nspec: {subscriptionId: "
        "00000000-0000-0000-0000-000000000001, resourceGroup: rg, location: eastus, sharing: {permissions: Groups}}\n";
    CHECK(shown(change(groups, "permissions: Groups", "permissions: Private")) == "");
    CHECK(check_change({"a", "not: ours"}, {"b", "kind: [1]"}).empty());
}
