#include <algorithm>

#include "controller/adapters/azure/graph_queries.h"
#include "controller/adapters/azure/graph_rows.h"
#include "controller/adapters/azure/graph_user_rows.h"
#include "controller/adapters/azure/json_read.h"
#include "controller/adapters/azure/resource_graph.h"

// Who uses images: what is asked and how the rows become an answer.
namespace galleryd::azure {

struct ResourceGraph::Users {
    UsageAnswer answer{};
    std::vector<HiddenInstances> scale_sets{};
    std::map<ResourceId, int> instances_seen{};  // by scale set, on images of the galleries asked about
    std::map<ResourceId, int> silent{};          // capacity of uniform scale sets of which no instance was seen so far
};

namespace {

constexpr const char* ask_users = "read who uses images";

ResourceId scale_set_of(const ResourceId& instance) {
    const std::string& text = instance.text();
    const std::size_t name = text.rfind('/');
    const std::size_t type = name == std::string::npos || name == 0 ? name : text.rfind('/', name - 1);
    return type == std::string::npos ? instance : ResourceId(text.substr(0, type));
}

// A scale set that has fewer visible instances than it should have is told of, not counted as empty.
void note_hidden(UsageAnswer& answer, const std::vector<HiddenInstances>& scale_sets,
                 const std::map<ResourceId, int>& seen) {
    for (HiddenInstances one : scale_sets) {
        if (std::ranges::find(answer.hidden, one.scale_set, &HiddenInstances::scale_set) != answer.hidden.end())
            continue;
        const auto found = seen.find(one.scale_set);
        one.seen = found == seen.end() ? 0 : found->second;
        if (one.seen < one.wanted) answer.hidden.push_back(std::move(one));
    }
}

}  // namespace

ResourceGraph::Question ResourceGraph::tenant_question(std::string query, std::string what) const {
    return {.query = std::move(query), .what = std::move(what), .subscriptions = {}, .pages_max = options_.pages_max};
}

// All rows of one question; gives the number of requests.
Task<std::size_t> ResourceGraph::read_rows(Question question, RowReader reader) {
    const auto walked = co_await walk(std::move(question), std::move(reader));
    if (!walked) co_return std::unexpected(walked.error());
    if (walked->stopped) {
        co_return unreadable("GD3003", "Resource Graph: more than " + std::to_string(options_.pages_max) + " pages");
    }
    co_return walked->requests;
}

Task<void> ResourceGraph::read_reach(Users& users, const std::vector<ResourceId>& galleries) {
    for (const ResourceId& gallery : galleries)
        users.answer.galleries.push_back(GalleryReach{.gallery = gallery, .subscriptions = {}, .tenants = {}});
    for (std::size_t from = 0; from < galleries.size(); from += options_.ids_per_query) {
        const std::vector<ResourceId> some(
            galleries.begin() + static_cast<std::ptrdiff_t>(from),
            galleries.begin() + static_cast<std::ptrdiff_t>(std::min(galleries.size(), from + options_.ids_per_query)));
        RowReader reader = [&users](std::string_view row, const DecodeContext&) -> Result<std::uint64_t> {
            auto found = read_reach_row(row);
            if (!found) return std::unexpected(std::move(found.error()));
            const auto place = std::ranges::find(users.answer.galleries, found->reach.gallery, &GalleryReach::gallery);
            if (place != users.answer.galleries.end()) *place = found->reach;
            for (const std::string& name : found->names) users.answer.names[fold_case(name)] = found->reach.gallery;
            return std::hash<std::string>{}(found->reach.gallery.key());
        };
        const auto requests =
            co_await read_rows(tenant_question(gallery_reach_query(some), "read galleries"), std::move(reader));
        if (!requests) co_return std::unexpected(requests.error());
        users.answer.requests += *requests;
    }
    co_return Status{};
}

Task<void> ResourceGraph::read_readable(Users& users) {
    RowReader reader = [&users](std::string_view row, const DecodeContext&) -> Result<std::uint64_t> {
        auto subscription = read_subscription_row(row);
        if (!subscription) return std::unexpected(std::move(subscription.error()));
        users.answer.readable.push_back(std::move(*subscription));
        return std::hash<std::string>{}(users.answer.readable.back());
    };
    const auto requests = co_await read_rows(
        tenant_question(subscriptions_query(), "ask which subscriptions can be read"), std::move(reader));
    if (!requests) co_return std::unexpected(requests.error());
    users.answer.requests += *requests;
    std::ranges::sort(users.answer.readable);
    const auto repeated = std::ranges::unique(users.answer.readable);
    users.answer.readable.erase(repeated.begin(), repeated.end());
    co_return Status{};
}

Task<void> ResourceGraph::read_users(Users& users, std::vector<std::string> prefixes) {
    const auto machines = questions_for(users.answer.readable, image_users_query(prefixes), ask_users);
    const auto instances = questions_for(users.answer.readable, image_instances_query(prefixes), ask_users);
    if (!machines) co_return std::unexpected(machines.error());
    if (!instances) co_return std::unexpected(instances.error());
    RowReader reader = [&users](std::string_view text, const DecodeContext&) -> Result<std::uint64_t> {
        auto row = read_user_row(text, users.answer.names);
        if (!row) return std::unexpected(std::move(row.error()));
        for (ImageUser& user : row->users) {
            if (user.kind == UserKind::scale_set_instance && &user == &row->users.front())
                ++users.instances_seen[scale_set_of(user.id)];
            users.answer.users.push_back(std::move(user));
        }
        if (row->instances)
            users.scale_sets.push_back({.scale_set = row->id, .definition = *row->image, .wanted = *row->instances});
        return std::hash<std::string>{}(row->id.key());
    };
    for (const Question& question : *machines) {
        const auto requests = co_await read_rows(question, reader);
        if (!requests) co_return std::unexpected(requests.error());
        users.answer.requests += *requests;
    }
    for (const Question& question : *instances) {
        const auto requests = co_await read_rows(question, reader);
        // A cloud that does not know the table shows no instance: every scale set then hides its own.
        if (!requests && !should_read_lists(requests.error())) co_return std::unexpected(requests.error());
        if (!requests) users.answer.instances_known = false;
        users.answer.requests += requests ? *requests : 1;
    }
    co_return Status{};
}

// Which uniform scale sets show no instance at all. They are looked for whatever image their model names: it says
// nothing of what instances run that were not upgraded to it. The instances of other images are only counted where a
// scale set showed none on an image that was asked about.
Task<void> ResourceGraph::read_scale_sets(Users& users) {
    if (users.answer.readable.empty()) co_return Status{};
    const auto sets = questions_for(users.answer.readable, uniform_scale_sets_query(), ask_users);
    const auto instances = questions_for(users.answer.readable, instances_query(), ask_users);
    if (!sets) co_return std::unexpected(sets.error());
    if (!instances) co_return std::unexpected(instances.error());
    RowReader read_set = [&users](std::string_view text, const DecodeContext&) -> Result<std::uint64_t> {
        const auto row = read_scale_set_row(text);
        if (!row) return std::unexpected(row.error());
        if (row->capacity > 0 && !users.instances_seen.contains(row->id)) users.silent[row->id] = row->capacity;
        return std::hash<std::string>{}(row->id.key());
    };
    RowReader read_instance = [&users](std::string_view text, const DecodeContext&) -> Result<std::uint64_t> {
        const auto id = read_id_row(text);
        if (!id) return std::unexpected(id.error());
        users.silent.erase(scale_set_of(*id));
        return std::hash<std::string>{}(id->key());
    };
    for (const Question& question : *sets) {
        const auto requests = co_await read_rows(question, read_set);
        if (!requests) co_return std::unexpected(requests.error());
        users.answer.requests += *requests;
    }
    for (const Question& question : *instances) {
        if (users.silent.empty() || !users.answer.instances_known) break;
        const auto requests = co_await read_rows(question, read_instance);
        if (!requests && !should_read_lists(requests.error())) co_return std::unexpected(requests.error());
        if (!requests) users.answer.instances_known = false;
        users.answer.requests += requests ? *requests : 1;
    }
    for (const auto& [scale_set, capacity] : users.silent)
        users.answer.hidden.push_back(
            {.scale_set = scale_set, .definition = {}, .wanted = capacity, .seen = 0, .anywhere = true});
    co_return Status{};
}

Task<UsageAnswer> ResourceGraph::users_of(std::vector<ResourceId> galleries) {
    Users users;
    users.answer.at = clock_.now();
    std::ranges::sort(galleries);
    const auto repeated = std::ranges::unique(galleries);
    galleries.erase(repeated.begin(), repeated.end());
    if (galleries.empty()) co_return std::move(users.answer);
    const auto reached = co_await read_reach(users, galleries);
    if (!reached) co_return std::unexpected(reached.error());
    const auto readable = co_await read_readable(users);
    if (!readable) co_return std::unexpected(readable.error());
    for (std::size_t from = 0; !users.answer.readable.empty() && from < galleries.size();
         from += options_.galleries_per_query) {
        const auto to = std::min(galleries.size(), from + options_.galleries_per_query);
        std::vector<std::string> prefixes;
        for (std::size_t i = from; i < to; ++i) {
            prefixes.push_back(galleries[i].text() + "/");
            for (const auto& [name, gallery] : users.answer.names) {
                if (gallery != galleries[i]) continue;
                prefixes.push_back("/SharedGalleries/" + name + "/");
                prefixes.push_back("/CommunityGalleries/" + name + "/");
            }
        }
        const auto read = co_await read_users(users, std::move(prefixes));
        if (!read) co_return std::unexpected(read.error());
    }
    const auto scale_sets = co_await read_scale_sets(users);
    if (!scale_sets) co_return std::unexpected(scale_sets.error());
    sort_users(users.answer.users);
    note_hidden(users.answer, users.scale_sets, users.instances_seen);
    co_return std::move(users.answer);
}

Task<std::vector<ResourceId>> ResourceGraph::find_ids(std::string query, std::string what) {
    std::vector<ResourceId> found;
    RowReader reader = [&found](std::string_view row, const DecodeContext&) -> Result<std::uint64_t> {
        auto id = read_id_row(row);
        if (!id) return std::unexpected(std::move(id.error()));
        found.push_back(std::move(*id));
        return std::hash<std::string>{}(found.back().key());
    };
    const auto requests = co_await read_rows(tenant_question(std::move(query), std::move(what)), std::move(reader));
    if (!requests) co_return std::unexpected(requests.error());
    std::ranges::sort(found);
    co_return found;
}

Task<std::vector<ResourceId>> ResourceGraph::find_versions(std::string gallery, std::string definition,
                                                           std::string version) {
    return find_ids(version_named_query(gallery, definition, version), "find the image version");
}

Task<std::vector<ResourceId>> ResourceGraph::find_definitions(std::string gallery, std::string definition) {
    return find_ids(definition_named_query(gallery, definition), "find the image definition");
}

}  // namespace galleryd::azure
