#include "controller/adapters/azure/resource_graph_walk.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <nlohmann/json.hpp>

#include "controller/adapters/azure/api_versions.h"
#include "controller/adapters/azure/json_read.h"
#include "controller/adapters/azure/retry_after.h"

namespace galleryd::azure {
namespace {

namespace asio = boost::asio;

std::string body_of(const std::string& query, const std::vector<std::string>& subscriptions, std::size_t top,
                    std::size_t skip, const std::string& token) {
    Json options{{"$top", top}, {"resultFormat", "objectArray"}};
    if (!token.empty()) options["$skipToken"] = token;
    else if (skip > 0) options["$skip"] = skip;
    Json body{{"query", query}, {"options", std::move(options)}};
    if (!subscriptions.empty()) body["subscriptions"] = subscriptions;  // without any it is the whole tenant
    return body.dump();
}

std::optional<std::size_t> quota_left(const http::Headers& headers) {
    const std::string text = headers.get("x-ms-user-quota-remaining");
    std::size_t left = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), left);
    if (text.empty() || problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return left;
}

Error with_what(Error error, const std::string& what) {
    if (!error.message.starts_with(what)) error.message = what + ": " + error.message;
    return error;
}

std::string quota_text(const std::string& what) {
    return what + ": the Resource Graph quota of this identity is used up; nothing is sent before it resets";
}

struct Flight {  // ends with its coroutine, also when that is cancelled
    Flight(GraphQuota& quota_in, std::chrono::nanoseconds now) : quota(&quota_in) { quota->sent(now); }
    Flight(const Flight&) = delete;
    Flight& operator=(const Flight&) = delete;
    ~Flight() { land(); }
    void land() {
        if (quota != nullptr) quota->ended();
        quota = nullptr;
    }
    GraphQuota* quota;
};

}  // namespace

Task<void> ResourceGraph::wait_for_quota(std::string what) {
    while (true) {
        const auto wait = quota_.wait(clock_.monotonic());
        if (wait == std::chrono::nanoseconds{0}) co_return Status{};
        if (wait > options_.arm.wait_inside_max) {
            co_return std::unexpected(Error{.kind = ErrorKind::throttled,
                                            .reason = "Throttled",
                                            .message = quota_text(what),
                                            .retry_after = std::chrono::ceil<std::chrono::seconds>(wait),
                                            .code = "GD3030"});
        }
        co_await clock_.sleep_for(wait);
    }
}

Task<http::Response> ResourceGraph::ask(const Question& question, Paging paging) {
    const auto open = co_await wait_for_quota(question.what);
    if (!open) co_return std::unexpected(open.error());
    ArmCall call{.method = "POST",
                 .target = "/providers/Microsoft.ResourceGraph/resources" + api_query(resource_graph_api),
                 .body = body_of(question.query, question.subscriptions, options_.page_rows, paging.skip, paging.token),
                 .subscription = "tenant",  // no subscription's bucket: the quota is the identity's
                 .resource_type = std::string(resource_graph_api.resource),
                 .what = question.what,
                 .worth = Worth::person};  // the whole quota: it is nobody else's
    Flight flight(quota_, clock_.monotonic());
    auto answer = co_await channel_.read(std::move(call));  // a query changes nothing: it may be sent again
    flight.land();
    if (!answer) {
        // The channel speaks of a subscription; here it is the identity that must be patient.
        if (answer.error().kind == ErrorKind::throttled) answer.error().message = quota_text(question.what);
        co_return answer;
    }
    if (const auto left = quota_left(answer->headers)) {
        const auto resets = find_retry_after(answer->headers, "", clock_.now());
        quota_.learn(*left, resets.value_or(std::chrono::seconds{5}), clock_.monotonic());
    }
    if (answer->status == 200) co_return answer;
    co_return std::unexpected(graph_error(question.what, *answer, clock_.now()));
}

// One page: asked for, checked, read row by row, forgotten.
Task<void> ResourceGraph::take_page(Walk& walk, Paging paging) {
    ++walk.result.requests;
    const auto answer = co_await ask(walk.question, std::move(paging));
    if (!answer) co_return std::unexpected(answer.error());
    const auto page = scan_graph_page(answer->body);
    if (!page) co_return std::unexpected(with_what(page.error(), walk.question.what));
    const DecodeContext context{.read_at = clock_.now(),
                                .server_date = parse_http_date(answer->headers.get("Date")),
                                .groups_asked = false,
                                .keep_raw = false};
    if (const auto whole = walk.check.accept(*page); !whole)
        co_return std::unexpected(with_what(whole.error(), walk.question.what));
    std::vector<std::uint64_t> ids;
    ids.reserve(page->rows.size());
    for (const std::string_view row : page->rows) {
        const auto id = walk.reader(row, context);
        if (!id) co_return std::unexpected(with_what(id.error(), walk.question.what));
        ids.push_back(*id);
    }
    if (const auto is_new = walk.check.note_rows(ids); !is_new)
        co_return std::unexpected(with_what(is_new.error(), walk.question.what));
    if (++walk.pages == 1) {
        walk.total = page->total;
        walk.result.server_date = context.server_date;
    }
    walk.next_token = page->skip_token;
    co_return Status{};
}

Task<void> ResourceGraph::walk_by_token(Walk& walk) {
    while (!walk.next_token.empty()) {
        if (walk.pages >= walk.question.pages_max) {
            walk.result.stopped = true;
            co_return Status{};
        }
        Paging paging;
        paging.token = walk.next_token;
        const auto taken = co_await take_page(walk, std::move(paging));
        if (!taken) co_return taken;
    }
    co_return Status{};
}

Task<void> ResourceGraph::work_on_offsets(Walk& walk) {
    while (!walk.error && walk.next_offset < walk.total) {
        const Paging paging{.skip = walk.next_offset, .token = {}};
        walk.next_offset += options_.page_rows;
        const auto taken = co_await take_page(walk, paging);
        if (!taken && !walk.error) walk.error = taken.error();
    }
    co_return Status{};
}

Task<void> ResourceGraph::walk_by_offset(Walk& walk) {
    if (walk.total > walk.question.pages_max * options_.page_rows) {
        walk.result.stopped = true;
        co_return Status{};
    }
    walk.next_offset = options_.page_rows;
    const auto executor = co_await asio::this_coro::executor;
    using Operation = decltype(asio::co_spawn(executor, work_on_offsets(walk), asio::deferred));
    std::vector<Operation> workers;
    for (std::size_t i = 0; i < walk.question.parallel; ++i)
        workers.push_back(asio::co_spawn(executor, work_on_offsets(walk), asio::deferred));
    auto group = asio::experimental::make_parallel_group(std::move(workers));
    const auto ended = co_await group.async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
    for (const std::exception_ptr& exception : std::get<1>(ended)) {
        if (exception) std::rethrow_exception(exception);
    }
    if (walk.error) co_return std::unexpected(*walk.error);
    co_return Status{};
}

Task<ResourceGraph::Walked> ResourceGraph::walk(Question question, RowReader reader) {
    Walk walk{.question = std::move(question), .reader = std::move(reader)};
    Paging start;
    const auto first = co_await take_page(walk, std::move(start));
    if (!first) co_return std::unexpected(first.error());
    const bool by_offset = walk.question.parallel > 1 && !walk.next_token.empty();
    auto rest = by_offset ? walk_by_offset(walk) : walk_by_token(walk);
    const auto arrived = co_await std::move(rest);
    if (!arrived) co_return std::unexpected(arrived.error());
    if (!walk.result.stopped && !walk.question.may_miss_rows) {
        if (const auto whole = walk.check.finish(); !whole)
            co_return std::unexpected(with_what(whole.error(), walk.question.what));
    }
    walk.result.rows = walk.check.rows();
    walk.result.duplicates = walk.check.duplicates();
    co_return walk.result;
}

}  // namespace galleryd::azure
