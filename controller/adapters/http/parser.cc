#include "controller/adapters/http/parser.h"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>

namespace galleryd::http {
namespace {

namespace beast_http = boost::beast::http;
using boost::system::error_code;

template <class Parser>
void set_limits(Parser& parser, const ParserLimits& limits) {
    constexpr std::size_t longest = 0xFFFF'FFFF;
    parser.header_limit(static_cast<std::uint32_t>(std::min(limits.header_bytes_max, longest)));
    parser.body_limit(limits.body_bytes_max);
    parser.eager(true);
}

ParseState state_of(const error_code& error) {
    if (error == beast_http::error::header_limit) return ParseState::header_too_large;
    if (error == beast_http::error::body_limit) return ParseState::body_too_large;
    if (error == beast_http::error::partial_message) return ParseState::truncated;
    return ParseState::malformed;
}

constexpr std::size_t last_chunk_bytes = 5;  // "0\r\n\r\n"

template <class Parser>
ParseState feed_parser(Parser& parser, InputBuffer& input, error_code& error) {
    while (!parser.is_done()) {
        if (input.empty()) return ParseState::more;
        // No message ends before them, and Beast 1.81 asserts that "0\r\n" never comes alone (basic_parser.ipp:702).
        if (parser.is_header_done() && parser.chunked() && input.data().size() < last_chunk_bytes)
            return ParseState::more;
        error = {};
        const std::size_t used = parser.put(input.data(), error);
        input.consume(used);
        if (error == beast_http::error::need_more) return ParseState::more;
        if (error) return state_of(error);
        if (used == 0 && !parser.is_done()) return ParseState::more;
    }
    return ParseState::complete;
}

template <class Message>
Headers take_headers(const Message& message) {
    Headers headers;
    for (const auto& field : message.base()) headers.add(std::string(field.name_string()), std::string(field.value()));
    return headers;
}

}  // namespace

boost::asio::mutable_buffer InputBuffer::prepare() {
    constexpr std::size_t least = 4096;
    constexpr std::size_t first_size = 16UL * 1024;
    if (begin_ == end_) begin_ = end_ = 0;
    if (bytes_.size() - end_ < least && begin_ > 0) {
        std::copy(bytes_.begin() + static_cast<std::ptrdiff_t>(begin_),
                  bytes_.begin() + static_cast<std::ptrdiff_t>(end_), bytes_.begin());
        end_ -= begin_;
        begin_ = 0;
    }
    if (bytes_.size() - end_ < least) bytes_.resize(std::max(first_size, bytes_.size() * 2));
    return {bytes_.data() + end_, bytes_.size() - end_};
}

// ---- answers ----

struct ResponseParser::Impl {
    using Parser = beast_http::response_parser<beast_http::string_body>;

    void reset() {
        parser.emplace();
        set_limits(*parser, limits);
        if (answers_head) parser->skip(true);
    }

    ParserLimits limits;
    bool answers_head = false;
    bool ended_by_close = false;
    int interim = 0;
    std::optional<Parser> parser;
    error_code error;
};

ResponseParser::ResponseParser(ParserLimits limits, bool answers_head) : impl_(std::make_unique<Impl>()) {
    impl_->limits = limits;
    impl_->answers_head = answers_head;
    impl_->reset();
}
ResponseParser::~ResponseParser() = default;

ParseState ResponseParser::feed(InputBuffer& input) {
    constexpr int interim_max = 8;
    for (;;) {
        const ParseState state = feed_parser(*impl_->parser, input, impl_->error);
        if (state != ParseState::complete) return state;
        const unsigned status = impl_->parser->get().result_int();
        if (status >= 200) return ParseState::complete;
        // 101 would change the protocol, which nobody asked for; below 100 there is nothing (RFC 9110 §15).
        if (status < 100 || status == 101 || ++impl_->interim > interim_max) return ParseState::malformed;
        impl_->reset();
    }
}

ParseState ResponseParser::finish(bool orderly) {
    auto& parser = *impl_->parser;
    if (!parser.got_some()) return ParseState::truncated;  // put_eof would assert
    // Without a length only the end says that the body is whole; an end that an attacker can forge says nothing.
    if (!orderly || !parser.is_header_done() || !parser.need_eof()) return ParseState::truncated;
    impl_->error = {};
    parser.put_eof(impl_->error);
    if (impl_->error) return state_of(impl_->error);
    if (parser.get().result_int() < 200) return ParseState::malformed;  // 003: no interim answer, and none at all
    impl_->ended_by_close = true;
    return ParseState::complete;
}

bool ResponseParser::may_reuse_connection() const {
    return !impl_->ended_by_close && !impl_->parser->need_eof() && impl_->parser->keep_alive();
}

Response ResponseParser::take() {
    auto message = impl_->parser->release();
    Response response;
    response.status = static_cast<int>(message.result_int());
    response.headers = take_headers(message);
    response.body = std::move(message.body());
    return response;
}

std::string ResponseParser::problem() const {
    return impl_->error ? impl_->error.message() : "unexpected interim answer";
}

// ---- requests ----

struct RequestParser::Impl {
    beast_http::request_parser<beast_http::string_body> parser;
    error_code error;
    bool asked_to_continue = false;
};

RequestParser::RequestParser(ParserLimits limits) : impl_(std::make_unique<Impl>()) {
    set_limits(impl_->parser, limits);
}
RequestParser::~RequestParser() = default;

ParseState RequestParser::feed(InputBuffer& input) { return feed_parser(impl_->parser, input, impl_->error); }

bool RequestParser::got_some() const { return impl_->parser.got_some(); }

bool RequestParser::wants_continue() {
    const auto& parser = impl_->parser;
    if (impl_->asked_to_continue || !parser.is_header_done() || parser.is_done()) return false;
    impl_->asked_to_continue = true;
    const auto expect = parser.get().find(beast_http::field::expect);
    return expect != parser.get().end() && boost::beast::iequals(expect->value(), "100-continue");
}

bool RequestParser::keep_alive() const { return impl_->parser.keep_alive(); }

Request RequestParser::take() {
    auto message = impl_->parser.release();
    Request request;
    request.method = std::string(message.method_string());
    request.target = std::string(message.target());
    request.headers = take_headers(message);
    request.body = std::move(message.body());
    return request;
}

}  // namespace galleryd::http
