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
constexpr int pace_steps = 20;  // a twentieth of a window is long enough to know a pace
constexpr double floor_part = 0.1;
constexpr double rounding = 1e-9;  // 0.3 * 10 is three

}  // namespace

namespace {
bool lets_through(double part, std::int64_t used) { return used < static_cast<std::int64_t>(part + rounding); }
}  // namespace

double part_of(double share, BudgetUse use) { return use == BudgetUse::steady ? share / 2 : share; }

// ---- fixed windows ----

// What of this window is for us. Others have the rest for themselves; when they are about to use more than that, at the
// pace of theirs that was seen last, ours shrinks by as much.
double WindowBudget::our_part(double share) const {
    const auto found = static_cast<double>(limit_ - others_found_);
    const double theirs =
        static_cast<double>(others_ - others_found_) + pace_ * std::chrono::duration<double>(*ends_ - seen_).count();
    return share * found - std::max(0.0, theirs - (1 - share) * found);
}

BudgetTime WindowBudget::free_at(BudgetTime now, double share, BudgetUse use) const {
    if (!ends_) return now;
    const BudgetTime after_an_answer = now + seconds{1};  // every answer is a reason to ask again at once
    if (now >= *ends_) {
        const bool probing = probe_ != 0 && now < probe_sent_ + probe_lost_after;
        return reported_ && probing ? after_an_answer : now;
    }
    if (left(now) <= 0) return *ends_;
    if (low_ && *low_ <= unanswered_) return after_an_answer;
    if (ours_ == 0) return now;  // nobody's pace keeps us from asking at all
    const double part = our_part(share);
    const bool lets_steady =
        use == BudgetUse::burst || steady_ == 0 || lets_through(part * part_of(share, use) / share, steady_);
    if (lets_steady && lets_through(part, ours_)) return now;
    const bool used_up = ours_ >= static_cast<std::int64_t>(share * static_cast<double>(limit_ - others_found_));
    return used_up || !lets_steady ? *ends_ : std::min(*ends_, now + length_ / pace_steps);
}

std::uint64_t WindowBudget::note_sent(BudgetTime now, BudgetUse use) {
    ++sent_;
    ++unanswered_;
    ++ours_;
    if (!ends_ || (now >= *ends_ && !reported_)) {
        begin(now, now + length_, unanswered_, 0);
        settled_ = false;
    } else if (now >= *ends_) {
        probe_ = sent_;
        probe_sent_ = now;
    }
    if (use == BudgetUse::steady) ++steady_;
    return sent_;
}

void WindowBudget::begin(BudgetTime now, BudgetTime ends, std::int64_t ours, std::int64_t others) {
    began_ = seen_ = now;
    ends_ = ends;
    ours_ = ours;
    steady_ = 0;
    others_ = others_found_ = std::max<std::int64_t>(others, 0);
    low_.reset();
    settled_ = true;
    patience_ = BudgetTime{0};
}

bool WindowBudget::is_set_back(std::uint64_t serial, bool is_probe, std::int64_t left) const {
    if (!settled_ || !low_ || serial < learned_) return false;
    // A probe that was alone on its way is itself one less than before.
    return left > *low_ + reordered_max || (is_probe && unanswered_ == 0 && left >= *low_);
}

void WindowBudget::note_left(BudgetTime now, std::uint64_t serial, std::int64_t left,
                             std::optional<BudgetTime> resets_in) {
    const bool is_probe = serial == probe_;
    if (is_probe) probe_ = 0;
    --unanswered_;
    reported_ = true;
    if (!ends_ || left < 0) return;
    limit_ = std::max(limit_, left + 1);
    if (is_set_back(serial, is_probe, left)) {
        begin(now, now + length_, 1 + unanswered_, limit_ - left - 1);
    } else if (!settled_) {
        const std::int64_t looks = steady_;
        begin(now, now + length_, ours_, limit_ - left - (ours_ - unanswered_));
        steady_ = looks;
    } else if (now >= *ends_) {  // the old window still runs: it began later than we thought
        patience_ = std::clamp<BudgetTime>(patience_ * 2, patience_min, patience_max);
        ends_ = now + patience_;
    }
    const bool is_news = serial > learned_ || !low_;
    see(now, is_news ? left : std::min(left, *low_));
    learned_ = std::max(learned_, serial);
    if (resets_in) ends_ = now + *resets_in;
}

void WindowBudget::see(BudgetTime now, std::int64_t left) {
    low_ = std::min(low_.value_or(left), left);
    const std::int64_t others = limit_ - *low_ - ours_;  // if all of ours are in that count
    others_ = std::max(others_, others);
    if (unanswered_ > 0) return;
    ours_ -= std::clamp<std::int64_t>(others_found_ - others, 0, ours_);  // refused elsewhere, and never counted here
    others_ = std::max(others, others_found_);
    seen_ = now;
    const BudgetTime watched = now - began_;
    if (watched >= length_ / pace_steps)
        pace_ = static_cast<double>(others_ - others_found_) / std::chrono::duration<double>(watched).count();
}

void WindowBudget::note_silent(BudgetTime now, std::uint64_t serial) {
    if (serial == probe_) probe_ = 0;
    --unanswered_;
    if (!ends_ || settled_) return;
    ends_ = now + length_;
    settled_ = true;
}

void WindowBudget::note_unspent(std::uint64_t serial) {
    if (serial == probe_) probe_ = 0;
    --unanswered_;
    ours_ = std::max<std::int64_t>(ours_ - 1, 0);
}

void WindowBudget::note_refused(BudgetTime now, std::uint64_t serial, BudgetTime wait) {
    if (serial == probe_) probe_ = 0;
    --unanswered_;
    learned_ = std::max(learned_, serial);
    reported_ = settled_ = true;
    patience_ = BudgetTime{0};
    low_ = 0;
    others_ = std::max<std::int64_t>(limit_ - ours_, 0);
    ends_ = now + wait;
}

std::int64_t WindowBudget::left(BudgetTime now) const {
    if (!ends_ || now >= *ends_) return limit_;
    return std::max<std::int64_t>(limit_ - others_ - ours_, 0);
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
    ++unanswered_;
    return ++sent_;
}

void TokenBudget::note_left(BudgetTime now, std::uint64_t serial, std::int64_t left) {
    --unanswered_;
    if (serial <= learned_ || left < 0) return;
    learned_ = serial;
    const auto reported = static_cast<double>(left);
    // More than the bucket can hold: the older model (Azure China, azure-facts §7.1) counts down from an hour's number.
    if (reported + 1 > all_.capacity * 1.5) {
        const double hourly = reported + 1;
        resize(hourly, hourly / 3600);
    }
    all_.tokens = std::clamp(reported - static_cast<double>(unanswered_), 0.0, all_.capacity);
    all_.at = now;
}

void TokenBudget::note_silent() { --unanswered_; }

double TokenBudget::left(BudgetTime now) const { return all_.at_time(now); }

}  // namespace galleryd
