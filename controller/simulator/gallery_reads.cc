#include <algorithm>

#include "controller/core/region.h"
#include "controller/core/resource_id.h"
#include "controller/simulator/replication.h"
#include "controller/simulator/rules.h"

namespace galleryd::simulator {
namespace {

std::string upper(std::string text) {
    std::ranges::transform(text, text.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return text;
}

bool mentions(const std::string& list, std::string_view word) {
    return fold_case(list).find(word) != std::string::npos;
}

void hide_groups(Json& body) {
    Json& properties = body["properties"];
    if (properties.contains("sharingProfile")) properties["sharingProfile"].erase("groups");
}

Json sharing_status(const Resource& gallery) {
    Json row = Json::object();
    row["region"] = normalise_region(gallery.location());
    row["state"] = "Succeeded";
    row["details"] = "";
    Json status = Json::object();
    status["aggregatedState"] = "Succeeded";
    status["summary"] = Json::array({row});
    return status;
}

Answer get_gallery(const Resource& gallery, const Call& call) {
    Answer answer;
    answer.body = shown(gallery, call.path);
    const bool all = mentions(call.path.get("$select"), "permissions") ||
                     mentions(call.path.get("$expand"), "sharingprofile/groups");
    if (!all) hide_groups(answer.body);
    if (mentions(call.path.get("$expand"), "sharingprofile") && answer.body["properties"].contains("sharingProfile"))
        answer.body["properties"]["sharingStatus"] = sharing_status(gallery);
    return answer;
}

}  // namespace

Answer get_gallery_resource(World& world, const Call& call) {
    const Resource* const resource = world.find(call.path.key);
    if (resource == nullptr) return resource_not_found(call.path);
    if (resource->type == gallery_type) return get_gallery(*resource, call);
    Answer answer;
    answer.body = shown(*resource, call.path);
    if (resource->type == version_type && mentions(call.path.get("$expand"), "replicationstatus")) {
        answer.body["properties"]["replicationStatus"] = replication_status(*resource, world.now);
    }
    return answer;
}

Answer list_galleries(World& world, const Call& call) {
    std::vector<const Resource*> found;
    const auto add = [&found](const Resource& gallery) {
        found.push_back(&gallery);
        return true;
    };
    if (!call.path.group.empty()) {
        world.visit_children(group_key(call.path) + "/providers/microsoft.compute", "galleries", add);
    } else {
        world.visit_children(fold_case("/subscriptions/" + call.path.subscription), "resourcegroups",
                             [&](const Resource& group) {
                                 world.visit_children(group.key + "/providers/microsoft.compute", "galleries", add);
                                 return true;
                             });
        // A page goes on behind the last id shown, and groups come by name: "rg" is before "rg-2", "rg/" behind
        // "rg-2/". Unsorted, page 2 was page 1 again: Azure CLI 2.45 and @azure/arm-compute 22.4 and 24.1 then list for
        // ever.
        std::ranges::sort(found, {}, &Resource::key);
    }
    std::vector<Json> all;
    for (const Resource* const gallery : found) {
        Json body = gallery->body;
        hide_groups(body);
        // Lists answer the group in upper case (azure-facts §1).
        body["id"] = with_group(gallery->id, upper(gallery->group()));
        all.push_back(std::move(body));
    }
    Answer answer;
    answer.body = page_of(world, call, std::move(all));
    return answer;
}

Answer list_gallery_children(World& world, const Call& call) {
    const std::string parent = call.path.key.substr(0, call.path.key.rfind('/'));
    if (world.find(parent) == nullptr)
        return resource_not_found(parse_path(call.path.text.substr(0, call.path.text.rfind('/'))));
    std::vector<Json> all;
    world.visit_children(parent, call.path.folded.back(), [&](const Resource& child) {
        all.push_back(shown(child, call.path));
        return true;
    });
    Answer answer;
    answer.body = page_of(world, call, std::move(all));
    return answer;
}

Answer list_soft_deleted(World& world, const Call& call) {
    // …/galleries/g/softDeletedArtifactTypes/Images/artifacts/d/versions
    const std::size_t at = call.path.key.find("/softdeletedartifacttypes/");
    const std::string gallery = call.path.key.substr(0, at);
    const Resource* const found = world.find(gallery);
    if (found == nullptr) return resource_not_found(parse_path(call.path.text.substr(0, at)));
    const std::string definition = call.path.names.size() > 2 ? call.path.names[2] : "";
    const std::string prefix = gallery + "/images/" + fold_case(definition) + "/versions/";
    std::vector<Json> all;
    for (auto one = world.soft_deleted.lower_bound(prefix);
         one != world.soft_deleted.end() && one->first.starts_with(prefix); ++one) {
        const SoftDeleted& deleted = one->second;
        Json row = Json::object();
        row["name"] = deleted.resource.name();
        row["id"] = with_group(found->id, call.path.group) + "/softDeletedArtifactTypes/Images/artifacts/" +
                    definition + "/versions/" + deleted.resource.name();
        row["type"] = "Microsoft.Compute/galleries/softDeletedArtifactTypes/artifacts/versions";
        row["location"] = deleted.resource.location();
        Json properties = Json::object();
        properties["resourceArmId"] = with_group(deleted.resource.id, call.path.group);
        properties["softDeletedTime"] = deleted.at_text;
        properties["softDeletedArtifactType"] = "Images";
        if (api_at_least(call, "2026-03-03")) {
            properties["consumptionEndTime"] = deleted.consumable_until_text;
            properties["hardDeletionTargetTime"] = deleted.gone_at_text;
        }
        row["properties"] = std::move(properties);
        all.push_back(std::move(row));
    }
    Answer answer;
    answer.body = page_of(world, call, std::move(all));
    return answer;
}

Answer get_operation(World& world, const Call& call) {
    const Operation* const operation = call.path.names.empty() ? nullptr : world.find_operation(call.path.names.back());
    if (operation == nullptr || fold_case(operation->subscription) != fold_case(call.path.subscription))
        return error_answer(404, "NotFound", "The entity was not found in this Azure location.");
    // The parameters are a signature over the URL: a client that changes them must not get through (text unverified).
    for (const std::string_view name : {"t", "c", "s", "h"}) {
        const std::string given = call.path.get(name);
        if (!given.empty() && operation->signature.find(std::string(name) + "=" + given) == std::string::npos)
            return error_answer(403, "AuthorizationFailed", "The signature of the operation URL is not valid.");
    }
    Answer answer;
    if (!operation->finished) {
        const Duration left = operation->hangs ? Duration(std::chrono::seconds(60)) : operation->ends - world.now;
        answer.headers.add("Retry-After", std::to_string(retry_after_seconds(world, left)));
    }
    if (fold_case(call.path.get("monitor")) == "true") {
        answer.status = operation->finished ? 200 : 202;
        if (!operation->finished) answer.headers.add("Location", call.base + call.http.target);
        return answer;
    }
    answer.body["startTime"] = operation->started_text;
    if (operation->finished) answer.body["endTime"] = operation->ended_text;
    answer.body["status"] = !operation->finished            ? "InProgress"
                            : operation->error_code.empty() ? "Succeeded"
                                                            : "Failed";
    if (operation->finished && !operation->error_code.empty()) {
        answer.body["error"]["code"] = operation->error_code;
        answer.body["error"]["message"] = operation->error_message;
    }
    answer.body["name"] = operation->guid;
    return answer;
}

}  // namespace galleryd::simulator
