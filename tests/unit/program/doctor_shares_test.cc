#include <doctest/doctest.h>

#include "controller/program/doctor/shares.h"

using namespace galleryd;
using namespace galleryd::doctor;

namespace {

void add(DesiredObjects& objects, const std::string& name, const std::string& credential) {
    const auto key = [&name](Kind kind) { return ObjectKey{kind, "images", name}; };
    Gallery& gallery = objects.galleries[key(Kind::gallery)];
    gallery.meta.key = key(Kind::gallery);
    gallery.id = gallery_id("s1", "rg", name);
    gallery.credential = credential;
    ImageDefinition& definition = objects.definitions[key(Kind::image_definition)];
    definition.gallery_id = gallery.id;
    definition.id = definition_id(gallery.id, "ubuntu");
    objects.versions[key(Kind::image_version)].definition_id = definition.id;
}

}  // namespace

TEST_CASE("documents are shared out by who asks about them, galleryd's own first even when it is empty") {
    DesiredObjects objects;
    add(objects, "golden", "team-b");
    add(objects, "silver", "team-a");
    add(objects, "bronze", "team-b");
    objects.policies[{Kind::lifecycle_policy, "images", "standard"}] = {};
    const auto apart = share_out(objects);
    REQUIRE(apart.size() == 3);
    CHECK(is_empty(apart[0]));
    CHECK(apart[1].choice.name == "images/team-a");
    CHECK(apart[1].objects.galleries.size() == 1);
    CHECK(apart[2].choice.name == "images/team-b");
    CHECK(apart[2].objects.galleries.size() == 2);
    CHECK(apart[2].objects.definitions.size() == 2);
    CHECK(apart[2].objects.versions.size() == 2);
    for (const Share& share : apart) CHECK(share.objects.policies.size() == 1);
    add(objects, "plain", "");
    const auto mixed = share_out(objects);
    REQUIRE(mixed.size() == 3);
    CHECK_FALSE(is_empty(mixed[0]));
    CHECK(mixed[0].objects.versions.size() == 1);
    CHECK(share_out({}).size() == 1);
}
