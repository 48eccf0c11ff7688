#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/simulation/world.h"

// What tests ask a world about.
namespace galleryd {
namespace {

// Times differ between runs that were killed and runs that were not.
void drop_times(nlohmann::json& value) {
    if (value.is_object()) {
        for (const char* key : {"publishedDate", "createdOn", "updatedOn", "softDeletedTime"}) value.erase(key);
        // A version that was never written lacks what one that was written and changed back says: they are equal.
        if (value.value("blockDeletionBeforeEndOfLife", true) == false) value.erase("blockDeletionBeforeEndOfLife");
        if (value.contains("tags") && value["tags"].is_object()) value["tags"].erase("galleryd-delete-after");
    }
    if (!value.is_structured()) return;
    for (auto& child : value) drop_times(child);
}

}  // namespace

std::size_t World::writes_to(const std::string& id) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        azure.history(), [&](const simulator::Mutation& m) { return fold_case(m.path) == fold_case(id); }));
}

std::set<std::string> World::blocked_reasons() const {
    std::set<std::string> reasons;
    for (const auto& [name, plan] : engine->plans()) {
        for (const Blocked& blocked : plan.blocked) {
            for (const BlockReason& reason : blocked.reasons) reasons.insert(reason.reason);
        }
    }
    return reasons;
}

std::set<std::string> World::conflict_reasons() const {
    std::set<std::string> reasons;
    for (const auto& [name, plan] : engine->plans()) {
        for (const Conflict& conflict : plan.conflicts) reasons.insert(conflict.reason);
    }
    return reasons;
}

std::string World::open_points() const {
    std::string text;
    for (const auto& [name, plan] : engine->plans()) {
        text += name + ":";
        for (const Change& change : plan.changes)
            text += " change " + change.address + " " + std::string(to_string(change.action)) + " " + change.why;
        for (const std::string& waiting : plan.waiting) text += " waiting " + waiting;
        for (const Conflict& conflict : plan.conflicts)
            text += " conflict " + conflict.address + " " + conflict.message;
        for (const Blocked& blocked : plan.blocked) {
            text += " blocked " + blocked.address;
            for (const BlockReason& reason : blocked.reasons)
                text += " [" + reason.reason + ": " + reason.message + "]";
        }
        text += "\n";
    }
    for (const simulator::Mutation& mutation : azure.history())
        text += mutation.method + " " + mutation.path + " " + std::to_string(mutation.status) + "\n";
    return text;
}

std::size_t World::deletes() const {
    std::size_t count = 0;
    for (const simulator::Mutation& mutation : azure.history()) count += mutation.method == "DELETE" ? 1 : 0;
    return count;
}

std::string World::fingerprint() const {
    nlohmann::json state = nlohmann::json::parse(azure.save_state());
    drop_times(state);
    return state.dump(1);
}

std::string World::leak() const {
    const auto shows = [](std::string_view text) { return text.contains(CanaryToken::canary); };
    for (const RecordingLog::Line& line : log.lines) {
        if (shows(line.message)) return "log: " + line.message;
        for (const auto& [key, value] : line.fields) {
            if (shows(value)) return "log: " + line.message + " " + key + "=" + value;
        }
    }
    const auto events = journal->events(0, 100'000);
    REQUIRE(events.has_value());
    for (const EventRecord& event : *events) {
        if (shows(event.message)) return "event: " + event.message;
    }
    const auto intents = journal->audit(100'000);
    REQUIRE(intents.has_value());
    for (const AuditRecord& record : *intents) {
        if (shows(record.outcome) || shows(record.intent.detail)) return "journal: " + record.outcome;
    }
    return "";
}

std::string first_difference(const std::string& wanted, const std::string& found) {
    std::istringstream left(wanted);
    std::istringstream right(found);
    std::string a, b, id;
    while (true) {
        const bool more_left = static_cast<bool>(std::getline(left, a));
        const bool more_right = static_cast<bool>(std::getline(right, b));
        if (!more_left && !more_right) return "";
        if (a != b || more_left != more_right)
            return "in " + id + ": wanted " + (more_left ? a : "the end") + ", found " + (more_right ? b : "the end");
        if (a.starts_with("   \"id\":")) id = a;
    }
}

}  // namespace galleryd
