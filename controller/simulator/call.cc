#include "controller/simulator/call.h"

#include "controller/core/resource_id.h"

namespace galleryd::simulator {
namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

void parse_query(std::string_view text, std::map<std::string, std::string>& query) {
    while (!text.empty()) {
        const std::size_t end = text.find('&');
        const std::string_view pair = text.substr(0, end);
        const std::size_t equals = pair.find('=');
        const std::string name = fold_case(percent_decode(pair.substr(0, equals), true));
        const std::string value = equals == std::string_view::npos ? "" : percent_decode(pair.substr(equals + 1), true);
        if (!name.empty()) query.emplace(name, value);
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
}

void parse_types(Path& path) {
    std::size_t provider_at = path.segments.size();
    for (std::size_t i = 0; i + 1 < path.segments.size(); ++i) {
        if (path.folded[i] == "providers") provider_at = i;
    }
    std::size_t from = 0;
    if (provider_at < path.segments.size()) {
        path.provider = path.folded[provider_at + 1];
        path.type = path.provider;
        from = provider_at + 2;
        for (std::size_t i = 0; i < provider_at; ++i) path.scope += "/" + path.segments[i];
    }
    for (std::size_t i = from; i < path.segments.size(); i += 2) {
        if (path.provider.empty()) path.type.clear();
        else path.type += "/";
        path.type += path.folded[i];
        path.collection = i + 1 >= path.segments.size();
        if (!path.collection) path.names.push_back(path.segments[i + 1]);
    }
}

}  // namespace

std::string percent_decode(std::string_view text, bool plus_is_blank) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
            decoded += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
            i += 2;
        } else {
            decoded += plus_is_blank && text[i] == '+' ? ' ' : text[i];
        }
    }
    return decoded;
}

std::string Path::get(std::string_view name) const {
    const auto found = query.find(std::string(name));
    return found == query.end() ? std::string{} : found->second;
}

Path parse_path(std::string_view target) {
    Path path;
    const std::size_t mark = target.find('?');
    if (mark != std::string_view::npos) parse_query(target.substr(mark + 1), path.query);
    std::string_view rest = target.substr(0, mark);
    while (
        !rest.empty()) {  // empty segments vanish: real clients send //subscriptions and Microsoft.Compute//galleries
        const std::size_t end = rest.find('/');
        if (end != 0) path.segments.push_back(percent_decode(rest.substr(0, end)));
        if (end == std::string_view::npos) break;
        rest.remove_prefix(end + 1);
    }
    for (const std::string& segment : path.segments) {
        path.text += "/" + segment;
        path.folded.push_back(fold_case(segment));
    }
    path.key = fold_case(path.text);
    for (std::size_t i = 0; i + 1 < path.segments.size(); ++i) {
        if (i == 0 && path.folded[i] == "subscriptions") path.subscription = path.segments[i + 1];
        if (i == 2 && path.folded[i] == "resourcegroups") path.group = path.segments[i + 1];
    }
    parse_types(path);
    return path;
}

}  // namespace galleryd::simulator
