#include "controller/adapters/azure/graph_queries.h"

namespace galleryd::azure {
namespace {

constexpr std::string_view types =
    "('microsoft.compute/galleries','microsoft.compute/galleries/images',"
    "'microsoft.compute/galleries/images/versions')";
constexpr std::string_view row_columns = "| project id, location, tags, properties";

std::string list_of(const std::vector<ResourceId>& ids) {
    std::string list;
    for (const ResourceId& id : ids) list += (list.empty() ? "" : ",") + literal_of(id.text());
    return list;
}

// Which image a row names, by ARM id or as consumers of a shared gallery do; kept where it is one of the galleries.
std::string with_image(const std::vector<std::string>& prefixes) {
    std::string text =
        "| extend image = coalesce(tostring(ref.id), tostring(ref.sharedGalleryImageId), "
        "tostring(ref.communityGalleryImageId), tostring(properties.source.imageVersionId))\n| where ";
    for (std::size_t i = 0; i < prefixes.size(); ++i)
        text += (i == 0 ? "image startswith " : " or image startswith ") + literal_of(prefixes[i]);
    return text + "\n";
}

}  // namespace

std::string literal_of(std::string_view text) {
    std::string literal = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') literal += '\\';
        literal += c;
    }
    return literal + "'";
}

std::string all_rows_query() {
    return "resources\n| where type in~ " + std::string(types) + "\n" + std::string(row_columns) +
           "\n| order by id asc";
}

std::string subscriptions_query() {
    return "resourcecontainers\n| where type =~ 'microsoft.resources/subscriptions'\n"
           "| project id, subscriptionId\n| order by id asc";
}

std::string changes_query(TimePoint since) {
    return "resourcechanges\n| extend at = todatetime(properties.changeAttributes.timestamp)\n| where at >= datetime(" +
           format_rfc3339(since) + ") and tostring(properties.targetResourceType) in~ " + std::string(types) +
           "\n| project id, at, target = tostring(properties.targetResourceId), change = "
           "tostring(properties.changeType), by = tostring(properties.changeAttributes.changedBy)\n"
           "| order by at asc, id asc";
}

std::string rows_query(const std::vector<ResourceId>& ids) {
    return "resources\n| where id in~ (" + list_of(ids) + ")\n" + std::string(row_columns) + "\n| order by id asc";
}

std::string in_transition_query() {
    return "resources\n| where type in~ " + std::string(types) +
           " and tostring(properties.provisioningState) in~ ('Creating','Updating','Deleting','Migrating')\n" +
           std::string(row_columns) + "\n| order by id asc";
}

std::string gallery_reach_query(const std::vector<ResourceId>& galleries) {
    return "resources\n| where id in~ (" + list_of(galleries) +
           ")\n| project id, unique = tostring(properties.identifier.uniqueName), sharing = properties.sharingProfile\n"
           "| order by id asc";
}

std::string image_users_query(const std::vector<std::string>& prefixes) {
    return "resources\n| where type in~ ('microsoft.compute/virtualmachines','microsoft.compute/"
           "virtualmachinescalesets','microsoft.compute/galleries/images/versions','microsoft.virtualmachineimages/"
           "imagetemplates')\n| extend ref = coalesce(properties.storageProfile.imageReference, "
           "properties.virtualMachineProfile.storageProfile.imageReference, properties.storageProfile.source)\n" +
           with_image(prefixes) +
           "| project id, type, location, image, exact = tostring(ref.exactVersion), capacity = sku.capacity, "
           "orchestration = tostring(properties.orchestrationMode)\n| order by id asc";
}

std::string image_instances_query(const std::vector<std::string>& prefixes) {
    return "computeresources\n| where type =~ 'microsoft.compute/virtualmachinescalesets/virtualmachines'\n"
           "| extend ref = properties.storageProfile.imageReference\n" +
           with_image(prefixes) +
           "| project id, type, location, image, exact = tostring(ref.exactVersion)\n| order by id asc";
}

std::string uniform_scale_sets_query() {
    return "resources\n| where type =~ 'microsoft.compute/virtualmachinescalesets' and "
           "tostring(properties.orchestrationMode) !~ 'Flexible'\n| project id, capacity = sku.capacity\n"
           "| order by id asc";
}

std::string instances_query() {
    return "computeresources\n| where type =~ 'microsoft.compute/virtualmachinescalesets/virtualmachines'\n"
           "| project id\n| order by id asc";
}

std::string version_named_query(std::string_view gallery, std::string_view definition, std::string_view version) {
    const std::string end = "/galleries/" + std::string(gallery) + "/images/" + std::string(definition) + "/versions/" +
                            std::string(version);
    return "resources\n| where type =~ 'microsoft.compute/galleries/images/versions' and id endswith " +
           literal_of(end) + "\n| project id\n| order by id asc";
}

std::string definition_named_query(std::string_view gallery, std::string_view definition) {
    const std::string end = "/galleries/" + std::string(gallery) + "/images/" + std::string(definition);
    return "resources\n| where type =~ 'microsoft.compute/galleries/images' and id endswith " + literal_of(end) +
           "\n| project id\n| order by id asc";
}

}  // namespace galleryd::azure
