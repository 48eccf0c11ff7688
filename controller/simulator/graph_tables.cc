#include <algorithm>

#include "controller/core/resource_id.h"
#include "controller/simulator/graph.h"
#include "controller/simulator/rules.h"

// The tables of Resource Graph over the simulated world.
namespace galleryd::simulator {
namespace {

constexpr std::string_view default_tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47";
// Instances of a uniform scale set are in `computeresources` and not in `resources` (azure-facts §9, unverified).
constexpr std::string_view instance_type = "microsoft.compute/virtualmachinescalesets/virtualmachines";

bool is_instance(std::string_view type) { return type == instance_type; }

// Groups and subscriptions have a table of their own, rights too (authorizationresources, not imitated).
bool is_in_resources(std::string_view type) {
    return !is_instance(type) && type != "resourcegroups" && !type.starts_with("microsoft.authorization/");
}

using Accepts = bool (*)(std::string_view type);

// Whether the subscription of a folded id is in scope.
class InScope {
  public:
    explicit InScope(const std::vector<std::string>& subscriptions) : subscriptions_(subscriptions) {}
    bool operator()(std::string_view key) {
        constexpr std::string_view prefix = "/subscriptions/";
        if (!key.starts_with(prefix)) return false;
        const std::string_view id = key.substr(prefix.size(), key.find('/', prefix.size()) - prefix.size());
        if (id != last_) {  // keys come sorted, so it is asked once for each subscription
            last_ = id;
            answer_ = std::ranges::find(subscriptions_, id) != subscriptions_.end();
        }
        return answer_;
    }

  private:
    const std::vector<std::string>& subscriptions_;
    std::string last_;
    bool answer_ = false;
};

void add_before(const ChangeEntry& entry, kql::Rows& rows) {
    if (entry.before.empty()) return;  // it did not exist yet
    rows.kept.push_back(Json::parse(entry.before, nullptr, false));
    rows.rows.push_back({.source = {.body = &rows.kept.back(), .type = entry.type}, .cells = {}});
}

void fill_resources(const World& world, const std::vector<std::string>& subscriptions, TimePoint then, Accepts accepts,
                    kql::Rows& rows) {
    const auto hidden = world.changes.hidden(then);
    InScope in_scope(subscriptions);
    auto behind = hidden.begin();  // both are sorted by key: what was removed stands where it stood
    const auto add_hidden = [&] {
        if (in_scope(behind->first) && accepts(behind->second->type)) add_before(*behind->second, rows);
        ++behind;
    };
    for (const auto& [key, resource] : world.resources()) {
        while (behind != hidden.end() && behind->first < key) add_hidden();
        if (behind != hidden.end() && behind->first == key) {
            add_hidden();
            continue;
        }
        if (!accepts(resource.type) || !in_scope(key)) continue;
        rows.rows.push_back({.source = {.body = &resource.body, .type = resource.type}, .cells = {}});
    }
    while (behind != hidden.end()) add_hidden();
}

void add_row(Json row, kql::Rows& rows) {
    rows.kept.push_back(std::move(row));
    rows.rows.push_back({.source = {.body = &rows.kept.back(), .type = {}, .is_row = true}, .cells = {}});
}

Json container_row(const World& world, const std::string& subscription) {
    return Json{{"id", "/subscriptions/" + subscription},
                {"name", "Simulated subscription " + subscription.substr(0, 8)},
                {"type", "microsoft.resources/subscriptions"},
                {"tenantId", world.tenants.empty() ? std::string(default_tenant) : *world.tenants.begin()},
                {"kind", ""},
                {"location", ""},
                {"resourceGroup", ""},
                {"subscriptionId", subscription},
                {"managedBy", ""},
                {"properties", Json{{"state", "Enabled"},
                                    {"managedByTenants", Json::array()},
                                    {"subscriptionPolicies", Json{{"locationPlacementId", "Public_2014-09-01"},
                                                                  {"quotaId", "PayAsYouGo_2014-09-01"},
                                                                  {"spendingLimit", "Off"}}}}}};
}

void fill_containers(const World& world, const std::vector<std::string>& subscriptions, kql::Rows& rows) {
    for (const std::string& subscription : subscriptions) {
        add_row(container_row(world, subscription), rows);
        const std::string prefix = "/subscriptions/" + subscription + "/resourcegroups/";
        for (auto at = world.resources().lower_bound(prefix);
             at != world.resources().end() && at->first.starts_with(prefix); ++at) {
            if (at->second.type != "resourcegroups") continue;
            rows.rows.push_back(
                {.source = {.body = &at->second.body, .type = "microsoft.resources/subscriptions/resourcegroups"},
                 .cells = {}});
        }
    }
}

bool mentions_details(const kql::Expr& expression) {
    const bool is_path = expression.kind == kql::Expr::Kind::path && expression.name == "properties";
    if (is_path && (expression.path.empty() || expression.path[0].name == "changes")) return true;
    return std::ranges::any_of(expression.arguments, mentions_details);
}

// Comparing bodies for records whose `changes` nobody asked for would be most of the work.
bool wants_details(const kql::Query& query) {
    bool narrowed = false;
    for (const kql::Stage& stage : query.stages) {
        using enum kql::Stage::Kind;
        narrowed = narrowed || stage.kind == project || stage.kind == summarize || stage.kind == distinct ||
                   stage.kind == count;
        if (mentions_details(stage.condition)) return true;
        for (const auto* list : {&stage.columns, &stage.groups}) {
            for (const kql::Named& one : *list) {
                if (mentions_details(one.value)) return true;
            }
        }
    }
    return !narrowed;
}

std::string change_type(ChangeKind kind) {
    return kind == ChangeKind::create ? "Create" : kind == ChangeKind::update ? "Update" : "Delete";
}

Json change_row(const World& world, const ChangeEntry& entry, bool with_details) {
    const ResourceId target(entry.id);
    Json changes = Json::object();
    if (with_details) {
        const Resource* const current = world.find(entry.key);
        changes = world.changes.details_of(entry, current == nullptr ? Json() : current->body);
    }
    Json attributes{
        {"timestamp", kql::format_datetime(entry.at)},
        {"changesCount", changes.size()},
        {"correlationId", entry.guid},
        {"changedBy", entry.principal.empty() ? "System" : entry.principal},
        {"changedByType", entry.principal.empty() ? "System" : "Application"},
        {"clientType", entry.principal.empty() ? "Unspecified" : "Unknown"},
        {"operation", type_display(entry.type) + (entry.kind == ChangeKind::remove ? "/delete" : "/write")}};
    if (entry.kind != ChangeKind::create) attributes["previousResourceSnapshotId"] = "0_" + entry.guid;
    if (entry.kind != ChangeKind::remove) attributes["newResourceSnapshotId"] = "1_" + entry.guid;
    const std::string name =
        "0858" + std::to_string(4000000000000000 - entry.at.time_since_epoch().count()) + "_" + entry.guid;
    return Json{{"id", entry.id + "/providers/Microsoft.Resources/changes/" + name},
                {"name", name},
                {"type", "microsoft.resources/changes"},
                {"tenantId", world.tenants.empty() ? std::string(default_tenant) : *world.tenants.begin()},
                {"resourceGroup", fold_case(target.resource_group())},
                {"subscriptionId", fold_case(target.subscription())},
                {"properties", Json{{"targetResourceId", entry.id},
                                    {"targetResourceType", entry.type},
                                    {"changeType", change_type(entry.kind)},
                                    {"changeAttributes", std::move(attributes)},
                                    {"changes", std::move(changes)}}}};
}

void fill_changes(const World& world, const std::vector<std::string>& subscriptions, TimePoint then, bool with_details,
                  ChangeRows& changes, kql::Rows& rows) {
    for (const ChangeEntry& entry : world.changes.entries()) {
        if (entry.recorded > then || entry.at < then - std::chrono::days(14)) continue;
        if (is_instance(entry.type) || !InScope(subscriptions)(entry.key)) continue;
        if (with_details) {
            add_row(change_row(world, entry, with_details), rows);
            continue;
        }
        rows.shared.push_back(changes.row_of(world, entry));
        rows.rows.push_back({.source = {.body = rows.shared.back().get(), .type = {}, .is_row = true}, .cells = {}});
    }
}

}  // namespace

std::shared_ptr<const Json> ChangeRows::row_of(const World& world, const ChangeEntry& entry) {
    constexpr std::size_t rows_max = 4096;  // some ten megabytes
    if (rows_.size() >= rows_max && !rows_.contains(entry.guid)) rows_.clear();
    std::shared_ptr<const Json>& row = rows_[entry.guid];
    if (!row) row = std::make_shared<const Json>(change_row(world, entry, false));
    return row;
}

bool fill_table(const World& world, const kql::Query& query, const std::vector<std::string>& subscriptions,
                TimePoint then, ChangeRows& changes, kql::Rows& rows) {
    rows.columns = kql::table_columns(query.table);
    rows.tenant = world.tenants.empty() ? std::string(default_tenant) : *world.tenants.begin();
    if (query.table == "resources") fill_resources(world, subscriptions, then, is_in_resources, rows);
    else if (query.table == "computeresources") fill_resources(world, subscriptions, then, is_instance, rows);
    else if (query.table == "resourcecontainers") fill_containers(world, subscriptions, rows);
    else if (query.table == "resourcechanges") fill_changes(world, subscriptions, then, wants_details(query), changes, rows);
    else return false;
    return true;
}

}  // namespace galleryd::simulator
