#include "controller/program/credential_folder.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "tests/support/temporary_directory.h"

using namespace galleryd;
namespace fs = std::filesystem;

namespace {

struct Folder {
    TemporaryDirectory outside;
    CredentialFolder store{outside.file("credentials")};

    Folder() { fs::create_directories(outside.file("credentials/images")); }
    void write(const std::string& name, const std::string& content) const {
        outside.write("credentials/images/" + name, content);
    }
    void link(const std::string& target, const std::string& name) const {
        fs::create_symlink(target, outside.file("credentials/images/" + name));
    }
    std::string value(const std::string& key, const std::string& name = "images/team-a") {
        const auto values = store.read(name);
        REQUIRE_MESSAGE(values.has_value(), (values ? "" : values.error().message));
        const auto found = values->find(key);
        return found == values->end() ? "none" : found->second.reveal();
    }
    std::string refusal(const std::string& name = "images/team-a") {
        const auto values = store.read(name);
        REQUIRE_FALSE(values.has_value());
        CHECK(values.error().kind == ErrorKind::denied);
        CHECK(values.error().reason == "AuthenticationFailed");
        CHECK(values.error().code == "GD3029");
        CHECK(values.error().message.starts_with("the credential " + name + " cannot be used: "));
        return values.error().message;
    }
};

}  // namespace

TEST_CASE("a credential is one file for each key, and loses its line end but no other blank") {
    Folder folder;
    folder.write("team-a/AZURE_TENANT_ID", "tenant\n");
    folder.write("team-a/AZURE_CLIENT_ID", "client\r\n");
    folder.write("team-a/AZURE_CLIENT_SECRET", " se cret \n\n");
    folder.write("team-a/README", "not asked for");
    const auto values = folder.store.read("images/team-a");
    REQUIRE(values.has_value());
    CHECK(values->size() == 3);
    CHECK(folder.value("AZURE_TENANT_ID") == "tenant");
    CHECK(folder.value("AZURE_CLIENT_ID") == "client");
    CHECK(folder.value("AZURE_CLIENT_SECRET") == " se cret ");
    CHECK(folder.value("AZURE_FEDERATED_TOKEN") == "none");
    folder.write("team-a/AZURE_CLIENT_SECRET", "another");
    CHECK(folder.value("AZURE_CLIENT_SECRET") == "another");
}

TEST_CASE("a Secret that Kubernetes mounts is read through its links, and a rotation is seen whole") {
    Folder folder;
    folder.write("team-a/..2026_11_20/AZURE_CLIENT_ID", "old");
    folder.write("team-a/..2026_11_20/AZURE_CLIENT_SECRET", "old secret");
    folder.write("team-a/..2026_11_21/AZURE_CLIENT_ID", "new");
    folder.link("..2026_11_20", "team-a/..data");
    folder.link("..data/AZURE_CLIENT_ID", "team-a/AZURE_CLIENT_ID");
    folder.link("..data/AZURE_CLIENT_SECRET", "team-a/AZURE_CLIENT_SECRET");
    CHECK(folder.value("AZURE_CLIENT_ID") == "old");
    CHECK(folder.value("AZURE_CLIENT_SECRET") == "old secret");
    fs::remove(folder.outside.file("credentials/images/team-a/..data"));
    folder.link("..2026_11_21", "team-a/..data");
    CHECK(folder.value("AZURE_CLIENT_ID") == "new");
    CHECK(folder.value("AZURE_CLIENT_SECRET") == "none");  // never a mixture of the two
}

TEST_CASE("nothing outside is read through a name, whatever name or link asks for it") {
    Folder folder;
    folder.outside.write("secret/AZURE_CLIENT_ID", "canary");
    folder.outside.write("AZURE_CLIENT_ID", "canary");
    folder.outside.write("credentials/AZURE_CLIENT_ID", "canary");
    for (const char* name :
         {"images/..", "images/../..", "../secret", "images/../../secret", "/images/team-a", "images", "images/", "/",
          "", "images/team-a/x", "images/Team", "images/.data", "images/a\nb"}) {
        CAPTURE(name);
        CHECK(folder.refusal(name).ends_with("this is no name of a Secret"));
    }
    folder.link("../../secret", "team-b");
    CHECK(folder.refusal("images/team-b").contains("is a link that leads out of its folder"));
    folder.link(folder.outside.file("secret"), "team-c");
    CHECK(folder.refusal("images/team-c").contains("is a link that leads out of its folder"));
    folder.write("team-d/AZURE_TENANT_ID", "tenant");
    folder.link("../../../AZURE_CLIENT_ID", "team-d/AZURE_CLIENT_ID");
    CHECK(folder.refusal("images/team-d").contains("team-d/AZURE_CLIENT_ID: is a link that leads out of its folder"));
    folder.write("team-e/AZURE_TENANT_ID", "tenant");
    folder.link("../team-d", "team-e/..data");  // another Secret's values
    CHECK(folder.value("AZURE_CLIENT_ID", "images/team-e") == "none");
}

TEST_CASE("what cannot be read is refused with the place and the reason, never taken as empty") {
    Folder folder;
    CHECK(folder.refusal().contains("credentials/images/team-a: No such file or directory"));
    fs::create_directories(folder.outside.file("credentials/images/team-a/AZURE_CLIENT_ID"));
    CHECK(folder.refusal().contains("team-a/AZURE_CLIENT_ID: is not a regular file"));
    fs::remove_all(folder.outside.file("credentials/images/team-a/AZURE_CLIENT_ID"));
    folder.write("team-a/AZURE_CLIENT_SECRET", std::string(32UL * 1024 + 1, 'x'));
    CHECK(folder.refusal().contains("team-a/AZURE_CLIENT_SECRET: is longer than 32768 bytes"));
    folder.write("team-a/AZURE_CLIENT_SECRET", "short");
    folder.write("team-a/AZURE_CLIENT_CERTIFICATE", std::string(100UL * 1024, 'x'));
    CHECK(folder.value("AZURE_CLIENT_CERTIFICATE").size() == 100UL * 1024);
    fs::remove_all(folder.outside.file("credentials"));
    CHECK(folder.refusal().contains("--credentials-dir " + folder.outside.file("credentials") +
                                    ": No such file or directory"));
    CredentialFolder none("");
    const auto values = none.read("images/team-a");
    REQUIRE_FALSE(values.has_value());
    CHECK(values.error().code == "GD3029");
    CHECK(values.error().message.contains("galleryd runs without --credentials-dir"));
}
