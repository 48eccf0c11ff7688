#include "reconcilers/lifecycle/resource_memory.h"

#include "controller/core/resource_id.h"
#include "reconcilers/lifecycle/absence.h"

namespace galleryd {
namespace {

constexpr std::chrono::minutes effect_shows{5};  // an effect that is gone later was undone by somebody

}  // namespace

Status ResourceMemory::load(Owner whose) {
    auto records = journal_.resource_records();
    if (!records) return std::unexpected(records.error());
    records_ = std::move(*records);
    auto operations = journal_.operations();
    if (!operations) return std::unexpected(operations.error());
    for (const OperationRecord& operation : *operations)
        records_[fold_case(operation.resource)].operation_in_flight = true;
    const auto open = journal_.open_intents();
    if (!open) return std::unexpected(open.error());
    for (const AuditRecord& audit : *open) {
        const std::string key = fold_case(audit.intent.resource);
        ResourceRecord record = get(key);
        if (!audit.intent.document.empty()) {
            record.written_by_us = true;
            record.document = audit.intent.document;
        }
        // The DELETE may have arrived: a version that retention removed must not be made again. If it did not arrive,
        // the version is still there and the tombstone says nothing.
        if (audit.intent.step.starts_with("Delete")) {
            record.deleted_at = audit.intent.at;
            if (audit.intent.reason == "retention") record.tombstone = true;
        }
        if (whose == Owner::another || !journal_.writable()) {  // or a full disk: known here, told by its owner
            records_[key] = record;
            continue;
        }
        if (const Status stored = put(key, record); !stored) return stored;
        const Status closed = journal_.finish_intent(audit.id, "unknown: the process ended before the answer", "",
                                                     audit.intent.at, std::nullopt);
        if (!closed) return closed;
    }
    return {};
}

Status ResourceMemory::forget_long_gone(TimePoint now) {
    constexpr std::chrono::days kept_for{8};
    std::vector<std::string> gone;
    for (const auto& [key, record] : records_) {
        if (record.deleted_at && !record.tombstone && !record.operation_in_flight &&
            now - *record.deleted_at > kept_for)
            gone.push_back(key);
    }
    for (const std::string& key : gone) {
        if (const Status forgotten = forget(key); !forgotten) return forgotten;
    }
    return {};
}

ResourceRecord ResourceMemory::get(const std::string& resource_key) const {
    const auto found = records_.find(resource_key);
    return found == records_.end() ? ResourceRecord{} : found->second;
}

Status ResourceMemory::put(const std::string& resource_key, const ResourceRecord& record) {
    if (const Status stored = journal_.put_resource_record(resource_key, record); !stored) return stored;
    records_[resource_key] = record;
    return {};
}

void ResourceMemory::begin_operation(const std::string& resource_key, const std::string& reason,
                                     const std::string& write) {
    records_[resource_key].operation_in_flight = true;
    running_[resource_key] = {reason, write};
    succeeded_.erase(resource_key);
}

std::string ResourceMemory::operation_reason(const std::string& resource_key) const {
    const auto found = running_.find(resource_key);
    return found == running_.end() ? "" : found->second.reason;
}

void ResourceMemory::end_operation(const std::string& resource_key,
                                   std::optional<std::chrono::nanoseconds> succeeded_at) {
    if (succeeded_at) {
        std::erase_if(succeeded_, [&](const auto& entry) { return *succeeded_at - entry.second.at > effect_shows; });
        const auto ended = running_.find(resource_key);
        if (ended != running_.end() && !ended->second.write.empty())
            succeeded_[resource_key] = {ended->second.write, *succeeded_at};
    }
    running_.erase(resource_key);
    if (const auto found = records_.find(resource_key); found != records_.end())
        found->second.operation_in_flight = false;
}

bool ResourceMemory::take_without_effect(const std::string& resource_key, const std::string& write,
                                         std::chrono::nanoseconds now) {
    const auto found = succeeded_.find(resource_key);
    if (found == succeeded_.end() || write.empty() || found->second.write != write ||
        now - found->second.at > effect_shows)
        return false;
    succeeded_.erase(found);
    return true;
}

void ResourceMemory::note_written(const std::string& resource_key, std::chrono::nanoseconds now) {
    std::erase_if(written_, [now](const auto& entry) { return now - entry.second >= own_write_settles; });
    written_[resource_key] = now;
}

std::optional<std::chrono::nanoseconds> ResourceMemory::written_lately(const std::string& resource_key,
                                                                       std::chrono::nanoseconds now) const {
    const auto found = written_.find(resource_key);
    if (found == written_.end() || now - found->second >= own_write_settles) return std::nullopt;
    return found->second;
}

Status ResourceMemory::forget(const std::string& resource_key) {
    if (const Status forgotten = journal_.forget_resource(resource_key); !forgotten) return forgotten;
    records_.erase(resource_key);
    return {};
}

std::map<std::string, ResourceRecord> ResourceMemory::below(const std::string& resource_key) const {
    std::map<std::string, ResourceRecord> found;
    for (auto at = records_.lower_bound(resource_key); at != records_.end() && at->first.starts_with(resource_key);
         ++at) {
        if (at->first.size() == resource_key.size() || at->first[resource_key.size()] == '/') found.insert(*at);
    }
    return found;
}

}  // namespace galleryd
