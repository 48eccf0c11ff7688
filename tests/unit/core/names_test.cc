#include <doctest/doctest.h>

#include "controller/core/digest.h"
#include "controller/core/image_version_number.h"
#include "controller/core/region.h"
#include "controller/core/resource_id.h"

using namespace galleryd;

TEST_CASE("image versions are ordered as numbers, and only MAJOR.MINOR.PATCH is one") {
    CHECK(*parse_image_version_number("1.0.12") > *parse_image_version_number("1.0.9"));
    CHECK(*parse_image_version_number("1.10.0") > *parse_image_version_number("1.9.99"));
    CHECK(to_string(*parse_image_version_number("2147483647.0.0")) == "2147483647.0.0");
    for (const char* wrong : {"", "1", "1.2", "1.2.3.4", "1.2.x", "1.2.-3", "01.2.3", "1.2.3 ", "2147483648.0.0",
                              "4294967296.0.0", "1..2"}) {
        CAPTURE(wrong);
        CHECK_FALSE(parse_image_version_number(wrong).has_value());
    }
}

TEST_CASE("a region is one region in every spelling") {
    CHECK(normalise_region("Canada Central") == "canadacentral");
    CHECK(normalise_region("CentralUSEUAP") == "centraluseuap");
    CHECK(region_display_name("eastus2") == "East US 2");
    CHECK(region_display_name("moonbase1") == "moonbase1");
    CHECK(suggest_region("westeu") == "westeurope");
    CHECK(suggest_region("canadacentrl") == "canadacentral");
    CHECK_FALSE(suggest_region("moonbase").has_value());
}

TEST_CASE("resource ids compare without case and know their parts") {
    const auto id = parse_resource_id(
        "/subscriptions/S1/resourceGroups/RG-One/providers/Microsoft.Compute/galleries/g/images/d/versions/1.0.0");
    REQUIRE(id.has_value());
    CHECK(
        *id ==
        ResourceId(
            "/SUBSCRIPTIONS/s1/resourcegroups/rg-one/providers/microsoft.compute/GALLERIES/g/images/d/versions/1.0.0"));
    CHECK(id->subscription() == "S1");
    CHECK(id->resource_group() == "RG-One");
    CHECK(id->type() == "Microsoft.Compute/galleries/images/versions");
    CHECK(id->name() == "1.0.0");
    CHECK(id->parent()->name() == "d");
    CHECK(id->parent()->parent()->name() == "g");
    CHECK_FALSE(id->parent()->parent()->parent().has_value());
    for (const char* wrong :
         {"", "/", "/subscriptions", "/subscriptions/s/resourceGroups//x/y", "/subscriptions/s/../x/y/z",
          "/subscriptions/s%2e/x/y", "/tenants/x", "/subscriptions/s/x?y/z/w"}) {
        CAPTURE(wrong);
        CHECK_FALSE(parse_resource_id(wrong).has_value());
    }
}

TEST_CASE("digests and version 5 UUIDs match their published examples") {
    CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    // RFC 9562 appendix A.4: www.example.com in the DNS namespace.
    CHECK(uuid_v5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.example.com") == "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}
