#pragma once
#include "controller/adapters/journal/journal.h"
#include "tests/support/temporary_directory.h"

// Values that the journal's tests share.
namespace galleryd::journal::samples {

inline const TimePoint start = *parse_rfc3339("2026-11-21T04:10:12Z");

inline const std::string version_text =
    "/subscriptions/S1/resourceGroups/RG-One/providers/Microsoft.Compute/galleries/g/images/ubuntu/versions/1.0.0";

inline Intent delete_intent(const std::string& resource = version_text, TimePoint at = start) {
    Intent intent;
    intent.resource = resource;
    intent.step = "DeleteVersion";
    intent.document = "ImageVersion/images/ubuntu-1.0.0";
    intent.revision = "sha256:abc";
    intent.rule = "standard/olderThan";
    intent.reason = "older than 365d";
    intent.plan_id = "sha256:plan";
    intent.detail = "it's \"quoted\"\nand über\x01";
    intent.asked_by = "daemon";
    intent.destructive = true;
    intent.at = at;
    return intent;
}

inline OperationRecord operation(std::int64_t intent, const std::string& resource = version_text) {
    OperationRecord record;
    record.intent = intent;
    record.resource = resource;
    record.step = "DeleteVersion";
    record.scope = "images/golden/ubuntu";
    record.operation = OperationRef{"https://management.azure.com/op?x=%2F&y=1", "https://management.azure.com/final"};
    record.started = start;
    return record;
}

inline ResourceRecord resource() {
    ResourceRecord record;
    record.written_by_us = true;
    record.document = "ImageVersion/images/ubuntu-1.0.0";
    record.last_applied_digest = "d1";
    record.last_failure_at = start;
    record.failures = 3;
    record.last_failure = "AzureError: internal";
    record.region_retries = {{"eastus2", 2}};
    record.region_retry_after = {{"eastus2", start + std::chrono::hours(1)}};
    record.region_readds = {{"eastus2", 1}};
    record.tombstone = true;
    record.gone_at = *parse_rfc3339("2026-02-26T10:00:00Z");
    record.written_at = *parse_rfc3339("2026-02-27T10:00:00Z");
    record.deleted_at = *parse_rfc3339("9999-12-31T23:59:59Z");
    return record;
}

inline bool same(const ResourceRecord& a, const ResourceRecord& b) {
    return a.written_by_us == b.written_by_us && a.document == b.document &&
           a.last_applied_digest == b.last_applied_digest && a.last_failure_at == b.last_failure_at &&
           a.failures == b.failures && a.last_failure == b.last_failure && a.region_retries == b.region_retries &&
           a.region_retry_after == b.region_retry_after && a.region_readds == b.region_readds &&
           a.removal_failed_at == b.removal_failed_at && a.tombstone == b.tombstone && a.deleted_at == b.deleted_at &&
           a.written_at == b.written_at;
}

inline GoodDocument document(const std::string& name) {
    GoodDocument d;
    d.key = ObjectKey{Kind::image_version, "images", name};
    d.file = "versions.yaml";
    d.digest = "digest-" + name;
    d.content = R"({"kind":"ImageVersion"})";
    d.azure_id = version_text;
    d.deletion_policy = "Delete";
    d.mode = "Manage";
    d.hold = "audit 2026";
    d.first_missing = start;
    d.snapshots_missing = 2;
    return d;
}

inline EventRecord event(const std::string& message, TimePoint at) {
    EventRecord e;
    e.at = at;
    e.reason = "RegionReplicated";
    e.object = "images/golden/ubuntu/1.0.0";
    e.action = "update";
    e.message = message;
    e.correlation_id = "c-1";
    return e;
}

inline std::unique_ptr<Journal> open(const std::string& directory, OpenReport* report = nullptr) {
    JournalOptions options;
    options.directory = directory;
    options.now = start;
    options.report = report;
    auto journal = open_journal(options);
    return journal ? std::move(*journal) : nullptr;
}

}  // namespace galleryd::journal::samples
