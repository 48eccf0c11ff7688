#pragma once
#include <map>
#include <string>
#include <vector>

#include "controller/adapters/azure/arm_channel.h"
#include "controller/adapters/azure/decode_checkup.h"
#include "controller/adapters/azure/token.h"
#include "controller/adapters/http/transport.h"
#include "controller/ports/clock.h"
#include "controller/ports/log.h"
#include "controller/ports/metrics.h"
#include "controller/program/doctor/rights.h"

namespace galleryd::doctor {

// What is asked of Azure; every call is a read with a deadline of its own, and an error is told, never thrown.
// Resource Graph is asked by POST, which is how it is read. Must outlive its calls; the io_context's thread only.
class Questions {
  public:
    Questions(http::Transport& transport, azure::TokenProvider& tokens, Clock& clock, Log& log, Metrics& metrics,
              azure::ArmOptions options);

    Task<http::Response> greet();  // without a token: any answer of Azure's will do
    Task<azure::SubscriptionFacts> subscription(std::string id);
    Task<std::vector<azure::SubscriptionFacts>> visible_subscriptions();  // at most subscriptions_max
    Task<azure::ProviderFacts> provider(std::string subscription, std::string name);
    Task<std::string> feature(std::string subscription, std::string name);  // of Microsoft.Compute: its state
    // Effective rights at the scope. `above`: when it does not exist, at its group, then at its subscription.
    Task<FoundRights> rights(std::string scope, bool above);
    Task<std::vector<azure::UsageRow>> usages(std::string subscription, std::string region);
    Task<std::size_t> count_galleries(std::string subscription);  // of the first page
    Task<void> graph(std::vector<std::string> subscriptions);

    // The last x-ms-ratelimit-remaining-… of the answers, by what they count.
    const std::map<std::string, std::string>& remaining() const { return remaining_; }
    static constexpr std::size_t subscriptions_max = 50;

  private:
    template <class T>
    Task<T> ask(azure::ArmCall call, Result<T> (*decode)(std::string_view));
    void note_budgets(const http::Headers& headers);

    http::Transport& transport_;
    Clock& clock_;
    azure::ArmChannel channel_;
    std::map<std::string, std::string> remaining_;
};

}  // namespace galleryd::doctor
