#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

// What to ask next about a long operation that runs in Azure, and when. Pure; times are monotonic. The follower
// (operation_follower.h) does the asking. Reasons and numbers: controller/decisions/0029.
//
// Few operations are followed at their own addresses, as Azure's Retry-After or our own schedule says. Many versions at
// once are watched together: every 30 s one question to Resource Graph shows all that are being changed, and what has
// left that list is read once. Its index lags (95 % within 30 s, no upper bound: performance §1.3), so its silence
// never ends an operation; a lag only makes single questions earlier:
//  - an operation that the index has not shown a minute after it began is asked about at its own address, each minute;
//  - so are all of them once the index shows one that ended more than a minute before, until it no longer does;
//  - so is always the oldest one, each 30 s: the first to tell that the index stands still;
//  - one that has run for as long as others took is asked about, as long as few such guesses turn out wrong. While
//    nobody knows how long that is, it may be next to nothing (an Azure in a box that runs faster).
namespace galleryd {

inline constexpr std::size_t bulk_min = 11;  // so many long operations at once are watched together
inline constexpr std::chrono::seconds index_interval{30};
inline constexpr std::chrono::seconds single_interval{60};  // between two questions about one operation while in bulk
inline constexpr std::chrono::minutes overdue_interval{5};  // between two questions about one past its deadline
// Azure does not know the operation: so many strong reads, so far apart, must find the resource at rest. When they do
// not find it at all, `absence_reads_min` must agree (absence.h).
inline constexpr int rest_reads_min = 3;
inline constexpr std::chrono::seconds agreement_interval{15};

struct OperationTraits {
    bool is_long = false;  // of an image version: minutes to hours. The others end within a minute (azure-facts §4)
    bool is_creation = false;
    // From then on it is reported as overdue and asked about each `overdue_interval`: a replication is never declared
    // failed by a time-out of ours, and one that hangs for days is not worth thousands of requests. Versions 6 h ("wait
    // up to six", azure-facts §4), their deletion 1 h, everything else 30 min.
    std::chrono::seconds deadline{0};
};
OperationTraits operation_traits(std::string_view step);  // "CreateVersion"

// What is known of one operation.
struct FollowedOperation {
    OperationTraits traits;
    std::chrono::nanoseconds started{0};   // negative when it began before this process did
    std::chrono::nanoseconds followed{0};  // since when this process asks
    bool has_address = true;               // Azure named one and has not said that it does not know it
    bool wants_verdict = false;            // the resource is at rest in a way that only the operation explains
    int polls = 0;
    std::optional<std::chrono::nanoseconds> asked;  // last question about it alone
    std::chrono::nanoseconds not_before{0};         // Azure's wish, or a bad road
    std::optional<std::chrono::nanoseconds> shown;  // begin of the last question to the index that showed it
    int agreeing = 0;  // reads in a row that found the resource at rest, or missing, without a word of the operation
    bool was_missing = false;  // what they agree on
};

// What is known of all of them.
struct OperationWatch {
    bool in_bulk = false;
    std::optional<std::chrono::nanoseconds> index_asked;  // begin of the last question that was answered
    std::chrono::nanoseconds index_due{0};                // of the next one
    bool index_is_behind = false;
    std::optional<std::chrono::nanoseconds> usual_length;  // of such an operation here, lately
    bool may_guess = false;
    bool is_oldest = false;
};

enum class QuestionTo : std::uint8_t { operation, resource, index };
struct NextQuestion {
    QuestionTo to = QuestionTo::operation;
    std::chrono::nanoseconds at{0};
    bool is_guess = false;  // nothing but the usual length suggests that it has ended
};
NextQuestion next_question(const FollowedOperation& operation, const OperationWatch& watch);

// Our own schedule where Azure gives no hint: 0.5 s doubling to 30 s.
std::chrono::milliseconds poll_pause(int polls);

}  // namespace galleryd
