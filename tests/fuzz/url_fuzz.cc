#include "controller/adapters/azure/token_answer.h"
#include "controller/adapters/http/head.h"
#include "controller/adapters/http/transport.h"
#include "tests/fuzz/target.h"

// Addresses from answers (nextLink, Location, Azure-AsyncOperation) and from flags: a token follows them, so an address
// means one origin or nothing.
namespace galleryd::fuzz {
namespace {

using namespace galleryd::http;

void check_url(const std::string& text) {
    const auto url = parse_url(text);
    if (!url) return require_clear(url.error());
    require(url->target.starts_with('/'), "a target begins with a slash");
    require(!url->origin.host.empty() && !url->origin.port.empty(), "an origin is complete");
    require(url->origin.host.find_first_of("/@?#\\ %") == std::string::npos, "a host is a host");
    const std::string printed = to_string(url->origin) + url->target;
    const auto again = parse_url(printed);
    require(again && again->origin == url->origin && again->target == url->target, "an address reads back");
    const Request request{.method = "GET", .target = url->target};
    require(check_request(request).has_value(), "its target can be sent");
    // Nothing before the first slash, question mark or the end may name another host.
    const std::size_t begin = text.find("://") + 3;
    const std::string authority = text.substr(begin, text.find_first_of("/?", begin) - begin);
    require(!authority.contains('@'), "no user information");
    std::string folded = authority;
    for (char& c : folded) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    require(folded.contains(url->origin.host), "the host is the one that is written there");
}

void run(std::string_view bytes) {
    const std::string text(bytes);
    check_url(text);
    check_url("https://management.azure.com" + text);
    if (const auto origin = parse_origin(text)) {
        const auto again = parse_origin(to_string(*origin));
        require(again && *again == *origin, "an origin reads back");
    }
    const std::string encoded = azure::form_encode(bytes);
    require(encoded.find_first_of("&=+ /?#\r\n") == std::string::npos, "an encoded value stays in its field");
    require(encoded.size() <= 3 * bytes.size(), "a byte becomes at most three");
    if (azure::is_plain_name(bytes)) require(encoded == bytes, "a plain name needs no encoding");
}

const Registered registered({.name = "url", .run = run, .mutations = 5000});

}  // namespace
}  // namespace galleryd::fuzz
