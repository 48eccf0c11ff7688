#include "reconcilers/lifecycle/usage_look.h"

#include <doctest/doctest.h>

#include <map>

#include "tests/support/run_task.h"

// Users that the index does not show yet, listed by the provider itself (decision 0027).
using namespace galleryd;

namespace {

const std::string owner = "11111111-1111-1111-1111-111111111111";
const std::string consumer = "22222222-2222-2222-2222-222222222222";
const std::string closed = "33333333-3333-3333-3333-333333333333";
const ResourceId gallery = gallery_id(owner, "rg", "golden");
const ResourceId definition = definition_id(gallery, "ubuntu");

ResourceId machine_id(const std::string& subscription, const std::string& name) {
    return ResourceId("/subscriptions/" + subscription +
                      "/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/" + name);
}

ImageUser indexed(const std::string& subscription, const std::string& name) {
    return {.kind = UserKind::virtual_machine,
            .id = machine_id(subscription, name),
            .region = "eastus",
            .definition = definition,
            .version = "1.0.0"};
}

struct Lists : MachineLists {
    std::map<std::string, std::vector<MachineImage>> machines;
    std::vector<std::string> asked;

    Task<std::vector<MachineImage>> list_machines(std::string subscription) override {
        asked.push_back(subscription);
        if (subscription == closed) co_return fail(ErrorKind::denied, "AuthorizationFailed", "no Reader");
        co_return machines[subscription];
    }
};

MachineImage listed(const std::string& subscription, const std::string& name, const std::string& number) {
    return {.kind = UserKind::virtual_machine,
            .id = machine_id(subscription, name),
            .region = "eastus",
            .image = definition.text(),
            .exact = number};
}

}  // namespace

TEST_CASE("machines that only the provider shows are added once, and what cannot be listed is told") {
    boost::asio::io_context io;
    Lists lists;
    lists.machines[owner] = {listed(owner, "fresh", "1.1.0")};
    lists.machines[consumer] = {listed(consumer, "old", "1.0.0"), listed(consumer, "new", "1.0.0")};
    UsageAnswer answer;
    answer.users = {indexed(consumer, "old"), indexed(closed, "far")};
    sort_users(answer.users);
    const auto not_listed = run_task(io, add_listed_users(lists, answer, gallery));
    REQUIRE(not_listed.has_value());
    CHECK(lists.asked == std::vector<std::string>{owner, consumer, closed});
    CHECK(*not_listed == std::map<std::string, std::string>{{closed, "no Reader"}});
    CHECK(answer.users.size() == 4);
    const auto users = [&](const std::string& number) {
        return find_users(answer, {.version = version_id(definition, number), .versions = nullptr, .missing = {}})
            .users.size();
    };
    CHECK(users("1.0.0") == 3);
    CHECK(users("1.1.0") == 1);
}
