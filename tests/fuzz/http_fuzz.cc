#include <cstring>

#include "controller/adapters/http/head.h"
#include "controller/adapters/http/parser.h"
#include "tests/fuzz/target.h"

// HTTP/1.1 from a peer that may send anything, in pieces of any size: the pieces make no difference, limits hold, and
// what we print ourselves is one message.
namespace galleryd::fuzz {
namespace {

using namespace galleryd::http;

constexpr ParserLimits limits{.header_bytes_max = 2048, .body_bytes_max = 4096};

struct Parsed {
    ParseState state = ParseState::more;
    Response response{};
    bool reusable = false;
    std::size_t left = 0;  // bytes behind the message
};

void push(InputBuffer& input, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto room = input.prepare();
        require(room.size() >= 4096, "there is always room");
        const std::size_t count = std::min(room.size(), bytes.size());
        std::memcpy(room.data(), bytes.data(), count);
        input.commit(count);
        bytes.remove_prefix(count);
    }
}

template <class Parser>
ParseState feed_in_pieces(Parser& parser, InputBuffer& input, std::string_view bytes, std::size_t piece) {
    ParseState state = ParseState::more;
    while (state == ParseState::more && !bytes.empty()) {
        const std::size_t count = std::min(piece, bytes.size());
        push(input, bytes.substr(0, count));
        bytes.remove_prefix(count);
        state = parser.feed(input);
    }
    push(input, bytes);  // what has not been offered is left too
    return state;
}

Parsed parse_response(std::string_view bytes, std::size_t piece, bool answers_head) {
    ResponseParser parser(limits, answers_head);
    InputBuffer input;
    Parsed parsed{.state = feed_in_pieces(parser, input, bytes, piece)};
    if (parsed.state == ParseState::more) parsed.state = parser.finish(true);
    require(parsed.state != ParseState::more, "when the stream has ended nothing more is expected");
    if (parsed.state != ParseState::complete) {
        require(!parser.problem().empty(), "a refusal says why");
        return parsed;
    }
    parsed.reusable = parser.may_reuse_connection();
    parsed.left = input.data().size();
    parsed.response = parser.take();
    return parsed;
}

bool same(const Headers& a, const Headers& b) { return a.fields() == b.fields(); }

void check_response(std::string_view bytes, std::size_t piece, bool answers_head) {
    const Parsed whole = parse_response(bytes, bytes.size() + 1, answers_head);
    const Parsed pieces = parse_response(bytes, piece, answers_head);
    require((whole.state == ParseState::complete) == (pieces.state == ParseState::complete),
            "pieces make no difference to the verdict");
    if (whole.state != ParseState::complete) return;
    require(whole.response.status == pieces.response.status && whole.response.body == pieces.response.body &&
                same(whole.response.headers, pieces.response.headers) && whole.left == pieces.left &&
                whole.reusable == pieces.reusable,
            "pieces make no difference to the answer");
    require(whole.response.status >= 200 && whole.response.status <= 999, "interim answers are skipped");
    require(whole.response.body.size() <= limits.body_bytes_max, "a body is bounded");
    require(!answers_head || whole.response.body.empty(), "an answer to HEAD has no body");
    // Printed by ourselves (the simulator's server) it is one answer again, whatever its fields hold.
    std::string printed;
    append_response_head(printed, whole.response, {.head_only = false, .keep_alive = true, .date = {}});
    if (status_has_body(whole.response.status)) printed += whole.response.body;
    if (printed.size() > limits.header_bytes_max) return;
    const Parsed again = parse_response(printed, printed.size() + 1, false);
    require(again.state == ParseState::complete && again.left == 0, "what we print is one answer");
    require(again.response.status == whole.response.status, "with the same status");
    if (status_has_body(whole.response.status))
        require(again.response.body == whole.response.body, "and the same body");
}

void check_request(std::string_view bytes, std::size_t piece) {
    RequestParser whole_parser(limits), piece_parser(limits);
    InputBuffer whole_input, piece_input;
    const ParseState whole = feed_in_pieces(whole_parser, whole_input, bytes, bytes.size() + 1);
    const ParseState pieces = feed_in_pieces(piece_parser, piece_input, bytes, piece);
    require((whole == ParseState::complete) == (pieces == ParseState::complete),
            "pieces make no difference to a request's verdict");
    if (whole != ParseState::complete) return;
    const bool keep_alive = whole_parser.keep_alive();
    require(keep_alive == piece_parser.keep_alive(), "nor to the connection");
    const Request request = whole_parser.take(), other = piece_parser.take();
    require(request.method == other.method && request.target == other.target && request.body == other.body &&
                same(request.headers, other.headers) && whole_input.data().size() == piece_input.data().size(),
            "pieces make no difference to the request");
    if (!galleryd::http::check_request(request)) return;  // we would not send it
    std::string printed;
    append_request(printed, {.scheme = "https", .host = "management.azure.com", .port = "443"}, request);
    if (printed.size() > limits.header_bytes_max) return;
    RequestParser again_parser(limits);
    InputBuffer again_input;
    require(feed_in_pieces(again_parser, again_input, printed, printed.size() + 1) == ParseState::complete &&
                again_input.empty(),
            "what we send is one request");
    const Request again = again_parser.take();
    require(again.method == request.method && again.target == request.target && again.body == request.body,
            "what we send is what was meant");
}

void run(std::string_view bytes) {
    Choices choices(bytes);
    const std::size_t piece = 1 + choices.below(40);
    const bool answers_head = choices.below(4) == 3;
    check_response(choices.rest(), piece, answers_head);
    check_request(choices.rest(), piece);
}

const Registered registered({.name = "http", .run = run});

}  // namespace
}  // namespace galleryd::fuzz
