#include "controller/core/usage.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace galleryd {
namespace {

constexpr std::size_t named_max = 3;

std::vector<std::string_view> segments_of(std::string_view text) {
    std::vector<std::string_view> segments;
    while (!text.empty()) {
        const std::size_t slash = std::min(text.find('/'), text.size());
        if (slash > 0) segments.push_back(text.substr(0, slash));
        text.remove_prefix(std::min(slash + 1, text.size()));
    }
    return segments;
}

bool is_word(std::string_view segment, std::string_view word) { return fold_case(segment) == word; }

std::string version_named(std::string_view segment) { return is_word(segment, "latest") ? "" : std::string(segment); }

bool serves(const ObservedVersion& version, const std::string& region, bool certainly) {
    if (version.exclude_from_latest || !version.number) return false;
    const auto target = std::ranges::find(version.target_regions, region, &TargetRegion::name);
    if (target == version.target_regions.end() || target->exclude_from_latest.value_or(false)) return false;
    const auto copy = version.replication.find(region);
    const ReplicationState state = copy == version.replication.end() ? ReplicationState::unknown : copy->second.state;
    if (certainly) return state == ReplicationState::completed && version.state == ProvisioningState::succeeded;
    return state != ReplicationState::failed && version.state != ProvisioningState::deleting;
}

bool excludes_itself(const ObservedVersion& version, const std::string& region) {
    if (version.exclude_from_latest) return true;
    const auto target = std::ranges::find(version.target_regions, region, &TargetRegion::name);
    return target != version.target_regions.end() && target->exclude_from_latest.value_or(false);
}

void doubt(VersionUsers& found, std::string what, std::string way_out) {
    found.doubts.push_back(std::move(what));
    found.way_out.push_back(std::move(way_out));
}

// Those of one definition that name this version; "": that name none.
std::vector<ImageUser> users_naming(const UsageAnswer& answer, const ResourceId& definition,
                                    const std::string& version) {
    using Place = std::pair<std::string_view, std::string_view>;
    const auto place = [](const ImageUser& user) { return Place(user.definition.key(), user.version); };
    const auto range = std::ranges::equal_range(answer.users, Place(definition.key(), version), {}, place);
    return {range.begin(), range.end()};
}

std::string some_of(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), named_max); ++i) text += (i == 0 ? "" : ", ") + names[i];
    if (names.size() > named_max) text += " and " + std::to_string(names.size() - named_max) + " more";
    return text;
}

constexpr const char* let_read = "grant this identity Reader on the subscription, or set retention.inUse: Ignore";
constexpr const char* ignore_use = "set retention.inUse: Ignore if its consumers may lose it";

// Scale sets of which no instance is shown may run any version of any gallery.
void doubt_scale_sets(VersionUsers& found, const UsageAnswer& answer) {
    std::vector<std::string> hiding;
    for (const HiddenInstances& hidden : answer.hidden) {
        if (hidden.anywhere) hiding.push_back(hidden.scale_set.name());
    }
    if (hiding.empty()) return;
    const std::string who = (hiding.size() == 1 ? "scale set " : "scale sets ") + some_of(hiding);
    doubt(found,
          answer.instances_known
              ? "no instance of " + who + " can be seen, and they may run an image that the model names no more"
              : "Resource Graph shows no instances of uniform scale sets here, and those of " + who + " may run it",
          "give it time during a scale-out; otherwise set retention.inUse: Ignore if they may lose it");
}

void doubt_reach(VersionUsers& found, const UsageAnswer& answer, const ResourceId& gallery) {
    const GalleryReach* reach = answer.find_gallery(gallery);
    if (reach == nullptr || !reach->found) {
        doubt(found, "Resource Graph does not show the gallery, so its users cannot be known either", let_read);
        return;
    }
    if (reach->permissions == SharingPermissions::community)
        doubt(found, "its gallery is a community gallery, which anybody may use unseen", ignore_use);
    if (reach->permissions != SharingPermissions::groups) return;
    if (!reach->groups_known) doubt(found, "nobody told with whom its gallery is shared", let_read);
    if (!reach->tenants.empty())
        doubt(found, "its gallery is shared with whole tenants (" + some_of(reach->tenants) + ")", ignore_use);
    std::vector<std::string> unread;
    std::ranges::set_difference(reach->subscriptions, answer.readable, std::back_inserter(unread));
    if (!unread.empty()) {
        doubt(found, "its gallery is shared with subscriptions that cannot be read: " + some_of(unread), let_read);
    }
}

}  // namespace

std::string_view to_string(UserKind kind) {
    switch (kind) {
        case UserKind::virtual_machine: return "virtual machine";
        case UserKind::scale_set_model: return "scale set";
        case UserKind::scale_set_instance: return "scale set instance";
        case UserKind::image_version: return "image version";
        case UserKind::image_template: return "image template";
    }
    return "";
}

std::string_view kind_key(UserKind kind) {
    switch (kind) {
        case UserKind::virtual_machine: return "virtual_machines";
        case UserKind::scale_set_model: return "scale_sets";
        case UserKind::scale_set_instance: return "scale_set_instances";
        case UserKind::image_version: return "image_versions";
        case UserKind::image_template: return "image_templates";
    }
    return "";
}

std::string count_of(std::size_t n, UserKind kind) {
    return std::to_string(n) + " " + std::string(to_string(kind)) + (n == 1 ? "" : "s");
}

std::string name_of(const ImageUser& user) {
    const std::vector<std::string_view> at = segments_of(user.id.text());
    if (user.kind != UserKind::scale_set_instance || at.size() < 3) return user.id.name();
    return std::string(at[at.size() - 3]) + "/" + std::string(at.back());
}

const GalleryReach* UsageAnswer::find_gallery(const ResourceId& gallery) const {
    const auto found = std::ranges::find(galleries, gallery, &GalleryReach::gallery);
    return found == galleries.end() ? nullptr : &*found;
}

void sort_users(std::vector<ImageUser>& users) {
    std::ranges::sort(users, [](const ImageUser& a, const ImageUser& b) {
        return std::tuple(a.definition, a.version, a.kind, a.id) < std::tuple(b.definition, b.version, b.kind, b.id);
    });
}

bool may_be_latest(const ObservedVersion& version, const std::vector<ObservedVersion>& all, const std::string& region) {
    if (region.empty()) {  // anywhere it is replicated to
        return std::ranges::any_of(version.target_regions, [&](const TargetRegion& target) {
            return may_be_latest(version, all, target.name);
        });
    }
    if (!serves(version, region, false) || excludes_itself(version, region)) return false;
    return std::ranges::none_of(all, [&](const ObservedVersion& other) {
        return serves(other, region, true) && *other.number > *version.number;
    });
}

VersionUsers find_users(const UsageAnswer& answer, const UsageQuestion& question) {
    VersionUsers found;
    const auto definition = question.version.parent();
    const auto gallery = definition ? definition->parent() : std::nullopt;
    if (!gallery) {
        doubt(found, "its id is not that of an image version", "");
        return found;
    }
    const std::string name = question.version.name();
    const ObservedVersion* observed = nullptr;
    if (question.versions != nullptr) {
        const auto row = std::ranges::find(*question.versions, question.version, &ObservedVersion::id);
        if (row != question.versions->end()) observed = &*row;
    }
    found.users = users_naming(answer, *definition, name);
    std::vector<std::string> unknown_version, want_latest;
    for (ImageUser& user : users_naming(answer, *definition, "")) {
        if (!user.takes_latest) unknown_version.push_back(name_of(user));
        else if (question.versions != nullptr && observed == nullptr) want_latest.push_back(name_of(user));
        else if (observed != nullptr && may_be_latest(*observed, *question.versions, user.region))
            found.users.push_back(std::move(user));
    }
    if (!unknown_version.empty())
        doubt(found, "which version they run is not told of " + some_of(unknown_version), "look at them in Azure");
    if (!want_latest.empty()) {
        doubt(found,
              "the version is not to be seen in Azure, so nobody can say whether it is what `latest` means to " +
                  some_of(want_latest),
              "look again once it is to be seen");
    }
    doubt_scale_sets(found, answer);
    for (const HiddenInstances& hidden : answer.hidden) {
        if (hidden.anywhere || hidden.definition != *definition) continue;
        doubt(found,
              "of scale set " + hidden.scale_set.name() + " " + std::to_string(hidden.seen) + " of " +
                  std::to_string(hidden.wanted) + " instances can be seen on images of this gallery",
              "upgrade its instances to the model, or set retention.inUse: Ignore");
    }
    doubt_reach(found, answer, *gallery);
    for (const auto& [subscription, day] : question.missing)
        doubt(found, "subscription " + subscription + " could be read on " + day + " and cannot be read any more",
              let_read);
    return found;
}

std::size_t subscriptions_of(const std::vector<ImageUser>& users) {
    std::set<std::string> subscriptions;
    for (const ImageUser& user : users) subscriptions.insert(fold_case(user.id.subscription()));
    return subscriptions.size();
}

std::string users_text(const std::vector<ImageUser>& users) {
    std::string text;
    std::vector<std::string> counts;
    for (const UserKind kind : {UserKind::virtual_machine, UserKind::scale_set_model, UserKind::scale_set_instance,
                                UserKind::image_version, UserKind::image_template}) {
        const auto n = static_cast<std::size_t>(std::ranges::count(users, kind, &ImageUser::kind));
        if (n > 0) counts.push_back(count_of(n, kind));
    }
    for (std::size_t i = 0; i < counts.size(); ++i)
        text += (i == 0 ? "" : i + 1 == counts.size() ? " and " : ", ") + counts[i];
    const std::size_t subscriptions = subscriptions_of(users);
    text += " in " + std::to_string(subscriptions) + (subscriptions == 1 ? " subscription: " : " subscriptions: ");
    for (std::size_t i = 0; i < std::min(users.size(), named_max); ++i) {
        const ImageUser& user = users[i];
        text += (i == 0 ? "" : ", ") + name_of(user) + " (" + std::string(to_string(user.kind)) +
                (user.takes_latest ? " that takes latest" : "") + ", group " + user.id.resource_group() +
                ", subscription " + user.id.subscription() + ")";
    }
    if (users.size() > named_max) text += " and " + std::to_string(users.size() - named_max) + " more";
    return text;
}

std::optional<ImageReference> parse_image_reference(std::string_view text,
                                                    const std::map<std::string, ResourceId>& names) {
    const std::vector<std::string_view> at = segments_of(text);
    if (at.size() >= 4 && (is_word(at[0], "sharedgalleries") || is_word(at[0], "communitygalleries")) &&
        is_word(at[2], "images")) {
        const auto gallery = names.find(fold_case(at[1]));
        if (gallery == names.end()) return std::nullopt;
        return ImageReference{.definition = definition_id(gallery->second, std::string(at[3])),
                              .version = at.size() >= 6 ? version_named(at[5]) : ""};
    }
    // /subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/n/images/d[/versions/v]
    if (at.size() < 10 || !is_word(at[0], "subscriptions") || !is_word(at[5], "microsoft.compute") ||
        !is_word(at[6], "galleries") || !is_word(at[8], "images"))
        return std::nullopt;
    const ResourceId gallery = gallery_id(std::string(at[1]), std::string(at[3]), std::string(at[7]));
    return ImageReference{.definition = definition_id(gallery, std::string(at[9])),
                          .version = at.size() >= 12 ? version_named(at[11]) : ""};
}

std::vector<ImageUser> users_from(const MachineImage& machine, const std::map<std::string, ResourceId>& names) {
    std::vector<ImageUser> users;
    const auto image = parse_image_reference(machine.image, names);
    if (!image) return users;
    // A machine was made from one version, also when it names the definition: exactVersion tells (azure-facts §9 [R]).
    // What is made later takes `latest` anew.
    const bool runs_one = machine.kind == UserKind::virtual_machine || machine.kind == UserKind::scale_set_instance;
    ImageUser user{.kind = machine.kind,
                   .id = machine.id,
                   .region = machine.region,
                   .definition = image->definition,
                   .version = image->version,
                   .takes_latest = image->version.empty() && !runs_one};
    if (runs_one && !machine.exact.empty() && machine.exact != image->version) {
        ImageUser running = user;
        running.version = machine.exact;
        users.push_back(std::move(running));
        if (image->version.empty()) return users;
    }
    users.push_back(std::move(user));
    return users;
}

}  // namespace galleryd
