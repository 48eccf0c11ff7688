#include "controller/adapters/azure/graph_queries.h"

namespace galleryd::azure {
namespace {

constexpr std::string_view types =
    "('microsoft.compute/galleries','microsoft.compute/galleries/images',"
    "'microsoft.compute/galleries/images/versions')";
constexpr std::string_view row_columns = "| project id, location, tags, properties";

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
    std::string list;
    for (const ResourceId& id : ids) list += (list.empty() ? "" : ",") + literal_of(id.text());
    return "resources\n| where id in~ (" + list + ")\n" + std::string(row_columns) + "\n| order by id asc";
}

std::string in_transition_query() {
    return "resources\n| where type in~ " + std::string(types) +
           " and tostring(properties.provisioningState) in~ ('Creating','Updating','Deleting','Migrating')\n" +
           std::string(row_columns) + "\n| order by id asc";
}

}  // namespace galleryd::azure
