#include "controller/simulator/graph_log.h"

#include <algorithm>
#include <cmath>

#include "controller/simulator/world.h"

namespace galleryd::simulator {
namespace {

constexpr std::chrono::days retention{14};  // azure-facts §8 [D]
constexpr std::size_t bodies_max = 20'000;  // of resources before a change
constexpr std::size_t entries_max = 200'000;
constexpr std::size_t value_bytes_max = 2'000;  // a longer value is cut and flagged (the real limit is unverified)

// 0 for a lag of 0; else exponential with 95 % below `p95`.
Duration drawn_lag(std::chrono::seconds p95, double unit) {
    const double mean = static_cast<double>(p95.count()) / 3.0;  // -ln(0.05) is 2.996
    return Duration(static_cast<std::int64_t>(-std::log(1 - unit) * mean * 1e6));
}

void flatten(const Json& value, const std::string& path, std::map<std::string, std::string>& flat) {
    if (value.is_object()) {
        for (const auto& [name, entry] : value.items()) flatten(entry, path.empty() ? name : path + "." + name, flat);
    } else if (value.is_array()) {
        for (std::size_t i = 0; i < value.size(); ++i) flatten(value[i], path + "[" + std::to_string(i) + "]", flat);
    } else if (!value.is_null()) {
        flat[path] =
            value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, Json::error_handler_t::replace);
    }
}

Json row_of(const std::string* before, const std::string* after) {
    Json row = Json::object();
    bool cut = false;
    const auto shown = [&cut](const std::string& value) {
        if (value.size() <= value_bytes_max) return value;
        cut = true;
        return value.substr(0, value_bytes_max);
    };
    if (before != nullptr) row["previousValue"] = shown(*before);
    if (after != nullptr) row["newValue"] = shown(*after);
    row["changeCategory"] = "User";
    row["propertyChangeType"] = before == nullptr ? "Insert" : after == nullptr ? "Remove" : "Update";
    row["isTruncated"] = cut ? "true" : "false";
    return row;
}

}  // namespace

Json difference(const Json& before, const Json& after) {
    Json changes = Json::object();
    if (before.is_null() || after.is_null()) return changes;  // a creation or a removal lists no properties
    std::map<std::string, std::string> old_values;
    std::map<std::string, std::string> new_values;
    flatten(before, "", old_values);
    flatten(after, "", new_values);
    for (const auto& [path, value] : old_values) {
        const auto found = new_values.find(path);
        if (found == new_values.end()) changes[path] = row_of(&value, nullptr);
        else if (found->second != value) changes[path] = row_of(&value, &found->second);
    }
    for (const auto& [path, value] : new_values) {
        if (!old_values.contains(path)) changes[path] = row_of(nullptr, &value);
    }
    return changes;
}

ChangeLog::ChangeLog(const Options& options) : options_(options), seed_(options.seed) {}

const ChangeEntry* ChangeLog::numbered(std::uint64_t number) const {
    return number < first_ || number >= first_ + entries_.size() ? nullptr : &entries_[number - first_];
}

void ChangeLog::note(TimePoint now, ChangeKind kind, const std::string& key, const std::string& id,
                     const std::string& type, const Json& body, const std::string& principal) {
    ++generation_;
    if (paused_ || type == "resourcegroups" || type.starts_with("microsoft.authorization/")) return;
    const std::uint64_t number = first_ + entries_.size();
    const auto last = last_.find(key);
    const ChangeEntry* const previous = last == last_.end() ? nullptr : numbered(last->second);
    // Two steps of one request are one change: the first knows the state before it.
    if (previous != nullptr && previous->at == now && previous->kind != ChangeKind::remove &&
        kind == ChangeKind::update)
        return;
    SeededRandom random(seed_ ^ (number * 0x9e3779b97f4a7c15ULL));  // of its own: lags move no other chance
    ChangeEntry entry;
    entry.at = now;
    entry.kind = kind;
    entry.key = key;
    entry.id = id;
    entry.type = type;
    entry.principal = principal;
    entry.visible = now + drawn_lag(options_.graph_lag, random.unit());
    if (previous != nullptr) entry.visible = std::max(entry.visible, previous->visible);
    entry.recorded = entry.visible + Duration(static_cast<std::int64_t>(
                                         random.unit() * static_cast<double>(options_.graph_change_lag.count()) * 1e6));
    entry.guid = random.guid();
    entry.before_kept = true;
    if (!body.is_null()) entry.before = body.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (previous != nullptr) entries_[last->second - first_].next = number;
    last_[key] = number;
    entries_.push_back(std::move(entry));
    forget_old(now);
}

void ChangeLog::forget_old(TimePoint now) {
    while (entries_.size() - without_before_ > bodies_max) {
        ChangeEntry& oldest = entries_[without_before_++];
        // Its details can be told as long as the state after it is known, which a later change of it has kept.
        const ChangeEntry* const next = numbered(oldest.next);
        if (next != nullptr && oldest.kind == ChangeKind::update)
            oldest.details =
                difference(Json::parse(oldest.before, nullptr, false), Json::parse(next->before, nullptr, false))
                    .dump();
        oldest.before.clear();
        oldest.before_kept = false;
    }
    while (!entries_.empty() && (entries_.front().at < now - retention || entries_.size() > entries_max)) {
        const auto last = last_.find(entries_.front().key);
        if (last != last_.end() && last->second == first_) last_.erase(last);
        entries_.pop_front();
        ++first_;
        if (without_before_ > 0) --without_before_;
    }
}

std::map<std::string, const ChangeEntry*, std::less<>> ChangeLog::hidden(TimePoint then) const {
    std::map<std::string, const ChangeEntry*, std::less<>> first;
    for (const ChangeEntry& entry : entries_) {
        if (entry.visible > then && entry.before_kept) first.emplace(entry.key, &entry);
    }
    return first;
}

std::string ChangeLog::state_of_view(TimePoint then) const {
    std::size_t shown = 0;
    std::size_t records = 0;
    std::size_t expired = 0;
    for (const ChangeEntry& entry : entries_) {
        if (entry.at < then - retention) ++expired;
        if (entry.visible <= then) ++shown;
        if (entry.recorded <= then) ++records;
    }
    return std::to_string(generation_) + "/" + std::to_string(shown) + "/" + std::to_string(records) + "/" +
           std::to_string(expired);
}

Json ChangeLog::details_of(const ChangeEntry& entry, const Json& current) const {
    if (!entry.before_kept) return Json::parse(entry.details.empty() ? "{}" : entry.details, nullptr, false);
    if (entry.kind != ChangeKind::update) return Json::object();
    const Json before = Json::parse(entry.before, nullptr, false);
    const ChangeEntry* const next = numbered(entry.next);
    if (next != nullptr && next->before_kept) return difference(before, Json::parse(next->before, nullptr, false));
    return difference(before, current);
}

}  // namespace galleryd::simulator
