#include "controller/adapters/http/transport.h"

#include <arpa/inet.h>

#include <charconv>

// Written by hand rather than on a URL library: what is refused matters more than what is accepted. The addresses come
// from answers of servers (nextLink, Location), and a token must never follow one to a host that nobody configured.
namespace galleryd::http {
namespace {

std::unexpected<Error> refuse(const std::string& url, const std::string& why) {
    std::string shown = url.substr(0, 200);  // an address from an answer: may hold anything
    for (char& c : shown) {
        if (c < ' ' || c == '\x7f') c = '?';
    }
    return fail(ErrorKind::invalid, "InvalidUrl", "'" + shown + "' is not a usable address: " + why);
}

bool is_host_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

bool is_ipv6(const std::string& text) {  // without a zone: a zone is meaningful on one machine only
    in6_addr address{};
    return ::inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return result;
}

bool all_of(std::string_view text, bool (*allowed)(char)) {
    for (const char c : text) {
        if (!allowed(c)) return false;
    }
    return true;
}

// "host", "host:port", "[v6]", "[v6]:port"
Result<Origin> parse_authority(const std::string& url, std::string scheme, std::string_view authority) {
    if (authority.find('@') != std::string_view::npos) return refuse(url, "it holds user information ('@')");
    std::string host;
    std::string_view rest;
    if (authority.starts_with('[')) {
        const auto end = authority.find(']');
        if (end == std::string_view::npos) return refuse(url, "']' is missing");
        host = lower(authority.substr(1, end - 1));
        rest = authority.substr(end + 1);
        if (!is_ipv6(host)) return refuse(url, "the IPv6 address is wrong");
    } else {
        const auto colon = authority.find(':');
        host = lower(authority.substr(0, colon));
        if (colon != std::string_view::npos) rest = authority.substr(colon);
        if (host.empty()) return refuse(url, "the host is missing");
        if (host.size() > 253 || host.front() == '.' || host.front() == '-' || !all_of(host, is_host_char)) {
            return refuse(url, "the host name is wrong");
        }
    }
    std::string port = scheme == "https" ? "443" : "80";
    if (!rest.empty()) {
        int number = 0;
        const auto [end, error] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), number);
        if (rest.front() != ':' || rest.size() < 2 || rest[1] == '-' || error != std::errc{} ||
            end != rest.data() + rest.size() || number < 1 || number > 65535) {
            return refuse(url, "the port is not a number from 1 to 65535");
        }
        port = std::to_string(number);
    }
    return Origin{.scheme = std::move(scheme), .host = std::move(host), .port = std::move(port)};
}

}  // namespace

Result<Url> parse_url(std::string url) {
    if (url.size() > 32UL * 1024)
        return refuse(url, "it is longer than 32 KiB");  // Azure sends operation URLs of 3.4 KB
    for (const char c : url) {
        if (c <= ' ' || c == '\x7f' || static_cast<unsigned char>(c) >= 0x80) {
            return refuse(url,
                          "it holds a blank, a control character or a byte outside ASCII; write it percent-encoded");
        }
        if (c == '#') return refuse(url, "it holds a fragment ('#')");
        if (c == '\\') return refuse(url, "it holds a backslash");
    }
    const auto colon = url.find("://");
    if (colon == std::string::npos) return refuse(url, "it does not begin with https:// or http://");
    std::string scheme = lower(std::string_view(url).substr(0, colon));
    if (scheme != "https" && scheme != "http") return refuse(url, "its scheme is neither https nor http");
    const auto begin = colon + 3;
    const auto end = std::min(url.find_first_of("/?", begin), url.size());
    auto origin = parse_authority(url, std::move(scheme), std::string_view(url).substr(begin, end - begin));
    if (!origin) return std::unexpected(origin.error());
    std::string target = url.substr(end);
    if (target.empty() || target.front() == '?') target.insert(0, "/");
    return Url{.origin = std::move(*origin), .target = std::move(target)};
}

Result<Origin> parse_origin(std::string url) {
    auto parsed = parse_url(url);
    if (!parsed) return std::unexpected(parsed.error());
    if (parsed->target != "/") return refuse(url, "only scheme, host and port belong here, no path and no query");
    return std::move(parsed->origin);
}

std::string to_string(const Origin& origin) {
    std::string text = origin.scheme + "://";
    const bool ipv6 = origin.host.find(':') != std::string::npos;
    text += ipv6 ? "[" + origin.host + "]" : origin.host;
    if (origin.port != (origin.scheme == "https" ? "443" : "80")) text += ":" + origin.port;
    return text;
}

}  // namespace galleryd::http
