#include "controller/adapters/http/session.h"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include "controller/adapters/http/head.h"

namespace galleryd::http {
namespace asio = boost::asio;

namespace {

// "http://host/path" as a proxy writes it (RFC 9112 §3.2.2) becomes "/path". A target such as "//subscriptions/…"
// stays.
void make_origin_form(std::string& target) {
    if (!target.starts_with("http://") && !target.starts_with("https://")) return;
    const auto path = target.find('/', target.find("://") + 3);
    target = path == std::string::npos ? "/" : target.substr(path);
}

ServerResponse plain_answer(int status) {
    ServerResponse response;
    response.status = status;
    response.headers.add("Content-Type", "text/plain; charset=utf-8");
    response.body = std::string(reason_phrase(status)) + "\n";
    return response;
}

}  // namespace

std::string_view ServerContext::http_date() {
    const auto second = std::chrono::floor<std::chrono::seconds>(clock.now());
    if (second != date_second_ || date_.empty()) {
        date_second_ = second;
        date_ = format_http_date(second);
    }
    return date_;
}

void Session::start_deadline() { deadline_ = context_->clock.monotonic() + context_->options.idle_timeout; }

asio::awaitable<void> Session::run() {
    start_deadline();
    const auto refused = co_await stream_->handshake();
    if (refused) co_return;
    while (!context_->stopping) {
        auto incoming = co_await read_request();
        if (incoming.next == Next::end) co_return;
        if (incoming.next == Next::reject) {
            co_await reject(incoming.status);
            co_return;
        }
        const bool head_only = incoming.request.method == "HEAD";
        deadline_ = no_deadline;
        auto response = co_await call_handler(std::move(incoming.request));
        if (response.delay.count() > 0) co_await context_->clock.sleep_for(response.delay);
        const bool keep_alive = incoming.keep_alive && !context_->stopping;
        const bool go_on = co_await write_answer(std::move(response), head_only, keep_alive);
        if (!go_on) co_return;
    }
}

asio::awaitable<Session::Incoming> Session::read_request() {
    RequestParser parser({.header_bytes_max = context_->options.request_header_bytes_max,
                          .body_bytes_max = context_->options.request_body_bytes_max});
    Incoming incoming;
    ParseState state = parser.feed(input_);
    start_deadline();
    while (state == ParseState::more) {
        if (parser.wants_continue()) {
            static constexpr std::string_view go_ahead = "HTTP/1.1 100 Continue\r\n\r\n";
            co_await stream_->write_all(asio::buffer(go_ahead));
        }
        idle_ = !parser.got_some() && input_.empty();
        const auto [error, count] = co_await stream_->read_some(input_.prepare());
        if (error) co_return incoming;
        input_.commit(count);
        state = parser.feed(input_);
    }
    idle_ = false;
    incoming.next = Next::reject;
    switch (state) {
        case ParseState::complete: break;
        case ParseState::header_too_large: incoming.status = 431; co_return incoming;
        case ParseState::body_too_large: incoming.status = 413; co_return incoming;
        default: incoming.status = 400; co_return incoming;
    }
    incoming.next = Next::handle;
    incoming.keep_alive = parser.keep_alive();
    static_cast<Request&>(incoming.request) = parser.take();
    make_origin_form(incoming.request.target);
    incoming.request.tls = context_->tls;
    const std::string* host = incoming.request.headers.find("Host");
    incoming.request.host = host != nullptr && !host->empty() ? *host : context_->local_address;
    co_return incoming;
}

asio::awaitable<ServerResponse> Session::call_handler(ServerRequest request) {
    try {
        auto answer = co_await context_->handler(std::move(request));
        if (answer.status < 200 || answer.status > 599) answer = plain_answer(500);
        co_return answer;
    } catch (const boost::system::system_error& error) {
        if (context_->stopping && error.code() == asio::error::operation_aborted) throw;
    } catch (const std::exception&) {
    }
    co_return plain_answer(500);  // one broken handler must not take the server down
}

// True when the connection may carry the next request.
asio::awaitable<bool> Session::write_answer(ServerResponse response, bool head_only, bool keep_alive) {
    constexpr std::size_t joined_max = 64UL * 1024;  // small bodies leave in one write with their head
    const bool cut = response.cut_after_bytes >= 0;
    output_.clear();
    append_response_head(output_, response,
                         {.head_only = head_only, .keep_alive = keep_alive, .date = context_->http_date()});
    std::string_view body;
    if (!head_only && status_has_body(response.status)) body = response.body;
    if (cut) body = body.substr(0, static_cast<std::size_t>(response.cut_after_bytes));
    start_deadline();
    const bool joined = body.size() <= joined_max;
    if (joined) output_.append(body);
    auto [error, count] = co_await stream_->write_all(asio::buffer(output_));
    if (!error && !joined) std::tie(error, count) = co_await stream_->write_all(asio::buffer(body));
    if (output_.capacity() > 2 * joined_max) output_ = {};
    co_return !error && !cut && keep_alive;
}

// Closing with unread input makes the kernel send a reset, which can overtake the answer: read on for a while.
asio::awaitable<void> Session::reject(int status) {
    constexpr std::size_t discarded_max = 16UL * 1024 * 1024;
    auto answer = plain_answer(status);
    const bool written = co_await write_answer(std::move(answer), false, false);
    static_cast<void>(written);
    stream_->shutdown_send();
    start_deadline();
    for (std::size_t discarded = 0; discarded < discarded_max;) {
        input_.consume(input_.data().size());
        const auto [error, count] = co_await stream_->read_some(input_.prepare());
        if (error) co_return;
        input_.commit(count);
        discarded += count;
    }
}

}  // namespace galleryd::http
