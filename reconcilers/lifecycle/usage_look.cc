#include "reconcilers/lifecycle/usage_look.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace galleryd {
namespace {

constexpr std::size_t listed_subscriptions_max = 50;

}  // namespace

std::set<std::string> subscriptions_to_list(const UsageAnswer& answer, const ResourceId& gallery) {
    std::set<std::string> subscriptions{fold_case(gallery.subscription())};
    for (const ImageUser& user : answer.users) {
        if (user.definition.parent() == gallery && subscriptions.size() < listed_subscriptions_max)
            subscriptions.insert(fold_case(user.id.subscription()));
    }
    return subscriptions;
}

Task<std::map<std::string, std::string>> add_listed_users(MachineLists& lists, UsageAnswer& answer,
                                                          ResourceId gallery) {
    std::map<std::string, std::string> not_listed;
    for (const std::string& subscription : subscriptions_to_list(answer, gallery)) {
        const auto machines = co_await lists.list_machines(subscription);
        if (!machines) {
            if (machines.error().reason == "Interrupted") co_return std::unexpected(machines.error());
            not_listed[subscription] = machines.error().message;
            continue;
        }
        for (const MachineImage& machine : *machines) {
            for (ImageUser& user : users_from(machine, answer.names)) answer.users.push_back(std::move(user));
        }
    }
    sort_users(answer.users);
    const auto repeated = std::ranges::unique(answer.users, [](const ImageUser& a, const ImageUser& b) {
        return std::tie(a.definition, a.version, a.kind, a.id) == std::tie(b.definition, b.version, b.kind, b.id);
    });
    answer.users.erase(repeated.begin(), repeated.end());
    co_return not_listed;
}

Task<UsageAnswer> look_at_users(UsageReader& reader, GalleryApi& api, std::vector<ResourceId> galleries) {
    auto answer = co_await reader.users_of(std::move(galleries));
    if (!answer) co_return std::unexpected(answer.error());
    for (GalleryReach& reach : answer->galleries) {
        if (reach.groups_known) continue;
        const auto read = co_await api.get_gallery(reach.gallery);
        if (!read) co_return std::unexpected(read.error());
        if (!*read || !(*read)->sharing_groups_known) continue;
        reach.groups_known = true;
        reach.permissions = (*read)->permissions;
        reach.subscriptions = (*read)->shared_subscription_ids;
        reach.tenants = (*read)->shared_tenant_ids;
    }
    co_return std::move(*answer);
}

}  // namespace galleryd
