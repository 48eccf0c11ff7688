#pragma once
#include <chrono>
#include <set>
#include <string>

#include "controller/adapters/http/message.h"
#include "controller/ports/metrics.h"

namespace galleryd::azure {

// The ARM family of metrics (experience §1.7.2). Labels: `resource_type` is the type of the last provider in the path,
// `code` the HTTP status or "<error>", `bucket` the rest of x-ms-ratelimit-remaining-… or the provider's policy.
class ArmMetrics {
  public:
    explicit ArmMetrics(Metrics& metrics) : metrics_(metrics) {}
    struct Request {
        std::string subscription, resource_type, method;
        std::chrono::nanoseconds took{0};
    };
    void answered(const Request& request, const http::Response& answer);
    void unanswered(const Request& request);
    void waited(const std::string& subscription, std::chrono::nanoseconds time);
    void held(const std::string& subscription, std::chrono::seconds until_unix_time);
    void released(const std::string& subscription);
    void refused(const std::string& credential);  // 401 or 403

  private:
    void learn(const std::string& subscription, const http::Headers& headers);

    Metrics& metrics_;
    std::set<std::string> buckets_;  // at most 256: names come from the other side
};

}  // namespace galleryd::azure
