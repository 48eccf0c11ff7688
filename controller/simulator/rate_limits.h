#pragma once
#include <map>
#include <optional>
#include <string>

#include "controller/core/budget_limits.h"
#include "controller/simulator/call.h"
#include "controller/simulator/world.h"

// Internal: who may ask how often (azure-facts §7). ARM: token buckets per subscription, principal and kind of request,
// and one for the whole subscription. Gallery provider: two nested fixed windows per policy, subscription and region,
// shared by everybody. The numbers stand in core/budget_limits.h, where the client's scheduler finds them, too.
namespace galleryd::simulator {

// The policy that a request is charged to; nullptr for requests that the gallery provider does not count.
const PolicyLimits* policy_of(const std::string& method, const Path& path);

class RateLimits {
  public:
    struct Verdict {
        std::optional<Answer> refused;
        http::Headers headers;  // remaining counts, for the answer
        std::string policy;     // stem, "" when none
    };
    Verdict charge(World& world, const Call& call);

  private:
    struct Bucket {
        double tokens = 0;
        TimePoint filled;
        TimePoint blocked_until;
        bool used = false;
    };
    struct Window {
        TimePoint start;
        int used = 0;
    };
    // Seconds to wait, 0 when granted; `left` is what remains.
    static double take(Bucket& bucket, double capacity, double refill, TimePoint now, int& left);
    std::optional<Answer> charge_arm(World& world, const Call& call, http::Headers& headers);
    std::optional<Answer> charge_policy(World& world, const Call& call, const PolicyLimits& policy,
                                        http::Headers& headers);

    std::map<std::string, Bucket> buckets_;
    std::map<std::string, Window> windows_;
};

}  // namespace galleryd::simulator
