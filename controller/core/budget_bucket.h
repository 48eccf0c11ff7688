#pragma once
#include <chrono>
#include <cstdint>
#include <optional>

// One limit of Azure as we believe it to stand: what has been granted here, corrected by every answer that names what
// remains. Times are monotonic; serial numbers count the requests that this process sent through the bucket, so that
// an answer is only taken for the moment at which its own request was counted.
namespace galleryd {

using BudgetTime = std::chrono::nanoseconds;  // monotonic

// What a request is for decides how much of a bucket it may use. With share s (--arm-share):
//   steady  looks that nobody asked for: s/2 (a quarter at the default of 0.5)
//   burst   everything that a change or a waiting person needs: s (a half at the default), the looks included, so that
//           looks give way to changes and never the other way round
// of a token bucket's capacity and rate, and of what a window still held when we first saw it. The rest is for others;
// where they are about to use more than the rest, our part shrinks by as much. One request in each window is always
// ours while anything is left.
enum class BudgetUse : std::uint8_t { steady, burst };
double part_of(double share, BudgetUse use);

// `limit` requests in each fixed window, shared with strangers. Where the window stands is not told, only guessed:
// it began at the latest with the first answer that we saw in it. At the guessed end one request goes ahead as a probe;
// its answer says whether the counter was really set back. Requests overtake each other on their way, so the lowest
// count is believed, and what has no answer yet is taken as not counted in it. All guesses err towards later and less.
class WindowBudget {
  public:
    WindowBudget(std::int64_t limit, BudgetTime length) : limit_(limit), length_(length) {}

    // When the next request may go, given our share of what others leave; <= now: at once.
    BudgetTime free_at(BudgetTime now, double share, BudgetUse use) const;
    std::uint64_t note_sent(BudgetTime now, BudgetUse use);  // the request's serial number
    // Exactly one of the following for each request.
    // Answered with `left` remaining; `resets_in` where the answer tells (Resource Graph).
    void note_left(BudgetTime now, std::uint64_t serial, std::int64_t left,
                   std::optional<BudgetTime> resets_in = std::nullopt);
    void note_silent(BudgetTime now, std::uint64_t serial);  // over, without a word about what remains
    void note_unspent(std::uint64_t serial);                 // refused by another budget: not counted here
    void note_refused(BudgetTime now, std::uint64_t serial, BudgetTime wait);  // full until then
    std::int64_t left(BudgetTime now) const;  // an estimate for people; the limit once the window is over
    std::int64_t limit() const { return limit_; }

  private:
    double our_part(double share) const;
    void begin(BudgetTime now, BudgetTime ends, std::int64_t ours, std::int64_t others);
    void see(BudgetTime now, std::int64_t left);
    bool is_set_back(std::uint64_t serial, bool is_probe, std::int64_t left) const;

    std::int64_t limit_;
    BudgetTime length_;
    std::optional<BudgetTime> ends_;   // of the window that is believed to be open
    BudgetTime began_{0}, seen_{0};    // when we saw it first and last
    std::int64_t ours_ = 0;            // used in it by us, what is on its way included
    std::int64_t steady_ = 0;          // of these, looks
    std::int64_t others_ = 0;          // used in it by others, as far as is certain
    std::int64_t others_found_ = 0;    // of these, before we first saw it
    std::optional<std::int64_t> low_;  // the lowest count that an answer of this window named
    double pace_ = 0;                  // of others, requests per second; kept from window to window
    std::int64_t unanswered_ = 0;      // which of these `low_` counts is not known
    std::uint64_t sent_ = 0;           // serial number of the last request
    std::uint64_t learned_ = 0;        // of the newest request that an answer was taken from
    std::uint64_t probe_ = 0;          // asks whether the window is over; 0: none is on its way
    BudgetTime probe_sent_{0};
    BudgetTime patience_{0};  // until the next probe, doubled from time to time
    bool settled_ = false;    // an answer of this window has come
    bool reported_ = false;   // this limit is named by answers at all
};

// Tokens that drip in at a steady rate (ARM). We keep to `part` of capacity and rate, whatever is in the bucket, and
// leave the last tokens to others: (1 - share) of a tenth of the capacity.
class TokenBudget {
  public:
    TokenBudget(double capacity, double refill_per_second, double share);

    BudgetTime free_at(BudgetTime now, BudgetUse use) const;
    std::uint64_t note_sent(BudgetTime now, BudgetUse use);
    void note_left(BudgetTime now, std::uint64_t serial, std::int64_t left);
    void note_silent();
    double left(BudgetTime now) const;
    double capacity() const { return all_.capacity; }

  private:
    struct Tokens {
        double capacity = 0, refill = 0;  // per second
        double tokens = 0;
        BudgetTime at{0};
        double at_time(BudgetTime now) const;
        BudgetTime reaches(BudgetTime now, double wanted) const;
        void take(BudgetTime now, double amount);
    };
    static Tokens full(double capacity, double refill);
    void resize(double capacity, double refill);

    double share_;
    Tokens all_, burst_, steady_;  // Azure's bucket, and what we allow ourselves of it
    std::uint64_t sent_ = 0, learned_ = 0;
    std::int64_t unanswered_ = 0;
};

}  // namespace galleryd
