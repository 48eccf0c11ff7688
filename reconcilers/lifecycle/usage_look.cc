#include "reconcilers/lifecycle/usage_look.h"

#include <utility>

namespace galleryd {

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
