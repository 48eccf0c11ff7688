#include "controller/core/budget_bucket.h"

#include <algorithm>
#include <cmath>

namespace galleryd {
namespace {

using std::chrono::seconds;

// How far answers may overtake each other before a higher count means that the window began anew.
constexpr std::int64_t reordered_max = 16;
constexpr BudgetTime patience_min = seconds{1}, patience_max = seconds{15};
// A probe without any answer for so long no longer keeps others from asking.
constexpr BudgetTime probe_lost_after = seconds{90};
constexpr double floor_part = 0.1;
constexpr double rounding = 1e-9;  // 0.3 * 10 is three

}  // namespace

double part_of(double share, BudgetUse use) { return use == BudgetUse::steady ? share / 2 : share; }

// ---- fixed windows ----

bool WindowBudget::lets_through(double part, std::int64_t used) const {
    const auto ours_max = static_cast<std::int64_t>(part * static_cast<double>(limit_ - others_) + rounding);
    return used < (others_ == 0 ? std::max<std::int64_t>(ours_max, 1) : ours_max);
}

BudgetTime WindowBudget::free_at(BudgetTime now, double share, BudgetUse use) const {
    if (!ends_) return now;
    if (now >= *ends_) {
        const bool probing = probe_ != 0 && now < probe_sent_ + probe_lost_after;
        return reported_ && probing ? now + seconds{1} : now;
    }
    const bool ours_left = lets_through(share, ours()) && ours() < limit_ - others_;
    const bool use_left = use == BudgetUse::burst || lets_through(part_of(share, use), steady_);
    return ours_left && use_left ? now : *ends_;
}

std::uint64_t WindowBudget::note_sent(BudgetTime now, BudgetUse use) {
    ++sent_;
    if (!ends_ || (now >= *ends_ && !reported_)) {
        begin(now + length_, sent_ - 1, 0);
        settled_ = false;
    } else if (now >= *ends_) {
        probe_ = sent_;
        probe_sent_ = now;
    }
    if (use == BudgetUse::steady) ++steady_;
    return sent_;
}

void WindowBudget::begin(BudgetTime ends, std::uint64_t base, std::int64_t others) {
    ends_ = ends;
    base_ = base;
    others_ = std::max<std::int64_t>(others, 0);
    steady_ = 0;
    settled_ = true;
    patience_ = BudgetTime{0};
}

void WindowBudget::note_left(BudgetTime now, std::uint64_t serial, std::int64_t left,
                             std::optional<BudgetTime> resets_in) {
    const bool is_probe = serial == probe_;
    if (is_probe) probe_ = 0;
    reported_ = true;
    if (serial <= learned_ || !ends_ || left < 0) return;
    learned_ = serial;
    limit_ = std::max(limit_, left + 1);
    if (serial <= base_) return;  // of the window before
    const auto ours_then = static_cast<std::int64_t>(serial - base_);
    const std::int64_t expected = limit_ - others_ - ours_then;
    const bool set_back = left > expected + (is_probe ? 0 : reordered_max);
    if (!settled_ || set_back) {
        const std::uint64_t base = set_back && settled_ ? serial - 1 : base_;
        const std::int64_t looks = set_back && settled_ ? 0 : steady_;
        begin(now + length_, base, limit_ - left - static_cast<std::int64_t>(serial - base));
        steady_ = looks;
    } else {
        others_ = std::max<std::int64_t>(limit_ - left - ours_then, 0);
        if (now >= *ends_) {  // the old window still runs: it began later than we thought
            patience_ = std::clamp<BudgetTime>(patience_ * 2, patience_min, patience_max);
            ends_ = now + patience_;
        }
    }
    if (resets_in) ends_ = now + *resets_in;
}

void WindowBudget::note_silent(BudgetTime now, std::uint64_t serial) {
    if (serial == probe_) probe_ = 0;
    if (!ends_ || settled_ || serial <= base_) return;
    ends_ = now + length_;
    settled_ = true;
}

void WindowBudget::note_refused(BudgetTime now, std::uint64_t serial, BudgetTime wait) {
    if (serial == probe_) probe_ = 0;
    if (serial <= base_) return;
    learned_ = std::max(learned_, serial);
    reported_ = settled_ = true;
    patience_ = BudgetTime{0};
    others_ = std::max<std::int64_t>(limit_ - ours(), 0);
    ends_ = now + wait;
}

std::int64_t WindowBudget::left(BudgetTime now) const {
    if (!ends_ || now >= *ends_) return limit_;
    return std::max<std::int64_t>(limit_ - others_ - ours(), 0);
}

// ---- token buckets ----

double TokenBudget::Tokens::at_time(BudgetTime now) const {
    const double passed = std::max(0.0, std::chrono::duration<double>(now - at).count());
    return std::min(capacity, tokens + passed * refill);
}

BudgetTime TokenBudget::Tokens::reaches(BudgetTime now, double wanted) const {
    const double missing = std::min(wanted, capacity) - at_time(now);
    if (missing <= 1e-9) return now;
    // Rounded up to a millisecond: never a hair too early, and never so near that waiting for it is busy work.
    return now + std::chrono::milliseconds(static_cast<std::int64_t>(std::ceil(missing / refill * 1000)));
}

void TokenBudget::Tokens::take(BudgetTime now, double amount) {
    tokens = std::max(0.0, at_time(now) - amount);
    at = now;
}

TokenBudget::Tokens TokenBudget::full(double capacity, double refill) {
    return {.capacity = std::max(capacity, 1.0), .refill = refill, .tokens = std::max(capacity, 1.0), .at = {}};
}

TokenBudget::TokenBudget(double capacity, double refill_per_second, double share) : share_(share) {
    resize(capacity, refill_per_second);
}

void TokenBudget::resize(double capacity, double refill) {
    const auto part = [&](BudgetUse use) {
        return full(capacity * part_of(share_, use), refill * part_of(share_, use));
    };
    all_ = full(capacity, refill);
    burst_ = part(BudgetUse::burst);
    steady_ = part(BudgetUse::steady);
}

BudgetTime TokenBudget::free_at(BudgetTime now, BudgetUse use) const {
    const double kept = (1 - share_) * floor_part * all_.capacity;
    BudgetTime free = std::max(all_.reaches(now, 1 + kept), burst_.reaches(now, 1));
    if (use == BudgetUse::steady) free = std::max(free, steady_.reaches(now, 1));
    return free;
}

std::uint64_t TokenBudget::note_sent(BudgetTime now, BudgetUse use) {
    all_.take(now, 1);
    burst_.take(now, 1);
    if (use == BudgetUse::steady) steady_.take(now, 1);
    return ++sent_;
}

void TokenBudget::note_left(BudgetTime now, std::uint64_t serial, std::int64_t left) {
    if (serial <= learned_ || left < 0) return;
    learned_ = serial;
    const auto reported = static_cast<double>(left);
    // More than the bucket can hold: the older model (Azure China, azure-facts §7.1) counts down from an hour's number.
    if (reported + 1 > all_.capacity * 1.5) {
        const double hourly = reported + 1;
        resize(hourly, hourly / 3600);
    }
    all_.tokens = std::clamp(reported - static_cast<double>(sent_ - serial), 0.0, all_.capacity);
    all_.at = now;
}

double TokenBudget::left(BudgetTime now) const { return all_.at_time(now); }

}  // namespace galleryd
