#include "controller/adapters/documents/reader.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "tests/unit/documents/samples.h"

using namespace galleryd;
using namespace galleryd::test;

TEST_CASE("every field of the reference estate reaches the domain objects") {
    const ReadResult result = read({{"estate.yaml", example("valid/estate.yaml")}});
    CHECK(shown(result) == "");
    REQUIRE(result.objects.galleries.size() == 1);
    REQUIRE(result.objects.definitions.size() == 1);
    REQUIRE(result.objects.versions.size() == 1);
    REQUIRE(result.objects.policies.size() == 1);

    const Gallery& gallery = result.objects.galleries.begin()->second;
    CHECK(gallery.id.text() ==
          "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-golden-images/providers/"
          "Microsoft.Compute/galleries/golden");
    CHECK(gallery.allowed_regions == std::vector<std::string>{"canadacentral", "canadaeast"});
    CHECK(gallery.credential == "team-a");
    CHECK(gallery.ensure_resource_group);
    CHECK(gallery.soft_delete_enabled == true);
    REQUIRE(gallery.sharing.has_value());
    CHECK(gallery.sharing->permissions == SharingPermissions::private_);
    REQUIRE(gallery.access.size() == 1);
    CHECK(gallery.access[0].role == "Reader");
    CHECK(gallery.staging_storage->container == "vhds");
    CHECK(gallery.budget->monthly == 400);

    const ImageDefinition& definition = result.objects.definitions.begin()->second;
    CHECK(definition.id.text() == gallery.id.text() + "/images/ubuntu-2404");
    CHECK(definition.location == "canadacentral");
    CHECK(definition.lifecycle_policy == "standard");
    CHECK(definition.allowed_regions == gallery.allowed_regions);
    CHECK(definition.meta.hold == "audit until May");
    CHECK(definition.features.at("IsHibernateSupported") == "True");
    CHECK(format_rfc3339(*definition.end_of_life) == "2029-05-01T11:59:59.999999Z");
    CHECK(definition.recommended_memory_gb->max == 512);

    const ImageVersion& version = result.objects.versions.begin()->second;
    CHECK(version.id.text() == definition.id.text() + "/versions/1.8.0");
    CHECK(version.location == "canadacentral");
    CHECK(version.source.type == SourceType::managed_image);
    REQUIRE(version.target_regions.has_value());
    REQUIRE(version.target_regions->size() == 2);
    CHECK((*version.target_regions)[0].name == "canadacentral");
    CHECK((*version.target_regions)[0].storage_account_type == "Standard_ZRS");
    CHECK((*version.target_regions)[0].exclude_from_latest == true);
    CHECK((*version.target_regions)[1].name == "canadaeast");
    CHECK((*version.target_regions)[1].replicas == 6);
    CHECK(version.hold_latest_until_replicated);
    CHECK(version.region_retry == RegionRetry::remove_and_add);
    CHECK(version.meta.where.line == 48);
    CHECK(version.meta.field_lines.line_of("targetRegions") == 56);

    const LifecyclePolicy& policy = result.objects.policies.begin()->second;
    REQUIRE(policy.tiers.size() == 3);
    CHECK(policy.tiers[1].newest == 3);
    CHECK_FALSE(policy.tiers[2].newest.has_value());
    REQUIRE(policy.retention.has_value());
    CHECK(policy.retention->window->days == std::vector<int>{1, 2, 3, 4});
    CHECK(policy.retention->window->from_minute == 60);
    CHECK(policy.retention->grace == std::chrono::days{7});
}

TEST_CASE("canonical text is a fixed point: reading it back gives equal texts and digests") {
    const ReadResult first = read({{"estate.yaml", example("valid/estate.yaml")}});
    std::vector<DocumentFile> texts;
    std::vector<ObjectKey> keys;
    for (const DocumentRecord& record : first.documents) {
        keys.push_back(*record.key);
        texts.push_back({"journal", to_json_text(first.objects, *record.key)});
    }
    REQUIRE(texts.size() == 4);
    const ReadResult second = read(texts);
    CHECK(shown(second) == "");
    for (std::size_t i = 0; i < keys.size(); ++i) CHECK(to_json_text(second.objects, keys[i]) == texts[i].content);
    CHECK(second.objects.versions.begin()->second.meta.digest == first.objects.versions.begin()->second.meta.digest);
    CHECK(first.objects.versions.begin()->second.meta.digest.starts_with("sha256:"));
    CHECK(to_json_text(first.objects, {Kind::gallery, "images", "nobody"}) == "");
}

TEST_CASE("replicas: auto follows the published advice and stays within 1 to 100") {
    const auto replicas = [](const std::string& capacity) {
        const ReadResult result = read_text(
            estate() + version_document(
                           "v", "1.0.0",
                           "  targetRegions: [{name: canadacentral, replicas: auto, capacity: {" + capacity + "}}]\n"));
        REQUIRE(shown(result) == "");
        return result.objects.versions.begin()->second.target_regions->front().replicas;
    };
    CHECK(replicas("") == 1);
    CHECK(replicas("concurrentVMs: 20") == 1);
    CHECK(replicas("concurrentVMs: 21") == 2);
    CHECK(replicas("concurrentVMs: 40, concurrentScaleSets: 3") == 3);
    CHECK(replicas("concurrentVMs: 100000") == 100);
}

TEST_CASE("one broken document hides none of the others in its file") {
    const ReadResult result = read_text(estate() + "apiVersion: galleryd.io/v1alpha1\nkind: [broken\n---\n" +
                                        version_document("v", "1.0.0", ""));
    CHECK(codes(result) == "GD1001 \n");
    CHECK(result.documents.size() == 4);
    CHECK(result.objects.versions.size() == 1);
    CHECK(result.documents[2].state == DocumentState::invalid);
    CHECK_FALSE(result.documents[2].key.has_value());
}

TEST_CASE("an invalid document keeps its key, so that its last good content can be kept") {
    const ReadResult result = read_text(estate() + version_document("v", "1.0.0", "  replicas: 0\n"));
    REQUIRE(result.documents.size() == 3);
    CHECK(result.documents[2].key == ObjectKey{Kind::image_version, "images", "v"});
    CHECK(result.documents[2].state == DocumentState::invalid);
    CHECK(result.objects.versions.empty());
    CHECK(shown(result) ==
          "GD1012 /spec/replicas test.yaml:18:13 0 is below the minimum 1 | Write a number from 1 to 100.\n");
}

TEST_CASE("the guards on regions and versions are errors beyond their configured number") {
    const std::string regions = "  targetRegions: [{name: canadacentral}, {name: canadaeast}, {name: eastus}]\n";
    const std::string text = estate() + version_document("a", "1.0.0", "") + "---\n" +
                             version_document("b", "1.0.1", "") + "---\n" + version_document("c", "1.0.2", regions);
    const ReadResult result =
        read_documents({{"test.yaml", text}}, {.regions_per_version_max = 2, .versions_per_definition_max = 1});
    CHECK(codes(result) == "GD1043 \nGD1043 /spec/targetRegions\n");
    CHECK(result.objects.versions.size() == 1);
    CHECK(result.objects.versions.begin()->first.name == "a");
}

TEST_CASE("the 101st gallery of a region is one too many for Azure") {
    std::string text;
    for (int i = 0; i < 102; ++i) {
        text += "---\napiVersion: galleryd.io/v1alpha1\nkind: Gallery\nmetadata: {name: g" + std::to_string(i) +
                "}\nspec: {subscriptionId: 00000000-0000-0000-0000-000000000001, resourceGroup: rg, location: " +
                (i == 0 ? "eastus" : "westus") + "}\n";
    }
    const ReadResult result = read_text(text);
    CHECK(codes(result) == "GD1042 \n");
    CHECK(result.documents[101].state == DocumentState::invalid);
    CHECK(result.objects.galleries.size() == 101);
}

TEST_CASE("warnings do not invalidate: end of life in the past, unknown region") {
    const std::string text =
        estate() +
        version_document("v", "1.0.0",
                         "  endOfLifeDate: 2026-01-01\n  targetRegions: [{name: canadacentral}, {name: westeurop}]\n");
    const ReadResult result = read_documents({{"test.yaml", text}}, {.now = parse_rfc3339("2026-06-01T00:00:00Z")});
    CHECK(codes(result) == "GD1050 /spec/targetRegions/1/name\nGD1049 /spec/endOfLifeDate\n");
    CHECK(shown(result).contains("Did you mean westeurope?"));
    CHECK(result.objects.versions.size() == 1);
    CHECK(codes(read_text(text)) == "GD1050 /spec/targetRegions/1/name\n");  // no clock, no warning about the past
}

TEST_CASE("digests are equal for equal declarations, whatever their spelling") {
    const auto digest = [](const std::string& extra) {
        const ReadResult result = read_text(estate() + version_document("v", "1.0.0", extra));
        REQUIRE(result.objects.versions.size() == 1);
        return result.objects.versions.begin()->second.meta.digest;
    };
    const std::string plain = digest("  targetRegions: [{name: canadacentral}, {name: eastus}]\n");
    CHECK(digest("  targetRegions: [{name: East US}, {name: Canada Central, replicas: 1}]\n  mode: Manage\n") == plain);
    CHECK(digest("  targetRegions: [{name: canadacentral}, {name: eastus}]\n  replicas: 2\n") != plain);
}

TEST_CASE("the result does not depend on the number of threads") {
    std::vector<DocumentFile> files{{"estate.yaml", estate()}};
    for (int i = 0; i < 200; ++i) {
        files.push_back(
            {"v" + std::to_string(i) + ".yaml", version_document("v" + std::to_string(i), "1.0." + std::to_string(i),
                                                                 i % 7 == 0 ? "  replicas: 0\n" : "")});
    }
    const ReadResult one = read_documents(files, {.threads = 1}), four = read_documents(files, {.threads = 4});
    CHECK(shown(one) == shown(four));
    CHECK(one.objects.versions.size() == 171);
    REQUIRE(one.documents.size() == four.documents.size());
    for (std::size_t i = 0; i < one.documents.size(); ++i) CHECK(one.documents[i].key == four.documents[i].key);
    for (const auto& [key, version] : one.objects.versions)
        CHECK(four.objects.versions.at(key).meta.digest == version.meta.digest);
}

TEST_CASE("what Kubernetes adds to an object is accepted: uid, generation, managed fields, status") {
    const ReadResult result = read_text(R"({"apiVersion": "galleryd.io/v1alpha1", "kind": "LifecyclePolicy",
        "metadata": {"name": "p", "namespace": "images", "uid": "u-1", "generation": 7, "resourceVersion": "12", "managedFields": [{"a": {"b": 1}}],
                     "annotations": {"galleryd.io/deletion-approved": "sha256:1", "galleryd.io/reconcile-requested-at": "now", "other": "x"}},
        "spec": {"governs": "All"}, "status": {"anything": [1, 2]}})");
    CHECK(shown(result) == "");
    REQUIRE(result.objects.policies.size() == 1);
    const Metadata& meta = result.objects.policies.begin()->second.meta;
    CHECK(meta.uid == "u-1");
    CHECK(meta.generation == 7);
    CHECK(meta.deletion_approved == "sha256:1");
    CHECK(meta.reconcile_requested_at == "now");
}

TEST_CASE("files that are too large are refused, the others are read") {
    const ReadResult result = read({{"big.yaml", std::string(1024 * 1024 + 1, ' ')}, {"estate.yaml", estate()}});
    CHECK(codes(result) == "GD1006 \n");
    CHECK(result.documents[0].file == "big.yaml");
    CHECK(result.objects.galleries.size() == 1);
}

TEST_CASE("a document of nothing but mistakes gets a hundred messages, not thousands") {
    std::string text = "apiVersion: galleryd.io/v1alpha1\nkind: LifecyclePolicy\nmetadata: {name: p}\nspec:\n";
    for (int i = 0; i < 20'000; ++i) text += "  wrong" + std::to_string(i) + ": 1\n";
    const ReadResult result = read_text(text);
    REQUIRE(result.documents.size() == 1);
    CHECK(result.documents[0].problems.size() == 100);
    CHECK(result.documents[0].problems[99].where.line > 100);
}
