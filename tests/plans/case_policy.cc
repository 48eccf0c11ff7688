#include "tests/plans/case_policy.h"

#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "controller/core/tags.h"

namespace galleryd::plans {
namespace {

using nlohmann::json;

void check_keys(const json& object, const std::set<std::string>& known, const std::string& where) {
    for (const auto& [key, value] : object.items()) {
        if (!known.contains(key)) throw std::runtime_error("unknown key \"" + key + "\" in " + where);
    }
}

TimePoint time(const json& text) {
    const auto parsed = parse_rfc3339(text.get<std::string>());
    if (!parsed) throw std::runtime_error("not an RFC 3339 time: " + text.dump());
    return *parsed;
}

// "1.2.0", "ubuntu-2404" or a whole id: the key of the resource that is meant, observed or declared.
std::string resource_key(const Case& test, const std::string& name) {
    if (name.starts_with("/")) return ResourceId(name).key();
    const auto ends = [&](const std::string& key) { return key.ends_with("/" + fold_case(name)); };
    for (const auto& [key, version] : test.azure.versions)
        if (ends(key)) return key;
    for (const auto& [key, definition] : test.azure.definitions)
        if (ends(key)) return key;
    for (const auto& [key, gallery] : test.azure.galleries)
        if (ends(key)) return key;
    for (const auto& [key, version] : test.objects.versions)
        if (ends(version.id.key())) return version.id.key();
    for (const auto& [key, definition] : test.objects.definitions)
        if (ends(definition.id.key())) return definition.id.key();
    for (const auto& [key, gallery] : test.objects.galleries)
        if (ends(gallery.id.key())) return gallery.id.key();
    throw std::runtime_error("no resource named \"" + name + "\"");
}

std::string digest_of(const Case& test, const std::string& document) {
    for (const auto& [key, object] : test.objects.versions)
        if (to_string(key) == document) return object.meta.digest;
    for (const auto& [key, object] : test.objects.definitions)
        if (to_string(key) == document) return object.meta.digest;
    for (const auto& [key, object] : test.objects.galleries)
        if (to_string(key) == document) return object.meta.digest;
    return "";
}

void records_from_tags(Case& test) {
    const auto add = [&](const ObservedBase& resource) {
        const auto tag = find_tag_any_case(resource.tags, owner_tag);
        if (tag == resource.tags.end()) return;
        const auto owner = parse_owner_tag(tag->second);
        if (!owner || owner->instance != test.policy.instance) return;
        ResourceRecord record;
        record.written_by_us = true;
        record.document = owner->kind + "/" + owner->namespace_name + "/" + owner->name;
        test.policy.records[resource.id.key()] = record;
    };
    for (const auto& [key, resource] : test.azure.galleries) add(resource);
    for (const auto& [key, resource] : test.azure.definitions) add(resource);
    for (const auto& [key, resource] : test.azure.versions) add(resource);
}

void read_record(Case& test, const std::string& name, const json& from) {
    check_keys(from,
               {"writtenByUs", "document", "lastApplied", "inFlight", "failures", "lastFailureAt", "regionRetries",
                "regionRetryAfter", "regionReadds", "removalFailedAt", "excludedByUs", "tombstone", "deletedAt",
                "appliedTags", "writtenAt", "goneAt"},
               "records." + name);
    ResourceRecord& record = test.policy.records[resource_key(test, name)];
    record.written_by_us = from.value("writtenByUs", record.written_by_us);
    record.document = from.value("document", record.document);
    if (from.contains("lastApplied"))
        record.last_applied_digest = from["lastApplied"] == "current" ? digest_of(test, record.document) : "another";
    record.operation_in_flight = from.value("inFlight", false);
    record.failures = from.value("failures", 0);
    record.excluded_by_us = from.value("excludedByUs", false);
    record.tombstone = from.value("tombstone", false);
    record.applied_tags = from.value("appliedTags", Tags{});
    if (from.contains("lastFailureAt")) record.last_failure_at = time(from["lastFailureAt"]);
    if (from.contains("removalFailedAt")) record.removal_failed_at = time(from["removalFailedAt"]);
    if (from.contains("writtenAt")) record.written_at = time(from["writtenAt"]);
    if (from.contains("goneAt")) record.gone_at = time(from["goneAt"]);
    if (from.contains("deletedAt")) record.deleted_at = time(from["deletedAt"]);
    for (const auto& [region, count] : from.value("regionRetries", json::object()).items())
        record.region_retries[region] = count;
    for (const auto& [region, count] : from.value("regionReadds", json::object()).items())
        record.region_readds[region] = count;
    for (const auto& [region, after] : from.value("regionRetryAfter", json::object()).items())
        record.region_retry_after[region] = time(after);
}

RemovedDocument read_removed(const Case& test, const json& from) {
    check_keys(from, {"kind", "name", "namespace", "id", "deletionPolicy", "mode", "missingSince", "snapshots", "hold"},
               "removed");
    RemovedDocument removed;
    const auto kind = parse_kind(from.value("kind", "ImageVersion"));
    if (!kind) throw std::runtime_error("removed: unknown kind");
    removed.key = {*kind, from.value("namespace", "images"), from.at("name").get<std::string>()};
    const std::string id = from.at("id").get<std::string>();
    if (id.starts_with("/")) {
        removed.id = ResourceId(id);
    } else {
        const std::string key = resource_key(test, id);
        const auto version = test.azure.versions.find(key);
        const auto definition = test.azure.definitions.find(key);
        const auto gallery = test.azure.galleries.find(key);
        removed.id = version != test.azure.versions.end()         ? version->second.id
                     : definition != test.azure.definitions.end() ? definition->second.id
                     : gallery != test.azure.galleries.end()      ? gallery->second.id
                                                                  : ResourceId(key);
    }
    removed.deletion_policy =
        from.value("deletionPolicy", "Delete") == "Delete" ? DeletionPolicy::remove : DeletionPolicy::orphan;
    const std::string mode = from.value("mode", "Manage");
    removed.mode = mode == "Manage" ? Mode::manage : mode == "Observe" ? Mode::observe : Mode::suspend;
    removed.first_missing =
        from.contains("missingSince") ? time(from["missingSince"]) : test.now - std::chrono::hours(1);
    removed.snapshots_missing = from.value("snapshots", 2);
    if (from.contains("hold")) removed.hold = from["hold"].get<std::string>();
    return removed;
}

VersionUsage read_usage(const json& from) {
    const std::string word = from.is_object() ? from.at("state").get<std::string>() : from.get<std::string>();
    VersionUsage usage;
    if (word == "in_use") {
        usage.state = UsageState::in_use;
    } else if (word == "not_in_use") {
        usage.state = UsageState::not_in_use;
    } else if (word != "unknown") {
        throw std::runtime_error("usage: unknown word " + word);
    }
    if (from.is_object()) {
        usage.detail = from.value("detail", "");
        usage.way_out = from.value("wayOut", "");
        for (const auto& [name, text] : from.value("evidence", json::object()).items())
            usage.evidence[name] = text.get<std::string>();
    }
    return usage;
}

void read_source(SourceHealth& source, const json& from) {
    check_keys(from, {"complete", "empty", "frozen", "problems", "revision"}, "source");
    source.complete = from.value("complete", true);
    source.empty = from.value("empty", false);
    source.revision = from.value("revision", "");
    if (from.contains("frozen")) source.frozen = from["frozen"].get<std::string>();
    for (const json& problem : from.value("problems", json::array())) source.problems.push_back(problem);
}

}  // namespace

void read_policy(Case& test, const json& from) {
    check_keys(from,
               {"allowDeletes", "prune", "observe", "leader", "journalWritable", "clockSkew", "approvals", "usage",
                "records", "removed", "source", "locked", "zones", "deletesLastHour", "deletesPerHourMax", "prices"},
               "policy");
    Policy& policy = test.policy;
    policy.instance = "test";
    policy.allow_deletes = from.value("allowDeletes", false);
    policy.prune = from.value("prune", false);
    policy.observe = from.value("observe", false);
    policy.leader = from.value("leader", true);
    policy.journal_writable = from.value("journalWritable", true);
    policy.deletes_last_hour = from.value("deletesLastHour", 0);
    policy.deletes_per_hour_max = from.value("deletesPerHourMax", 20);
    const std::string skew = from.value("clockSkew", "0s");
    if (skew != "unknown") policy.clock_skew = parse_duration(skew).value();
    for (const json& digest : from.value("approvals", json::array())) {
        if (digest == "this plan") {
            test.approves_itself = true;
        } else {
            policy.approvals.insert(digest.get<std::string>());
        }
    }
    for (const auto& [name, usage] : from.value("usage", json::object()).items()) {
        if (name != "all") policy.usage[resource_key(test, name)] = read_usage(usage);
        if (name == "all")
            for (const auto& [key, version] : test.azure.versions) policy.usage.emplace(key, read_usage(usage));
    }
    const json records = from.value("records", json::object());
    if (records != "none") {
        records_from_tags(test);
        for (const auto& [name, record] : records.items()) read_record(test, name, record);
    }
    for (const json& removed : from.value("removed", json::array()))
        policy.removed.push_back(read_removed(test, removed));
    read_source(policy.source, from.value("source", json::object()));
    for (const json& name : from.value("locked", json::array()))
        policy.locked.insert(resource_key(test, name.get<std::string>()));
    const json zones = from.value("zones", json::object());  // name: hours east of UTC
    policy.zone_offset = [zones](const std::string& zone, TimePoint) -> std::optional<Duration> {
        if (!zones.contains(zone)) return std::nullopt;
        return std::chrono::hours(zones[zone].get<int>());
    };
    const json prices = from.value("prices", json::object());
    for (const auto& [type, price] : prices.value("snapshot", json::object()).items())
        policy.prices.snapshot_gb_month[type] = price;
    policy.prices.egress_gb = prices.value("egress", 0.0);
}

}  // namespace galleryd::plans
