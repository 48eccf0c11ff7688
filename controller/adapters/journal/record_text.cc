#include "controller/adapters/journal/record_text.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "controller/core/json_depth.h"

namespace galleryd::journal {

namespace {

using nlohmann::json;

constexpr int json_depth_max = 8;  // a record has two
constexpr std::int64_t micros(TimePoint time) { return time.time_since_epoch().count(); }
// A number that is none of ours: a damaged text must not become another record.
struct NotOurs {};

std::int64_t whole(const json& value, std::int64_t least, std::int64_t most) {
    const bool fits = value.is_number_integer() &&
                      !(value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(most));
    const std::int64_t number = fits ? value.get<std::int64_t>() : 0;
    if (!fits || number < least || number > most) throw NotOurs{};
    return number;
}

TimePoint instant(const json& value) {  // of the years 0001 to 9999, so that it can be counted with and printed
    constexpr TimePoint first{std::chrono::sys_days{std::chrono::year{1} / 1 / 1}},
        behind{std::chrono::sys_days{std::chrono::year{10000} / 1 / 1}};
    return TimePoint(Duration(whole(value, micros(first), micros(behind) - 1)));
}

int count(const json& value) { return static_cast<int>(whole(value, 0, std::numeric_limits<int>::max())); }

std::map<std::string, int> counts(const json& object) {
    std::map<std::string, int> read;
    for (const auto& [name, value] : object.get_ref<const json::object_t&>()) read[name] = count(value);
    return read;
}

json optional_time(const std::optional<TimePoint>& time) { return time ? json(micros(*time)) : json(); }

std::optional<TimePoint> read_time(const json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) return std::nullopt;
    return instant(*found);
}

}  // namespace

std::string print_resource_record(const ResourceRecord& record) {
    json retry_after = json::object();
    for (const auto& [region, time] : record.region_retry_after) retry_after[region] = micros(time);
    const json text{{"writtenByUs", record.written_by_us},
                    {"document", record.document},
                    {"lastAppliedDigest", record.last_applied_digest},
                    {"appliedTags", record.applied_tags},
                    {"lastFailureAt", optional_time(record.last_failure_at)},
                    {"failures", record.failures},
                    {"lastFailure", record.last_failure},
                    {"regionRetries", record.region_retries},
                    {"regionRetryAfter", std::move(retry_after)},
                    {"regionReadds", record.region_readds},
                    {"removalFailedAt", optional_time(record.removal_failed_at)},
                    {"excludedByUs", record.excluded_by_us},
                    {"tombstone", record.tombstone},
                    {"deletedAt", optional_time(record.deleted_at)},
                    {"goneAt", optional_time(record.gone_at)},
                    {"writtenAt", optional_time(record.written_at)}};
    return text.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<ResourceRecord> parse_resource_record(const std::string& text) {
    if (is_json_deeper(text, json_depth_max)) return std::nullopt;
    try {
        const json object = json::parse(text);
        ResourceRecord record;
        record.written_by_us = object.at("writtenByUs").get<bool>();
        record.document = object.at("document").get<std::string>();
        record.last_applied_digest = object.at("lastAppliedDigest").get<std::string>();
        record.applied_tags = object.value("appliedTags", Tags{});  // younger than the first records
        record.last_failure_at = read_time(object, "lastFailureAt");
        record.failures = count(object.at("failures"));
        record.last_failure = object.at("lastFailure").get<std::string>();
        record.region_retries = counts(object.at("regionRetries"));
        for (const auto& [region, time] : object.at("regionRetryAfter").get_ref<const json::object_t&>())
            record.region_retry_after[region] = instant(time);
        record.region_readds = counts(object.at("regionReadds"));
        record.removal_failed_at = read_time(object, "removalFailedAt");
        record.excluded_by_us = object.value("excludedByUs", false);  // younger than the first records
        record.tombstone = object.at("tombstone").get<bool>();
        record.deleted_at = read_time(object, "deletedAt");
        record.gone_at = read_time(object, "goneAt");        // younger than the first records
        record.written_at = read_time(object, "writtenAt");  // younger than the first records
        return record;
    } catch (const json::exception&) {
        return std::nullopt;
    } catch (const NotOurs&) {
        return std::nullopt;
    }
}

}  // namespace galleryd::journal
