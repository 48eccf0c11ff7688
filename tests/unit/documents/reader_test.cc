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
    CHECK(gallery.id.text() == "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-golden-images/providers/Microsoft.Compute/galleries/golden");
    CHECK(gallery.allowed_regions == std::vector<std::string>{"canadacentral", "canadaeast"});
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
    CHECK(version.meta.where.line == 47);
    CHECK(version.meta.field_lines.at("targetRegions") == 55);

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
