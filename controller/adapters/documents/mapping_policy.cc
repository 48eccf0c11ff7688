#include "controller/adapters/documents/mapping_parts.h"

namespace galleryd::documents {
namespace {

int minutes_of(const std::string& clock) {  // "HH:MM", checked by the schema
    return ((clock[0] - '0') * 10 + (clock[1] - '0')) * 60 + (clock[3] - '0') * 10 + (clock[4] - '0');
}

int weekday_of(const std::string& name) {
    static constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    return static_cast<int>(std::ranges::find(days, name) - days.begin());
}

}  // namespace

std::optional<DeletionWindow> Mapper::window(const json& retention) {
    const json* source = child_of(retention, "window");
    if (source == nullptr) return std::nullopt;
    DeletionWindow window;
    if (const json* days = child_of(*source, "days")) {
        for (const json& day : *days) window.days.push_back(weekday_of(day.get_ref<const std::string&>()));
        std::ranges::sort(window.days);
    }
    window.from_minute = minutes_of(text_of(*source, "from"));
    window.to_minute = minutes_of(text_of(*source, "to"));
    window.time_zone = text_of(*source, "timeZone");
    return window;
}

Retention Mapper::retention(const json& source) {
    const std::string pointer = "/spec/retention";
    Retention retention;
    retention.action = text_of(source, "action") == "Delete" ? RetentionAction::remove : RetentionAction::report;
    retention.keep_newest = number_of(source, "keepNewest", 1);
    retention.older_than = duration(source, "olderThan", pointer);
    retention.past_end_of_life = duration(source, "pastEndOfLife", pointer);
    retention.failed_after = duration(source, "failedAfter", pointer);
    if (const auto age = duration(source, "minimumAge", pointer)) retention.minimum_age = *age;
    retention.in_use = text_of(source, "inUse") == "Ignore" ? InUseRule::ignore : InUseRule::protect;
    if (const json* tags_source = child_of(source, "protectTags"))
        retention.protect_tags = tags(*tags_source, pointer + "/protectTags");
    if (const auto grace = duration(source, "grace", pointer)) retention.grace = *grace;
    retention.window = window(source);
    retention.deletes_per_pass_max = number_of(source, "maxDeletesPerPass", 10);
    retention.percent_per_pass_max = number_of(source, "maxPercentPerPass", 20);
    retention.approval_required = text_of(source, "approval") != "NotRequired";
    return retention;
}

void Mapper::check_tiers(const std::vector<Tier>& tiers) {
    for (std::size_t i = 1; i < tiers.size(); ++i) {
        const Tier& tier = tiers[i];
        const Tier& before = tiers[i - 1];
        if (!tier.newest || !before.newest || *tier.newest > *before.newest) continue;
        add("GD1052", "/spec/tiers/" + std::to_string(i) + "/newest",
            "the tier " + tier.name + " (newest " + std::to_string(*tier.newest) + ") never matches: " + before.name +
                " (newest " + std::to_string(*before.newest) + ") comes first",
            "Let newest grow from tier to tier.");
    }
}

LifecyclePolicy Mapper::policy() {
    LifecyclePolicy policy;
    policy.meta = meta_;
    policy.governs = text_of(spec_, "governs") == "All" ? Governs::all : Governs::declared;
    const std::string per = text_of(spec_, "per");
    policy.per = per == "Major" ? RankPer::major : per == "MajorMinor" ? RankPer::major_minor : RankPer::definition;
    if (const json* tiers = child_of(spec_, "tiers")) {
        for (std::size_t i = 0; i < tiers->size(); ++i) {
            const json& source = (*tiers)[i];
            const std::string pointer = "/spec/tiers/" + std::to_string(i) + "/targetRegions";
            policy.tiers.push_back({text_of(source, "name"), optional_number(source, "newest"),
                                    target_regions(source.at("targetRegions"), pointer, 1, "Standard_LRS")});
        }
        check_tiers(policy.tiers);
    }
    if (const json* deprecate = child_of(spec_, "deprecate")) {
        policy.deprecate_beyond_newest = optional_number(*deprecate, "beyondNewest");
        policy.deprecate_older_than = duration(*deprecate, "olderThan", "/spec/deprecate");
    }
    if (const json* end_of_life = child_of(spec_, "endOfLife"))
        policy.end_of_life_after = duration(*end_of_life, "after", "/spec/endOfLife");
    if (const json* source = child_of(spec_, "retention")) policy.retention = retention(*source);
    return policy;
}

}  // namespace galleryd::documents
