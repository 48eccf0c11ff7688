#include "controller/adapters/http/head.h"

#include <array>
#include <charconv>

namespace galleryd::http {
namespace {

bool is_token_char(char c) {  // RFC 9110 §5.6.2
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
    return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_token_char); }

bool is_field_value(std::string_view text) {
    return std::ranges::none_of(text, [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == '\x7f'; });
}

bool same_name(std::string_view name, std::string_view lower) {
    return std::ranges::equal(
        name, lower, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b; });
}

bool is_framing(std::string_view name) {
    switch (name.size()) {
        case 4: return same_name(name, "host");
        case 10: return same_name(name, "connection") || same_name(name, "keep-alive");
        case 14: return same_name(name, "content-length");
        case 17: return same_name(name, "transfer-encoding");
        default: return false;
    }
}

void append_number(std::string& bytes, std::size_t number) {
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    bytes.append(digits.data(), end);
}

void append_field(std::string& bytes, std::string_view name, std::string_view value) {
    bytes.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

Status check_request(const Request& request) {
    const auto refuse = [&](const std::string& what) -> Status {
        return fail(ErrorKind::bug, "InvalidRequest", "the request was not sent: " + what);
    };
    if (!is_token(request.method)) return refuse("its method is not a token");
    if (!request.target.starts_with('/')) return refuse("its target does not begin with '/'");
    for (const char c : request.target) {
        if (c <= ' ' || c == '\x7f') return refuse("its target holds a blank or a control character");
    }
    for (const auto& [name, value] : request.headers.fields()) {
        if (!is_token(name)) return refuse("a header name is not a token");
        if (!is_field_value(value)) return refuse("the header '" + name + "' holds a control character");
    }
    return {};
}

void append_request(std::string& bytes, const Origin& origin, const Request& request) {
    bytes.reserve(bytes.size() + 512 + request.target.size() + request.body.size());
    bytes.append(request.method).append(" ").append(request.target).append(" HTTP/1.1\r\nHost: ");
    const std::string authority = to_string(origin);
    bytes.append(authority, authority.find("://") + 3);
    bytes.append("\r\n");
    for (const auto& [name, value] : request.headers.fields()) {
        if (!is_framing(name)) append_field(bytes, name, value);
    }
    // A length of 0 is told for methods that usually carry a body: Azure answers 411 without it.
    if (!request.body.empty() || request.method == "PUT" || request.method == "POST" || request.method == "PATCH") {
        bytes.append("Content-Length: ");
        append_number(bytes, request.body.size());
        bytes.append("\r\n");
    }
    bytes.append("\r\n").append(request.body);
}

bool status_has_body(int status) { return status >= 200 && status != 204 && status != 304; }

void append_response_head(std::string& bytes, const Response& response, const ResponseFraming& framing) {
    bytes.append("HTTP/1.1 ");
    append_number(bytes, static_cast<std::size_t>(response.status));
    bytes.append(" ").append(reason_phrase(response.status)).append("\r\n");
    bool has_date = false;
    for (const auto& [name, value] : response.headers.fields()) {
        if (is_framing(name) || !is_token(name)) continue;
        has_date = has_date || same_name(name, "date");
        if (is_field_value(value)) {
            append_field(bytes, name, value);
        } else {  // text that would split the answer is made harmless, and still seen
            std::string clean = value;
            std::ranges::replace_if(
                clean, [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }, ' ');
            append_field(bytes, name, clean);
        }
    }
    if (!has_date && !framing.date.empty()) append_field(bytes, "Date", framing.date);
    if (status_has_body(response.status)) {
        const std::string* told =
            framing.head_only && response.body.empty() ? response.headers.find("Content-Length") : nullptr;
        bytes.append("Content-Length: ");
        if (told != nullptr && !told->empty() &&
            std::ranges::all_of(*told, [](char c) { return c >= '0' && c <= '9'; })) {
            bytes.append(*told);
        } else {
            append_number(bytes, response.body.size());
        }
        bytes.append("\r\n");
    }
    if (!framing.keep_alive) bytes.append("Connection: close\r\n");
    bytes.append("\r\n");
}

std::string_view reason_phrase(int status) {
    switch (status) {
        case 100: return "Continue";
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 204: return "No Content";
        case 301: return "Moved Permanently";
        case 302: return "Found";
        case 304: return "Not Modified";
        case 307: return "Temporary Redirect";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 410: return "Gone";
        case 411: return "Length Required";
        case 412: return "Precondition Failed";
        case 413: return "Content Too Large";
        case 415: return "Unsupported Media Type";
        case 422: return "Unprocessable Content";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 502: return "Bad Gateway";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        default: return "Unknown";
    }
}

}  // namespace galleryd::http
