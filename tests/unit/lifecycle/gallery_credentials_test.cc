#include "reconcilers/lifecycle/gallery_credentials.h"

#include <doctest/doctest.h>

using namespace galleryd;

namespace {

Gallery gallery(const std::string& name, const std::string& credential, const std::string& space = "images") {
    Gallery made;
    made.meta.key = {Kind::gallery, space, name};
    made.subscription_id = "s1";
    made.resource_group = "rg";
    made.id = gallery_id("s1", "rg", name);
    made.credential = credential;
    return made;
}

std::string name_of(const GalleryCredentials& credentials, const ResourceId& resource) {
    const CredentialChoice* const choice = credentials.find(resource);
    if (choice == nullptr) return "galleryd's own";
    return choice->problem.empty() ? choice->name : choice->problem;
}

const ResourceId golden = gallery_id("s1", "rg", "golden");

}  // namespace

TEST_CASE("a gallery's credential is that of everything in it, in any spelling, and of nothing else") {
    const Gallery one = gallery("golden", "team-a"), other = gallery("silver", "");
    GalleryCredentials credentials;
    CHECK(credentials.declare({&one, &other}, {}));
    CHECK_FALSE(credentials.declare({&one, &other}, {}));
    CHECK(name_of(credentials, golden) == "images/team-a");
    CHECK(name_of(credentials, ResourceId("/SUBSCRIPTIONS/S1/resourcegroups/RG/providers/microsoft.compute/Galleries/"
                                          "GOLDEN/images/ubuntu/versions/1.0.0")) == "images/team-a");
    CHECK(name_of(credentials, ResourceId(golden.text() + "/providers/Microsoft.Authorization/roleAssignments/1")) ==
          "images/team-a");
    CHECK(name_of(credentials, gallery_id("s1", "rg", "golden2")) == "galleryd's own");
    CHECK(name_of(credentials, gallery_id("s2", "rg", "golden")) == "galleryd's own");
    CHECK(name_of(credentials, other.id) == "galleryd's own");
    CHECK(name_of(credentials, resource_group_id("s1", "rg")) == "galleryd's own");
}

TEST_CASE("a gallery's storage account is asked about with the gallery's credential, also after it was replaced") {
    Gallery one = gallery("golden", "team-a");
    one.staging_storage = StagingStorage{.name = "stone", .sku = {}, .container = {}};
    const ResourceId account(resource_group_id("s1", "rg").text() +
                             "/providers/Microsoft.Storage/storageAccounts/stone");
    GalleryCredentials credentials;
    credentials.declare({&one}, {});
    CHECK(name_of(credentials, account) == "images/team-a");
    one.staging_storage->name = "sttwo";
    credentials.declare({&one}, {account.key()});  // it is still being made
    CHECK(name_of(credentials, account) == "images/team-a");
    credentials.declare({&one}, {});
    CHECK(name_of(credentials, account) == "galleryd's own");
}

TEST_CASE("a gallery whose document is gone keeps its credential for as long as it matters, over restarts too") {
    const Gallery one = gallery("golden", "team-a");
    GalleryCredentials before;
    before.declare({&one}, {});
    GalleryCredentials after;
    after.load("not a line of ours\n" + before.save() + "\t\t\t\n");
    CHECK(name_of(after, golden) == "images/team-a");
    CHECK(after.save() == before.save());
    CHECK_FALSE(after.declare({}, {golden.key()}));
    CHECK(name_of(after, golden) == "images/team-a");
    const Gallery own = gallery("golden", "");
    CHECK(after.declare({&own}, {golden.key()}));  // said in so many words
    CHECK(name_of(after, golden) == "galleryd's own");
    after.load(before.save());
    CHECK(after.declare({}, {}));
    CHECK(after.empty());
}

TEST_CASE("documents that name different credentials for one gallery leave nobody to ask") {
    const Gallery one = gallery("golden", "team-a"), two = gallery("golden", "team-b", "other"),
                  own = gallery("golden", "", "third");
    GalleryCredentials credentials;
    credentials.declare({&one, &two}, {});
    CHECK(name_of(credentials, golden) ==
          "two documents declare this gallery and name different credentials (images/team-a and other/team-b)");
    credentials.declare({&one, &own}, {});
    CHECK(name_of(credentials, golden) ==
          "two documents declare this gallery and name different credentials (galleryd's own and images/team-a)");
    credentials.declare({&one}, {});
    CHECK(name_of(credentials, golden) == "images/team-a");
}
