#include "reconcilers/lifecycle/usage_book.h"

#include <algorithm>

namespace galleryd {
namespace {

constexpr std::size_t remembered_versions_max = 20'000;

TimePoint day_of(TimePoint time) { return std::chrono::floor<std::chrono::days>(time); }
std::string day_text(TimePoint time) { return format_rfc3339(time).substr(0, 10); }
std::string clock_text(TimePoint time) { return format_rfc3339(std::chrono::floor<std::chrono::seconds>(time)); }

std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : "; ") + part;
    return text;
}

std::string each_once(const std::vector<std::string>& parts) {
    std::vector<std::string> different;
    for (const std::string& part : parts) {
        if (!part.empty() && std::ranges::find(different, part) == different.end()) different.push_back(part);
    }
    return joined(different);
}

// Definitions and galleries that an answer covers no more are not forgotten: absence there says nothing.
std::string gallery_key_of(std::string_view version_key) {
    const std::size_t at = version_key.find("/images/");
    return std::string(version_key.substr(0, at));
}

}  // namespace

void UsageBook::note(UsageAnswer answer, Instant began, Instant arrived) {
    for (const std::string& subscription : answer.readable) {
        TimePoint& day = readable_[subscription];
        changed_ = changed_ || day != day_of(began.wall);
        day = day_of(began.wall);
    }
    answer_ = std::move(answer);
    answered_ = began;
    arrived_ = arrived;
    failure_.reset();
    // A look between that shows a user starts the wait anew, also of a version that nobody plans for just then. Those
    // who take `latest` are counted when it is planned.
    const auto missing_now = missing();
    const std::size_t ended = std::erase_if(unused_, [&](const auto& entry) {
        const ResourceId version(entry.first);
        if (answer_->find_gallery(ResourceId(gallery_key_of(entry.first))) == nullptr) return false;
        const VersionUsers found =
            find_users(*answer_, {.version = version, .versions = nullptr, .missing = missing_now});
        return !found.users.empty() || !found.doubts.empty();
    });
    changed_ = changed_ || ended > 0;
}

void UsageBook::end_wait(const std::string& version_key) { changed_ = unused_.erase(version_key) > 0 || changed_; }

void UsageBook::end_waits_in(const ResourceId& gallery) {
    const std::string below = gallery.key() + "/images/";
    for (auto entry = unused_.lower_bound(below); entry != unused_.end() && entry->first.starts_with(below);) {
        entry = unused_.erase(entry);
        changed_ = true;
    }
}

void UsageBook::follow(const ResourceId& definition, const std::set<std::string>& wanted,
                       const std::vector<ObservedVersion>& versions, Instant now) {
    const std::string below = definition.key() + "/versions/";
    for (auto entry = unused_.lower_bound(below); entry != unused_.end() && entry->first.starts_with(below);) {
        const bool stays = std::ranges::any_of(
            versions, [&](const ObservedVersion& version) { return version.id.key() == entry->first; });
        changed_ = changed_ || !stays;
        entry = stays ? std::next(entry) : unused_.erase(entry);
    }
    const auto gallery = definition.parent();
    if (failure_ || !gallery || !is_fresh(*gallery, UsageFor::plan, now)) return;
    const auto missing_now = missing();
    for (const ObservedVersion& version : versions) {
        const std::string& key = version.id.key();
        if (!wanted.contains(key) || unused_.contains(key) || unused_.size() >= remembered_versions_max) continue;
        const VersionUsers found =
            find_users(*answer_, {.version = version.id, .versions = &versions, .missing = missing_now});
        if (!found.users.empty() || !found.doubts.empty()) continue;
        unused_.emplace(key, Unused{answered_});
        changed_ = true;
    }
}

void UsageBook::expect_users_of(const ResourceId& gallery, const UsageBook& before) {
    if (!before.answer_) return;
    for (const ImageUser& user : before.answer_->users) {
        if (gallery_key_of(user.definition.key()) != gallery.key()) continue;
        const bool is_new =
            readable_.try_emplace(fold_case(user.id.subscription()), day_of(before.answered_.wall)).second;
        changed_ = changed_ || is_new;
    }
}

void UsageBook::note_failure(const Error& error, Instant now) {
    failure_ = error;
    failed_ = now;
}

bool UsageBook::is_fresh(const ResourceId& gallery, UsageFor what, Instant now) const {
    if (!answer_ || answer_->find_gallery(gallery) == nullptr) return false;
    const auto by_cost = usage_age_per_request * static_cast<long>(std::min<std::size_t>(answer_->requests, 1000));
    const std::chrono::nanoseconds took = arrived_.monotonic - answered_.monotonic;
    const std::chrono::nanoseconds limit =
        what == UsageFor::request ? std::clamp<std::chrono::nanoseconds>(2 * took, usage_guard_age_max, usage_age_limit)
                                  : std::clamp<std::chrono::nanoseconds>(by_cost, usage_age_max, usage_age_limit);
    return now.monotonic - answered_.monotonic <= limit;
}

bool UsageBook::has_just_failed(Instant now) const {
    if (!failure_) return false;
    const std::chrono::nanoseconds pause =
        std::max(usage_retry_after, failure_->retry_after.value_or(usage_retry_after));
    return now.monotonic - failed_.monotonic < pause;
}

std::map<std::string, std::string> UsageBook::missing() const {
    std::map<std::string, std::string> gone;
    if (!answer_) return gone;
    for (const auto& [subscription, day] : readable_) {
        if (!std::ranges::binary_search(answer_->readable, subscription)) gone.emplace(subscription, day_text(day));
    }
    return gone;
}

void UsageBook::count(VersionUsage& usage, const std::vector<ImageUser>& users) const {
    for (const UserKind kind : {UserKind::virtual_machine, UserKind::scale_set_model, UserKind::scale_set_instance,
                                UserKind::image_version, UserKind::image_template}) {
        const auto n = std::ranges::count(users, kind, &ImageUser::kind);
        if (n > 0) usage.evidence[std::string(kind_key(kind))] = std::to_string(n);
    }
    if (!answer_) return;
    const std::size_t readable = answer_->readable.size();
    usage.evidence["subscriptions_readable"] = std::to_string(readable);
    usage.evidence["subscriptions_total"] = std::to_string(readable + missing().size());
}

VersionUsage UsageBook::unknown(std::string detail, std::string way_out) const {
    VersionUsage usage{
        .state = UsageState::unknown, .detail = std::move(detail), .way_out = std::move(way_out), .evidence = {}};
    count(usage, {});
    return usage;
}

VersionUsage UsageBook::usage_of(const ResourceId& version, const std::vector<ObservedVersion>* versions, Instant now,
                                 UsageView view) {
    const auto definition = version.parent();
    const auto gallery = definition ? definition->parent() : std::nullopt;
    if (!gallery) return unknown("its id is not that of an image version");
    if (failure_) {
        return unknown("Resource Graph could not be asked who uses it: " + failure_->message,
                       (failure_->code.empty() ? "" : "galleryd explain " + failure_->code + "; ") +
                           std::string("it is asked again by itself"));
    }
    if (!is_fresh(*gallery, UsageFor::plan, now)) {
        return unknown(answer_ ? "the last answer is from " + clock_text(answered_.wall)
                               : std::string("nobody has asked yet who uses it"),
                       "none needed: it is asked before anything is decided");
    }
    const VersionUsers found = find_users(*answer_, {.version = version, .versions = versions, .missing = missing()});
    const std::size_t readable = answer_->readable.size();
    const std::string seen_in = std::to_string(readable) +
                                (readable == 1 ? " subscription that can be read" : " subscriptions that can be read");
    if (!found.users.empty()) {
        if (view == UsageView::reads) end_wait(version.key());
        VersionUsage usage{.state = UsageState::in_use,
                           .detail = users_text(found.users) + "; seen in " + seen_in,
                           .way_out = {},
                           .evidence = {}};
        count(usage, found.users);
        return usage;
    }
    if (!found.doubts.empty()) {
        if (view == UsageView::reads) end_wait(version.key());
        return unknown(joined(found.doubts), each_once(found.way_out));
    }
    const auto waiting = unused_.find(version.key());
    const Unused unused = waiting == unused_.end() ? Unused{answered_} : waiting->second;
    if (answered_.monotonic - unused.since.monotonic < usage_settle) {
        VersionUsage usage =
            unknown("nobody uses it in " + seen_in + " since " + clock_text(unused.since.wall) +
                        "; a second look, from " + clock_text(unused.since.wall + usage_settle) + " on, decides",
                    "none needed: time does it");
        usage.settles_at = unused.since.wall + usage_settle;
        return usage;
    }
    VersionUsage usage{.state = UsageState::not_in_use,
                       .detail = "nobody uses it in " + seen_in + ", at " + clock_text(unused.since.wall) + " and at " +
                                 clock_text(answered_.wall),
                       .way_out = {},
                       .evidence = {}};
    count(usage, {});
    return usage;
}

std::map<std::string, VersionUsage> UsageBook::usage_of_all(const std::vector<ObservedVersion>& versions, Instant now,
                                                            UsageView view) {
    std::map<std::string, VersionUsage> all;
    for (const ObservedVersion& version : versions)
        all.emplace(version.id.key(), usage_of(version.id, &versions, now, view));
    return all;
}

std::string UsageBook::save() const {
    std::string text;
    for (const auto& [subscription, day] : readable_)
        text += "subscription " + subscription + " " + day_text(day) + "\n";
    for (const auto& [version, unused] : unused_)
        text += "unused " + clock_text(unused.since.wall) + " " + version + "\n";
    return text;
}

void UsageBook::load(std::string_view text, Instant now) {
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        const std::size_t first = line.find(' ');
        const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
        if (second == std::string_view::npos) continue;
        const std::string_view word = line.substr(0, first), middle = line.substr(first + 1, second - first - 1);
        const std::string rest(line.substr(second + 1));
        if (word == "subscription") {
            if (const auto day = parse_rfc3339(rest + "T00:00:00Z")) readable_[std::string(middle)] = *day;
        } else if (word == "unused") {
            const auto since = parse_rfc3339(middle);
            if (!since || *since > now.wall) continue;
            const auto age = std::chrono::duration_cast<std::chrono::nanoseconds>(now.wall - *since);
            if (unused_.size() < remembered_versions_max)
                unused_[rest] = Unused{{.wall = *since, .monotonic = now.monotonic - age}};
        }
    }
}

}  // namespace galleryd
