#pragma once
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "controller/core/policy.h"
#include "controller/core/result.h"
#include "controller/core/usage.h"

// Point 7 of the interlock: what is known of who uses which version, and whether that is enough to take it away
// (decision 0027). A version is "not in use" only when
//  - the last answer is younger than its limit and covers the gallery;
//  - it shows no user, and nothing casts doubt on "no user": a subscription that could be read before and cannot any
//    more, consumers that nobody here can see, instances that are not shown;
//  - an earlier answer, at least fifteen minutes older, showed no user either, and so did every answer since.
// An answer is as old as the moment before its first request. Ages pass by monotonic time (decision 0023). Pure; owned
// by the loop thread.
namespace galleryd {

inline constexpr std::chrono::minutes usage_age_max{5};  // for a plan; longer where an answer takes many requests
inline constexpr std::chrono::seconds usage_age_per_request{30};
inline constexpr std::chrono::minutes usage_age_limit{60};
inline constexpr std::chrono::seconds usage_guard_age_max{60};  // right before a request
inline constexpr std::chrono::minutes usage_settle{15};
inline constexpr std::chrono::seconds usage_retry_after{30};  // a failed look is not repeated by every scope at once

// Name of the journal's setting that keeps a book's memory.
inline constexpr const char* usage_setting = "usage";

struct Instant {
    TimePoint wall{};
    std::chrono::nanoseconds monotonic{0};
};

enum class UsageFor : std::uint8_t { plan, request };

// Where the versions that a question is asked with come from. Rows of Resource Graph say nothing of replication, so
// that they let anything be `latest`: a user whom only they show is told, and begins no wait anew.
enum class UsageView : std::uint8_t { reads, rows };

class UsageBook {
  public:
    // A look that arrived whole; `began`: before its first request.
    void note(UsageAnswer answer, Instant began, Instant arrived);
    void note_failure(const Error& error, Instant now);

    // The last answer covers the gallery and its look began a short enough time ago: for a plan five minutes, or half a
    // minute for each request that it took (the largest estates are asked once an hour); before a request one minute,
    // or twice as long as the look itself took, at most an hour.
    bool is_fresh(const ResourceId& gallery, UsageFor what, Instant now) const;
    // A look failed a moment ago: no use asking again yet.
    bool has_just_failed(Instant now) const;

    // Somebody saw a user that the answer does not show yet: the wait begins anew.
    void note_user(const ResourceId& version) { end_wait(version.key()); }

    // From now on somebody else looks at this gallery (another credential): its waits begin anew.
    void end_waits_in(const ResourceId& gallery);

    // After a plan from a whole view of the definition: `wanted` (keys) are the versions that it wants to take away.
    // Their waits begin with the last answer, if that shows nobody. A wait goes on while a plan waits for an operation,
    // and ends when the version is gone from the view, so that one made again under its name inherits none.
    void follow(const ResourceId& definition, const std::set<std::string>& wanted,
                const std::vector<ObservedVersion>& versions, Instant now);
    std::size_t waits() const { return unused_.size(); }
    // Something that save() prints has changed since load() or note_saved().
    // Where `before` saw users of the gallery: subscriptions that this one cannot read count as lost, not as empty.
    void expect_users_of(const ResourceId& gallery, const UsageBook& before);
    bool is_changed() const { return changed_; }
    void note_saved() { changed_ = false; }

    // `versions`: all of the definition, for what `latest` means; nullptr: what takes `latest` is not counted.
    // By reads, a user or a doubt that is found ends the version's wait.
    VersionUsage usage_of(const ResourceId& version, const std::vector<ObservedVersion>* versions, Instant now,
                          UsageView view = UsageView::reads);
    // Of a whole definition, by ResourceId::key().
    std::map<std::string, VersionUsage> usage_of_all(const std::vector<ObservedVersion>& versions, Instant now,
                                                     UsageView view = UsageView::reads);

    const std::optional<UsageAnswer>& answer() const { return answer_; }
    // Subscriptions that could be read once and not at the last look, with the day of the last time. No time ends that:
    // what is not readable may hold users for as long as it exists.
    std::map<std::string, std::string> missing() const;

    // What has to survive a restart, as lines of text: when each version was first seen unused, and which subscriptions
    // could be read. Lines that cannot be read are passed over: they would only have shortened a wait.
    std::string save() const;
    void load(std::string_view text, Instant now);

  private:
    void end_wait(const std::string& version_key);
    VersionUsage unknown(std::string detail, std::string way_out = {}) const;
    void count(VersionUsage& usage, const std::vector<ImageUser>& users) const;

    std::optional<UsageAnswer> answer_;
    Instant answered_, arrived_;
    std::optional<Error> failure_;
    Instant failed_;
    struct Unused {
        Instant since;  // began of the first look that showed no user
    };
    std::map<std::string, Unused> unused_;       // by version key; only what some plan wants to take away
    std::map<std::string, TimePoint> readable_;  // subscription -> day on which it last could be read
    bool changed_ = false;
};

}  // namespace galleryd
