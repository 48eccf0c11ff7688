#include "controller/adapters/http/parser.h"

#include <doctest/doctest.h>

#include <cstring>

using namespace galleryd::http;

namespace {

constexpr ParserLimits limits{.header_bytes_max = 2048, .body_bytes_max = 4096};

// Offers one byte after the other, as a slow peer does.
template <class Parser>
ParseState feed_slowly(Parser& parser, InputBuffer& input, std::string_view bytes) {
    ParseState state = ParseState::more;
    for (const char byte : bytes) {
        if (state != ParseState::more) break;
        std::memcpy(input.prepare().data(), &byte, 1);
        input.commit(1);
        state = parser.feed(input);
    }
    return state;
}

}  // namespace

TEST_CASE("a chunked body that is empty may come byte by byte") {  // Beast 1.81 asserts that it does not
    RequestParser request(limits);
    InputBuffer input;
    CHECK(feed_slowly(request, input, "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") ==
          ParseState::complete);
    CHECK(request.take().body.empty());
    CHECK(input.empty());
    ResponseParser response(limits, false);
    CHECK(feed_slowly(response, input, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") ==
          ParseState::complete);
    CHECK(response.take().body.empty());
    CHECK(response.may_reuse_connection());
}

TEST_CASE("chunks and fields behind them may come byte by byte") {
    ResponseParser response(limits, false);
    InputBuffer input;
    CHECK(feed_slowly(
              response, input,
              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2;x=y\r\nbc\r\n0\r\nZ: 1\r\n\r\n") ==
          ParseState::complete);
    CHECK(response.take().body == "abc");
    CHECK(input.empty());
}

TEST_CASE("a chunked body that ends in its last chunk is truncated") {
    for (const char* tail : {"", "0", "0\r\n", "0\r\n\r", "1\r\na\r\n0\r\n\r"}) {
        CAPTURE(tail);
        ResponseParser response(limits, false);
        InputBuffer input;
        CHECK(
            feed_slowly(response, input, std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") + tail) ==
            ParseState::more);
        CHECK(response.finish(true) == ParseState::truncated);
    }
}
