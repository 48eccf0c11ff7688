#include <algorithm>

#include "controller/core/region.h"
#include "controller/core/resource_id.h"
#include "controller/simulator/world.h"

// The life of long operations: begun by a write, finished by the clock alone (any read sees their result).
namespace galleryd::simulator {
namespace {

std::string failure_text(const std::vector<const RegionCopy*>& failed) {  // azure-facts §4.1
    std::string regions;
    for (const RegionCopy* copy : failed) {
        regions +=
            (regions.empty() ? "" : ",") + std::string("{region:") + copy->region + ", detail:" + copy->failure + "}";
    }
    return "Gallery replication jobs failed in one or more regions. The failing regions' details are as follows: '" +
           regions +
           "'. If retry does not work, then please do an update by removing the failed regions and update again by "
           "adding them back.";
}

}  // namespace

Duration World::operation_length(std::string_view method, const std::string& id, Duration drawn) const {
    if (options.operation_length) {
        if (const auto forced = options.operation_length(method, id)) return *forced;
    }
    return drawn;
}

Operation& World::begin(Resource& resource, OperationKind kind, const std::string& api_version, Duration lasts) {
    Operation operation;
    operation.guid = id_random.guid();
    operation.subscription = resource.subscription();
    operation.location = normalise_region(resource.location());
    operation.api_version = api_version;
    operation.key = resource.key;
    operation.kind = kind;
    operation.started = now;
    operation.started_text = timestamp(now);
    operation.ends = now + lasts;
    // Lengths as recorded: 18 digits of time, a certificate of some 2.4 KB, a 342 character signature, a 43 character
    // hash.
    operation.signature = "t=6" + std::to_string(38700000000000000 + now.time_since_epoch().count() % 100000000000000) +
                          "&c=MII" + id_random.base64url(2421) + "&s=" + id_random.base64url(342) +
                          "&h=" + id_random.base64url(43);
    resource.operation = operation.guid;
    due_.emplace(operation.ends, operation.guid);
    return operations_.emplace(operation.guid, std::move(operation)).first->second;
}

Operation* World::find_operation(const std::string& guid) {
    const auto found = operations_.find(fold_case(guid));
    return found == operations_.end() || found->second.lost ? nullptr : &found->second;
}

void World::preempt(Resource& resource) {
    const auto running = operations_.find(resource.operation);
    resource.operation.clear();
    if (running == operations_.end() || running->second.finished) return;
    Operation& operation = running->second;
    operation.finished = true;
    operation.ends = now;
    operation.ended_text = timestamp(now);
    operation.error_code = "OperationPreempted";
    operation.error_message = "Operation execution has been preempted by a more recent operation.";
}

std::optional<TimePoint> World::next_event() const {
    if (due_.empty()) return std::nullopt;
    return due_.begin()->first;
}

void World::advance(TimePoint to) {
    while (!due_.empty() && due_.begin()->first <= to) {
        const std::string guid = due_.begin()->second;
        now = std::max(now, due_.begin()->first);
        due_.erase(due_.begin());
        const auto found = operations_.find(guid);
        if (found != operations_.end() && !found->second.finished && !found->second.hangs) finish(found->second);
    }
    now = std::max(now, to);
    for (auto gone = gone_.begin(); gone != gone_.end();) {
        std::erase_if(gone->second, [this](const Gone& one) { return one.until <= now; });
        gone = gone->second.empty() ? gone_.erase(gone) : std::next(gone);
    }
    std::erase_if(soft_deleted, [this](const auto& one) { return one.second.gone_at <= now; });
}

void World::finish(Operation& operation) {
    operation.finished = true;
    operation.ended_text = timestamp(operation.ends);
    Resource* const resource = find(operation.key);
    if (resource == nullptr || resource->operation != operation.guid) return;
    resource->operation.clear();
    if (operation.kind == OperationKind::remove || operation.kind == OperationKind::remove_group) {
        finish_removal(operation);
        return;
    }
    note_update(*resource);
    resource->previous = resource->body;
    resource->changed_at = now;
    if (!resource->arriving.is_null()) {
        for (const auto& [name, value] : resource->arriving.items())
            resource->body["properties"]["storageProfile"][name] = value;
        resource->arriving = nullptr;
    }
    std::vector<const RegionCopy*> failed;
    for (const RegionCopy& copy : resource->copies) {
        if (!copy.failure.empty() && copy.done <= now) failed.push_back(&copy);
    }
    if (!failed.empty()) {
        operation.error_code = "ValidationError";
        operation.error_message = failure_text(failed);
    }
    resource->set_state(operation.error_code.empty() ? "Succeeded" : "Failed");
}

void World::finish_removal(const Operation& operation) {
    Resource removed = *find(operation.key);
    std::vector<std::string> keys;
    const std::string prefix = operation.key + "/";
    for (auto at = resources_.lower_bound(prefix); at != resources_.end() && at->first.starts_with(prefix); ++at)
        keys.push_back(at->first);
    for (const std::string& key : keys)
        erase(key);  // a group takes everything along; below a version nothing but role assignments
    erase(operation.key);
    if (removed.type != "microsoft.compute/galleries/images/versions" &&
        removed.type != "microsoft.compute/galleries/images")
        return;
    remember_gone_child(version_parent(operation.key), removed.id);
    if (removed.type != "microsoft.compute/galleries/images/versions" || operation.bypass_soft_delete) return;
    const Resource* const gallery = find(version_parent(version_parent(operation.key)));
    const Json policy = gallery == nullptr ? Json() : member(gallery->body, {"properties", "softDeletePolicy"});
    if (!is_true(policy, "isSoftDeleteEnabled")) return;
    // Before 2026-03-03 the window was fixed (7 days, unverified); from then on two counts of days (azure-facts §5).
    const Json& retention = member(policy, "retentionPeriodInDays");
    const Json& grace = member(policy, "gracePeriodInDays");
    SoftDeleted deleted;
    deleted.at = now;
    deleted.consumable_until = now + std::chrono::days(retention.is_number_integer() ? retention.get<int>() : 7);
    deleted.gone_at = deleted.consumable_until + std::chrono::days(grace.is_number_integer() ? grace.get<int>() : 0);
    const std::string text = timestamp(now);
    const auto same_instant = [&text,
                               this](TimePoint then) {  // the recorded times differ by whole days to the last digit
        const std::string day = timestamp(then);
        return day.substr(0, 10) + text.substr(10);
    };
    deleted.at_text = text;
    deleted.consumable_until_text = same_instant(deleted.consumable_until);
    deleted.gone_at_text = same_instant(deleted.gone_at);
    removed.deleting = false;
    deleted.resource = std::move(removed);
    soft_deleted.insert_or_assign(operation.key, std::move(deleted));
}

}  // namespace galleryd::simulator
