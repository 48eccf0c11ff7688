#include "controller/program/demo_estate.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "controller/core/assets.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/program/scoped_variable.h"

using namespace galleryd;

TEST_CASE("the demo estate is unpacked whole, documents apart from Azure's state") {
    const TemporaryDirectory directory;
    const auto estate = unpack_demo_estate(directory.file("demo"));
    REQUIRE(estate.has_value());
    CHECK(estate->documents == directory.file("demo/manifests"));
    CHECK(std::filesystem::is_directory(estate->state_dir));
    int documents = 0;
    for (const Asset& asset : assets()) {
        if (!asset.path.starts_with("manifests/demo/")) continue;
        const std::string name = std::filesystem::path(asset.path).filename();
        CAPTURE(name);
        CHECK(directory.read(name == "azure.json" ? "demo/azure.json" : "demo/manifests/" + name) == asset.content);
        documents += name == "azure.json" ? 0 : 1;
    }
    CHECK(documents >= 4);
    CHECK(std::distance(std::filesystem::directory_iterator(estate->documents), {}) == documents);
}

TEST_CASE("files that are there already are the user's, and stay; missing ones come back") {
    const TemporaryDirectory directory;
    REQUIRE(unpack_demo_estate(directory.path()).has_value());
    directory.write("manifests/galleries.yaml", "# mine\n");
    directory.write("azure.json", "{}");
    const std::string policies = directory.read("manifests/policies.yaml");
    std::filesystem::remove(directory.file("manifests/policies.yaml"));
    REQUIRE(unpack_demo_estate(directory.path()).has_value());
    CHECK(directory.read("manifests/galleries.yaml") == "# mine\n");
    CHECK(directory.read("azure.json") == "{}");
    CHECK(directory.read("manifests/policies.yaml") == policies);
}

TEST_CASE("without a name the demo gets a new folder that only its user may enter") {
    const TemporaryDirectory directory;
    const ScopedVariable temporary("TMPDIR", directory.path());
    const auto first = unpack_demo_estate(""), second = unpack_demo_estate("");
    REQUIRE(first.has_value());
    REQUIRE(second.has_value());
    CHECK(first->documents != second->documents);
    const std::filesystem::path root = std::filesystem::path(first->documents).parent_path();
    CHECK(root.parent_path() == directory.path());
    CHECK((std::filesystem::status(root).permissions() & std::filesystem::perms::mask) ==
          std::filesystem::perms::owner_all);
    remove_temporary(*first);
    CHECK_FALSE(std::filesystem::exists(root));
    CHECK(std::filesystem::exists(second->documents));
    const auto named = unpack_demo_estate(directory.file("mine"));
    REQUIRE(named.has_value());
    remove_temporary(*named);
    CHECK(std::filesystem::exists(named->documents));  // it is the user's
}

TEST_CASE("a folder that cannot be made is an error that names it") {
    const TemporaryDirectory directory;
    directory.write("file", "in the way");
    const auto estate = unpack_demo_estate(directory.file("file"));
    REQUIRE_FALSE(estate.has_value());
    CHECK(estate.error().reason == "DemoFolder");
    CHECK(estate.error().message.find(directory.file("file")) != std::string::npos);
    CHECK(directory.read("file") == "in the way");
}
