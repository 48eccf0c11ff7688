#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "controller/adapters/azure/arm_channel.h"
#include "controller/adapters/azure/graph_quota.h"
#include "controller/adapters/azure/graph_rows.h"
#include "controller/adapters/http/transport.h"
#include "controller/ports/clock.h"
#include "controller/ports/inventory.h"
#include "controller/ports/log.h"
#include "controller/ports/metrics.h"
#include "controller/ports/usage.h"

namespace galleryd::azure {

struct GraphOptions {
    ArmOptions arm;                // origin, deadline of a query, …; Resource Graph lives at the ARM host
    std::size_t page_rows = 1000;  // 1 to 1,000
    std::size_t pages_max = 1000;  // of one query
    std::size_t parallel_max = 8;  // of one look
    std::size_t subscriptions_per_query =
        300;                               // Microsoft's advice (azure-facts §7.3 [D]); the service's limit is 10,000
    std::size_t ids_per_query = 300;       // the same advice
    std::size_t galleries_per_query = 30;  // whose users are asked for
};

// Inventory over Azure Resource Graph, api-version 2024-04-01.
//  - Every page is checked: its count, the total, no page and no token twice, no row missing at the end. A result that
//    shrank while it was read is an error (GD3003), because paging is by offset and a row may have slipped through.
//  - The quota of 15 queries in 5 s is the identity's: when an answer says that it is used up, the next query waits
//    until it resets (at most arm.wait_inside_max, else `throttled`), so that nothing is ever refused by our own doing.
// Single-threaded; must outlive the calls in flight.
class ResourceGraph : public Inventory, public UsageReader {
  public:
    ResourceGraph(http::Transport& transport, TokenProvider& tokens, Clock& clock, Log& log, Metrics& metrics,
                  GraphOptions options);

    Task<LookSummary> look(LookRequest request, InventorySink& sink) override;
    Task<ChangeList> changes_since(TimePoint since, std::vector<std::string> subscriptions) override;
    Task<RowSummary> read(std::vector<ResourceId> ids, InventorySink& sink) override;
    Task<FactList> facts(std::vector<ResourceId> ids) override;
    Task<FactList> in_transition(std::vector<std::string> subscriptions) override;
    Task<UsageAnswer> users_of(std::vector<ResourceId> galleries) override;
    Task<std::vector<ResourceId>> find_versions(std::string gallery, std::string definition,
                                                std::string version) override;
    Task<std::vector<ResourceId>> find_definitions(std::string gallery, std::string definition) override;

  private:
    Task<std::vector<ResourceId>> find_ids(std::string query, std::string what);
    struct Question {
        std::string query, what;                 // what: "read all galleries", for messages
        std::vector<std::string> subscriptions;  // none: the whole tenant
        std::size_t pages_max = 0;
        std::size_t parallel = 1;
        bool may_miss_rows = false;  // of resources that change meanwhile: an absence is looked at again anyway
    };
    struct Paging {
        std::size_t skip = 0;
        std::string token;
    };
    // Takes a row and gives the hash of its id.
    using RowReader = std::function<Result<std::uint64_t>(std::string_view row, const DecodeContext& context)>;
    struct Walk;  // one question on its way through its pages
    struct Look;  // at everything
    struct Walked {
        std::size_t rows = 0, duplicates = 0, requests = 0;
        bool stopped = false;  // at pages_max, with more to come
        std::optional<TimePoint> server_date;
    };

    Task<http::Response> ask(const Question& question, Paging paging);
    Task<void> wait_for_quota(std::string what);
    // All pages of a question, every row through the reader; an error when a row may be missing.
    Task<Walked> walk(Question question, RowReader reader);
    Task<void> walk_by_token(Walk& walk);
    Task<void> walk_by_offset(Walk& walk);
    Task<void> work_on_offsets(Walk& walk);
    Task<void> take_page(Walk& walk, Paging paging);
    Task<void> ask_what_is_readable(Look& look);
    Task<void> read_all_rows(Look& look, std::vector<std::string> subscriptions, InventorySink& sink);
    Task<void> look_in_turn(Look& look, InventorySink& sink);
    Task<void> look_at_once(Look& look, InventorySink& sink);
    Task<FactList> facts_of(std::vector<Question> questions);
    struct Users;  // of one answer, while it is read
    Question tenant_question(std::string query, std::string what) const;
    Task<void> read_reach(Users& users, const std::vector<ResourceId>& galleries);
    Task<void> read_readable(Users& users);
    Task<void> read_users(Users& users, std::vector<std::string> prefixes);
    Task<void> read_scale_sets(Users& users);
    Task<std::size_t> read_rows(Question question, RowReader reader);
    Result<std::vector<Question>> questions_for(const std::vector<std::string>& subscriptions, std::string query,
                                                std::string what) const;
    Result<std::vector<Question>> questions_for_ids(const std::vector<ResourceId>& ids, std::string what) const;

    ArmChannel channel_;
    Clock& clock_;
    GraphOptions options_;
    GraphQuota quota_;
};

// An answer that is not a page. `InventoryRefused` (ports/inventory.h) where ARM lists may still work.
Error graph_error(const std::string& what, const http::Response& answer, TimePoint now);
std::vector<std::string> tidy_subscriptions(std::vector<std::string> subscriptions);  // lower case, sorted, each once
// 400 "There must be at least one subscription that is eligible": nothing that was asked for can be read.
bool says_nothing_readable(const Error& error);

}  // namespace galleryd::azure
