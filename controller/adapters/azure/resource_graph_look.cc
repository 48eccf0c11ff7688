#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "controller/adapters/azure/graph_queries.h"
#include "controller/adapters/azure/json_read.h"
#include "controller/adapters/azure/resource_graph.h"
#include "controller/adapters/azure/resource_graph_walk.h"

// A look at everything: who can be read, and what is there.
namespace galleryd::azure {
namespace {

class CountingSink : public InventorySink {
  public:
    CountingSink(InventorySink& sink, LookSummary& summary) : sink_(sink), summary_(summary) {}
    void on_gallery(ObservedGallery row) override {
        ++summary_.galleries;
        sink_.on_gallery(std::move(row));
    }
    void on_definition(ObservedDefinition row) override {
        ++summary_.definitions;
        sink_.on_definition(std::move(row));
    }
    void on_version(ObservedVersion row) override {
        ++summary_.versions;
        sink_.on_version(std::move(row));
    }

  private:
    InventorySink& sink_;
    LookSummary& summary_;
};

}  // namespace

struct ResourceGraph::Look {
    std::vector<std::string> asked;  // tidy
    std::size_t parallel = 1;
    LookSummary summary{};
};

Task<void> ResourceGraph::ask_what_is_readable(Look& look) {
    LookSummary& summary = look.summary;
    const auto who = questions_for(look.asked, subscriptions_query(), "ask which subscriptions can be read");
    if (!who) co_return std::unexpected(who.error());
    for (const Question& question : *who) {
        RowReader reader = [&summary](std::string_view row, const DecodeContext&) -> Result<std::uint64_t> {
            auto subscription = read_subscription_row(row);
            if (!subscription) return std::unexpected(std::move(subscription.error()));
            summary.readable.push_back(std::move(*subscription));
            return std::hash<std::string>{}(summary.readable.back());
        };
        const auto walked = co_await walk(question, std::move(reader));
        if (!walked && !says_nothing_readable(walked.error())) co_return std::unexpected(walked.error());
        summary.requests += walked ? walked->requests : 1;
        if (walked && !summary.server_date) summary.server_date = walked->server_date;
    }
    co_return Status{};
}

Task<void> ResourceGraph::read_all_rows(Look& look, std::vector<std::string> subscriptions, InventorySink& sink) {
    const auto rows = questions_for(subscriptions, all_rows_query(), "read galleries, image definitions and versions");
    if (!rows) co_return std::unexpected(rows.error());
    CountingSink counting(sink, look.summary);
    for (Question question : *rows) {
        question.parallel = look.parallel;
        RowReader reader = [&counting](std::string_view row, const DecodeContext& context) {
            return deliver_row(row, context, counting);
        };
        const auto walked = co_await walk(std::move(question), std::move(reader));
        if (!walked && says_nothing_readable(walked.error())) {
            ++look.summary.requests;
            continue;
        }
        if (!walked) co_return std::unexpected(walked.error());
        if (walked->stopped)
            co_return unreadable("GD3003",
                                 "Resource Graph: more than " + std::to_string(options_.pages_max) + " pages");
        look.summary.requests += walked->requests;
        look.summary.duplicates += walked->duplicates;
    }
    co_return Status{};
}

// Rows of what may not be read are left out without a word, so the two questions need not wait for each other.
Task<void> ResourceGraph::look_at_once(Look& look, InventorySink& sink) {
    const auto executor = co_await boost::asio::this_coro::executor;
    auto group = boost::asio::experimental::make_parallel_group(
        boost::asio::co_spawn(executor, ask_what_is_readable(look), boost::asio::deferred),
        boost::asio::co_spawn(executor, read_all_rows(look, look.asked, sink), boost::asio::deferred));
    const auto [order, who_threw, who, rows_threw, rows] =
        co_await group.async_wait(boost::asio::experimental::wait_for_all(), boost::asio::use_awaitable);
    if (who_threw) std::rethrow_exception(who_threw);
    if (rows_threw) std::rethrow_exception(rows_threw);
    if (!who) co_return std::unexpected(who.error());
    if (!rows) co_return std::unexpected(rows.error());
    co_return Status{};
}

Task<void> ResourceGraph::look_in_turn(Look& look, InventorySink& sink) {
    const auto who = co_await ask_what_is_readable(look);
    if (!who) co_return std::unexpected(who.error());
    if (look.summary.readable.empty()) co_return Status{};
    std::vector<std::string> readable = tidy_subscriptions(look.summary.readable);
    co_return co_await read_all_rows(look, std::move(readable), sink);
}

Task<LookSummary> ResourceGraph::look(LookRequest request, InventorySink& sink) {
    Look look{.asked = tidy_subscriptions(std::move(request.subscriptions)),
              .parallel = std::clamp<std::size_t>(request.parallel, 1, options_.parallel_max)};
    look.summary.started = clock_.now();
    auto looking = look.parallel > 1 ? look_at_once(look, sink) : look_in_turn(look, sink);
    const auto looked = co_await std::move(looking);
    if (!looked) co_return std::unexpected(looked.error());
    LookSummary& summary = look.summary;
    summary.readable = tidy_subscriptions(std::move(summary.readable));
    std::ranges::set_difference(look.asked, summary.readable, std::back_inserter(summary.unreadable));
    co_return std::move(summary);
}

}  // namespace galleryd::azure
