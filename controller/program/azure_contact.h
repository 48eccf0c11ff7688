#pragma once
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "controller/adapters/http/transport.h"
#include "controller/ports/clock.h"
#include "controller/ports/log.h"

namespace galleryd {

// Whether Azure answers at all, seen at the wire: every request to it says so, whoever sent it. Away: three requests in
// a row for two things or more had no answer (no connection, no answer in time, or a gateway's 502, 503, 504) and two
// seconds passed meanwhile; or, where the network said so, for one thing alone (all that a daemon at
// rest asks for) and ten seconds. Told once when
// it begins and once when it ends (on_change), and logged in between after five minutes, then ever less often, with the
// number of requests. One of anything else, however it refuses, ends it.
class AzureContact {
  public:
    AzureContact(Clock& clock, Log& log) : clock_(clock), log_(log) {}

    void note_answer();
    // `is_network`: no connection, or one that broke; no thing of its own hangs then.
    void note_silence(const std::string& target, const std::string& why, bool is_network = false);

    bool is_away() const { return away_; }
    // "" or one line: "Azure does not answer since 2026-11-21T18:00:00Z (41 requests): cannot connect to …". Does not
    // change within a minute but for the number.
    std::string trouble() const;
    // `text` is a whole sentence for an event or a terminal.
    std::function<void(bool is_away, const std::string& text)> on_change = {};

  private:
    std::string since_text() const;

    Clock& clock_;
    Log& log_;
    bool away_ = false, is_network_ = false;
    std::size_t misses_ = 0;
    std::set<std::string> targets_;  // at most two
    std::string why_;
    TimePoint since_{};
    std::chrono::nanoseconds began_{0}, tell_at_{0}, pause_{0};  // monotonic
};

// The same exchanges, with their outcome told to `contact`: those with ARM and with the sign-in service (an identity
// endpoint that is not there is no news).
class WatchedTransport : public http::Transport {
  public:
    WatchedTransport(std::unique_ptr<http::Transport> transport, AzureContact& contact)
        : transport_(std::move(transport)), contact_(contact) {}
    void watch(const http::Origin& origin) { watched_.insert(http::to_string(origin)); }
    Task<http::Response> send(http::Origin origin, http::Request request, http::CallLimits limits) override;

  private:
    std::unique_ptr<http::Transport> transport_;
    AzureContact& contact_;
    std::set<std::string> watched_;
};

}  // namespace galleryd
