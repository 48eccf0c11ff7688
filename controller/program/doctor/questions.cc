#include "controller/program/doctor/questions.h"

#include "controller/adapters/azure/api_versions.h"
#include "controller/adapters/azure/error_table.h"
#include "controller/core/resource_id.h"

namespace galleryd::doctor {
namespace {

// Reads that only this command makes; not the pinned ones that galleries are written with.
constexpr const char* subscriptions_api = "?api-version=2022-12-01";
constexpr const char* providers_api = "?api-version=2021-04-01";
constexpr const char* features_api = "?api-version=2021-07-01";
constexpr const char* usages_api = "?api-version=2024-07-01";
constexpr const char* permissions_api = "?api-version=2022-04-01";

azure::ArmCall read_call(std::string target, std::string what, std::string subscription, std::string type) {
    return {.method = "GET",
            .target = std::move(target),
            .subscription = std::move(subscription),
            .resource_type = std::move(type),
            .what = std::move(what),
            .worth = azure::Worth::person};
}

Result<azure::SubscriptionFacts> decode_one(std::string_view json) { return azure::decode_subscription(json); }

Result<std::size_t> decode_gallery_count(std::string_view json) {
    const auto page = azure::decode_gallery_page(json, azure::DecodeContext{});
    if (!page) return std::unexpected(page.error());
    return page->items.size();
}

Result<std::string> decode_anything(std::string_view json) { return std::string(json); }

}  // namespace

Questions::Questions(http::Transport& transport, azure::TokenProvider& tokens, Clock& clock, Log& log, Metrics& metrics,
                     azure::ArmOptions options)
    : transport_(transport), clock_(clock), channel_(transport, tokens, clock, log, metrics, std::move(options)) {}

void Questions::note_budgets(const http::Headers& headers) {
    constexpr std::string_view prefix = "x-ms-ratelimit-remaining-";
    for (const auto& [name, value] : headers.fields()) {
        const std::string folded = fold_case(name);
        if (!folded.starts_with(prefix)) continue;
        const std::string counted = folded.substr(prefix.size());
        if (counted != "resource") remaining_[counted] = value;
    }
}

template <class T>
Task<T> Questions::ask(azure::ArmCall call, Result<T> (*decode)(std::string_view)) {
    const std::string what = call.what;
    const auto answer = co_await channel_.read(std::move(call));
    if (!answer) co_return std::unexpected(answer.error());
    note_budgets(answer->headers);
    if (answer->status != 200)
        co_return std::unexpected(azure::error_from_answer({.what = what}, *answer, clock_.now()));
    co_return decode(answer->body);
}

Task<http::Response> Questions::greet() {
    http::Request request{.method = "GET",
                          .target = std::string("/subscriptions") + subscriptions_api,
                          .headers = {{"Accept", "application/json"}, {"User-Agent", channel_.options().user_agent}}};
    const http::CallLimits limits{.deadline = channel_.options().deadline};
    co_return co_await transport_.send(channel_.options().arm, std::move(request), limits);
}

Task<azure::SubscriptionFacts> Questions::subscription(std::string id) {
    const std::string target = "/subscriptions/" + id;
    azure::ArmCall call =
        read_call(target + subscriptions_api, "read " + target, id, "Microsoft.Resources/subscriptions");
    co_return co_await ask(std::move(call), &decode_one);
}

Task<std::vector<azure::SubscriptionFacts>> Questions::visible_subscriptions() {
    azure::ArmCall call = read_call(std::string("/subscriptions") + subscriptions_api, "list subscriptions", "",
                                    "Microsoft.Resources/subscriptions");
    auto page = co_await ask(std::move(call), &azure::decode_subscription_page);
    if (!page) co_return std::unexpected(page.error());
    if (page->items.size() > subscriptions_max) page->items.resize(subscriptions_max);
    co_return std::move(page->items);
}

Task<azure::ProviderFacts> Questions::provider(std::string subscription, std::string name) {
    const std::string id = "/subscriptions/" + subscription + "/providers/" + name;
    azure::ArmCall call = read_call(id + providers_api, "read " + id, subscription, "Microsoft.Resources/providers");
    co_return co_await ask(std::move(call), &azure::decode_provider);
}

Task<std::string> Questions::feature(std::string subscription, std::string name) {
    const std::string id =
        "/subscriptions/" + subscription + "/providers/Microsoft.Features/providers/Microsoft.Compute/features/" + name;
    azure::ArmCall call = read_call(id + features_api, "read " + id, subscription, "Microsoft.Features/features");
    co_return co_await ask(std::move(call), &azure::decode_feature_state);
}

Task<FoundRights> Questions::rights(std::string scope, bool above) {
    for (;;) {
        const ResourceId id(scope);
        const std::string target = scope + "/providers/Microsoft.Authorization/permissions" + permissions_api;
        azure::ArmCall call =
            read_call(target, "read the rights at " + scope, id.subscription(), "Microsoft.Authorization/permissions");
        auto rights = co_await ask(std::move(call), &azure::decode_rights);
        const std::size_t last = scope.rfind("/providers/");
        const std::size_t group = scope.find("/resourceGroups/");
        if (rights) co_return FoundRights{.rights = std::move(*rights), .asked_at = scope};
        if (!above || rights.error().http_status != 404) co_return std::unexpected(rights.error());
        if (last != std::string::npos) scope.resize(last);
        else if (group != std::string::npos) scope.resize(group);
        else co_return std::unexpected(rights.error());
    }
}

Task<std::vector<azure::UsageRow>> Questions::usages(std::string subscription, std::string region) {
    const std::string id =
        "/subscriptions/" + subscription + "/providers/Microsoft.Compute/locations/" + region + "/usages";
    azure::ArmCall call = read_call(id + usages_api, "read " + id, subscription, "Microsoft.Compute/locations/usages");
    co_return co_await ask(std::move(call), &azure::decode_usages);
}

Task<std::size_t> Questions::count_galleries(std::string subscription) {
    const std::string id = "/subscriptions/" + subscription + "/providers/Microsoft.Compute/galleries";
    azure::ArmCall call = read_call(id + api_query(azure::gallery_api), "list galleries of " + subscription,
                                    subscription, "Microsoft.Compute/galleries");
    co_return co_await ask(std::move(call), &decode_gallery_count);
}

Task<void> Questions::graph(std::vector<std::string> subscriptions) {
    std::string listed;
    for (const std::string& one : subscriptions) listed += (listed.empty() ? "\"" : ",\"") + one + "\"";
    azure::ArmCall call =
        read_call("/providers/Microsoft.ResourceGraph/resources" + api_query(azure::resource_graph_api),
                  "ask Resource Graph", "", "Microsoft.ResourceGraph/resources");
    call.method = "POST";
    call.body = "{\"subscriptions\":[" + listed +
                "],\"query\":\"resources | where type =~ 'microsoft.compute/galleries' | project id\","
                "\"options\":{\"$top\":1}}";
    const auto answer = co_await ask(std::move(call), &decode_anything);
    if (!answer) co_return std::unexpected(answer.error());
    co_return Status{};
}

}  // namespace galleryd::doctor
