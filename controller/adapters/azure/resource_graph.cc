#include "controller/adapters/azure/resource_graph.h"

#include <algorithm>

#include "controller/adapters/azure/graph_queries.h"
#include "controller/adapters/azure/json_read.h"
#include "controller/adapters/azure/resource_graph_walk.h"

// What is asked; a look at everything stands in resource_graph_look.cc, how a question goes through its pages in
// resource_graph_walk.cc.
namespace galleryd::azure {
namespace {

bool is_guid(std::string_view text) {
    if (text.size() != 36) return false;
    return std::ranges::all_of(text,
                               [](char c) { return c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::unexpected<Error> wrong_input(std::string message) {
    return std::unexpected(
        Error{.kind = ErrorKind::invalid, .reason = "InvalidSpec", .message = std::move(message), .code = "GD3006"});
}

}  // namespace

namespace {

// The quota of Resource Graph is this identity's alone (azure-facts §7.3): there is nobody to leave a share for.
ArmOptions whole_quota(ArmOptions options) {
    options.share = 1;
    return options;
}

}  // namespace

std::vector<std::string> tidy_subscriptions(std::vector<std::string> subscriptions) {
    for (std::string& one : subscriptions) one = fold_case(one);
    std::ranges::sort(subscriptions);
    const auto repeated = std::ranges::unique(subscriptions);
    subscriptions.erase(repeated.begin(), repeated.end());
    return subscriptions;
}

ResourceGraph::ResourceGraph(http::Transport& transport, TokenProvider& tokens, Clock& clock, Log& log,
                             Metrics& metrics, GraphOptions options)
    : channel_(transport, tokens, clock, log, metrics, whole_quota(options.arm)),
      clock_(clock),
      options_(std::move(options)) {}

Result<std::vector<ResourceGraph::Question>> ResourceGraph::questions_for(const std::vector<std::string>& subscriptions,
                                                                          std::string query, std::string what) const {
    if (subscriptions.empty()) return wrong_input(what + ": no subscription is named");
    std::vector<Question> questions;
    for (std::size_t i = 0; i < subscriptions.size(); ++i) {
        if (!is_guid(subscriptions[i]))
            return wrong_input(what + ": '" + printable(subscriptions[i], 80) + "' is no subscription id");
        if (i % options_.subscriptions_per_query == 0)
            questions.push_back({.query = query, .what = what, .subscriptions = {}, .pages_max = options_.pages_max});
        questions.back().subscriptions.push_back(subscriptions[i]);
    }
    return questions;
}

Result<std::vector<ResourceGraph::Question>> ResourceGraph::questions_for_ids(const std::vector<ResourceId>& ids,
                                                                              std::string what) const {
    std::vector<Question> questions;
    for (std::size_t from = 0; from < ids.size(); from += options_.ids_per_query) {
        const std::vector<ResourceId> some(
            ids.begin() + static_cast<std::ptrdiff_t>(from),
            ids.begin() + static_cast<std::ptrdiff_t>(std::min(ids.size(), from + options_.ids_per_query)));
        std::vector<std::string> subscriptions;
        for (const ResourceId& id : some) {
            if (!parse_resource_id(id.text()))
                return wrong_input(what + ": '" + printable(id.text(), 200) + "' is not the id of an Azure resource");
            subscriptions.push_back(id.subscription());
        }
        auto question = questions_for(tidy_subscriptions(std::move(subscriptions)), rows_query(some), what);
        if (!question) return question;
        // As many subscriptions as ids at most, so it is one.
        questions.push_back(std::move(question->front()));
    }
    return questions;
}

Task<ChangeList> ResourceGraph::changes_since(TimePoint since, std::vector<std::string> subscriptions) {
    constexpr std::chrono::days kept{14};
    ChangeList list;
    list.started = clock_.now();
    const auto questions = questions_for(tidy_subscriptions(std::move(subscriptions)), changes_query(since),
                                         "read what changed in galleries");
    if (!questions) co_return std::unexpected(questions.error());
    for (Question question : *questions) {
        question.pages_max = std::max<std::size_t>(1, changes_max / options_.page_rows);
        RowReader reader = [&list](std::string_view row, const DecodeContext&) -> Result<std::uint64_t> {
            auto change = read_change_row(row);
            if (!change) return std::unexpected(std::move(change.error()));
            if (*change && list.changes.size() < changes_max) list.changes.push_back(std::move(**change));
            else if (*change) list.truncated = true;
            return std::hash<std::string_view>{}(row);
        };
        const auto walked = co_await walk(std::move(question), std::move(reader));
        if (!walked) co_return std::unexpected(walked.error());
        if (!list.server_date) list.server_date = walked->server_date;
        list.requests += walked->requests;
        list.truncated = list.truncated || walked->stopped;
    }
    list.gap = since < list.server_date.value_or(list.started) - kept;
    std::ranges::sort(list.changes, [](const ResourceChange& a, const ResourceChange& b) {
        return a.at != b.at ? a.at < b.at : a.id < b.id;
    });
    co_return list;
}

Task<RowSummary> ResourceGraph::read(std::vector<ResourceId> ids, InventorySink& sink) {
    RowSummary summary;
    const auto questions = questions_for_ids(ids, "read changed gallery resources");
    if (!questions) co_return std::unexpected(questions.error());
    std::set<std::uint64_t> came;
    for (const Question& question : *questions) {
        RowReader reader = [&](std::string_view row, const DecodeContext& context) -> Result<std::uint64_t> {
            auto id = deliver_row(row, context, sink);
            if (id) came.insert(*id);
            return id;
        };
        const auto walked = co_await walk(question, std::move(reader));
        if (!walked) co_return std::unexpected(walked.error());
        summary.rows += walked->rows;
        summary.requests += walked->requests;
    }
    std::ranges::copy_if(ids, std::back_inserter(summary.missing),
                         [&came](const ResourceId& id) { return !came.contains(std::hash<std::string>{}(id.key())); });
    co_return summary;
}

Task<FactList> ResourceGraph::facts_of(std::vector<Question> questions) {
    FactList list;
    for (const Question& question : questions) {
        RowReader reader = [&list](std::string_view row, const DecodeContext&) -> Result<std::uint64_t> {
            auto facts = read_facts_row(row);
            if (!facts) return std::unexpected(std::move(facts.error()));
            list.found.push_back(std::move(*facts));
            return std::hash<std::string>{}(list.found.back().id.key());
        };
        const auto walked = co_await walk(question, std::move(reader));
        if (!walked) co_return std::unexpected(walked.error());
        if (walked->stopped) co_return unreadable("GD3003", "Resource Graph: more pages than are read");
        list.requests += walked->requests;
    }
    co_return list;
}

Task<FactList> ResourceGraph::facts(std::vector<ResourceId> ids) {
    auto questions = questions_for_ids(ids, "watch gallery resources");
    if (!questions) co_return std::unexpected(questions.error());
    auto list = co_await facts_of(std::move(*questions));
    if (!list) co_return list;
    std::set<ResourceId> found;
    for (const ResourceFacts& one : list->found) found.insert(one.id);
    std::ranges::copy_if(ids, std::back_inserter(list->missing),
                         [&found](const ResourceId& id) { return !found.contains(id); });
    co_return list;
}

Task<FactList> ResourceGraph::in_transition(std::vector<std::string> subscriptions) {
    auto questions = questions_for(tidy_subscriptions(std::move(subscriptions)), in_transition_query(),
                                   "read what is being changed in galleries");
    if (!questions) co_return std::unexpected(questions.error());
    // Operations end while the pages are read, so the total falls all the time.
    for (Question& question : *questions) question.may_miss_rows = true;
    co_return co_await facts_of(std::move(*questions));
}

}  // namespace galleryd::azure
