#include <algorithm>
#include <array>
#include <cctype>

#include "controller/core/resource_id.h"
#include "controller/simulator/replay_recording.h"

namespace galleryd::simulator {
namespace {

// Taken out by the recorder, written by the transport or the edge in front of Azure, or a matter of its year.
constexpr std::array<std::string_view, 39> noise_headers{"authorization",
                                                         "retry-after",
                                                         "x-ms-request-id",
                                                         "x-ms-correlation-request-id",
                                                         "x-ms-ratelimit-remaining-subscription-reads",
                                                         "x-ms-routing-request-id",
                                                         "content-length",
                                                         "date",
                                                         "connection",
                                                         "server",
                                                         "transfer-encoding",
                                                         "vary",
                                                         "x-cache",
                                                         "x-msedge-ref",
                                                         "strict-transport-security",
                                                         "content-encoding",
                                                         "x-content-type-options",
                                                         "azure-asyncnotification",
                                                         "x-azure-asyncnotification",
                                                         "x-ms-operation-identifier",
                                                         "x-ms-throttling-version",
                                                         "mise-correlation-id",
                                                         "x-ms-original-request-ids",
                                                         "x-aspnet-version",
                                                         "x-powered-by",
                                                         "x-ms-served-by",
                                                         "x-ms-client-request-id",
                                                         "x-ms-request-charge",
                                                         "x-frame-options",
                                                         "x-ms-failure-cause",
                                                         "content-security-policy",
                                                         "set-cookie",
                                                         "etag",
                                                         "x-ms-keyvault-service-version",
                                                         "request-id",
                                                         "client-request-id",
                                                         "x-ms-version",
                                                         "x-ms-ratelimit-remaining-tenant-reads",
                                                         "x-ms-need-to-refresh-epl-cache"};

bool is_noise(std::string_view name) { return std::ranges::find(noise_headers, name) != noise_headers.end(); }

bool is_guid_at(std::string_view text, std::size_t at) {
    if (at + 36 > text.size()) return false;
    for (std::size_t i = 0; i < 36; ++i) {
        const char c = text[at + i];
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? c != '-' : std::isxdigit(static_cast<unsigned char>(c)) == 0) return false;
    }
    return true;
}

std::string without_guids(std::string_view text, std::vector<std::string>& guids) {
    std::string masked;
    for (std::size_t i = 0; i < text.size();) {
        if (is_guid_at(text, i)) {
            guids.push_back(fold_case(text.substr(i, 36)));
            masked += "<guid>";
            i += 36;
        } else {
            masked += text[i++];
        }
    }
    return masked;
}

bool is_upper(std::string_view text) {
    return std::ranges::none_of(text, [](char c) { return c >= 'a' && c <= 'z'; });
}

// The group of an id in a gallery list is in upper case, where the recorder did not find it to rename it.
std::string mask_upper_group(const std::string& id) {
    const Path path = parse_path(id);
    if (path.group.empty() || !is_upper(path.group)) return id;
    const std::size_t at = id.find(path.group);
    return id.substr(0, at) + "<UPPER>" + id.substr(at + path.group.size());
}

std::string short_text(const std::string& text) { return text.size() > 160 ? text.substr(0, 157) + "…" : text; }

std::set<std::string> policies(
    const std::string& header) {  // "Microsoft.Compute/GetGallery3Min;349, …" without the counts
    std::set<std::string> names;
    std::string_view rest = header;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(','), rest.size());
        std::string_view one = rest.substr(0, end);
        while (one.starts_with(' ')) one.remove_prefix(1);
        if (!one.empty()) names.insert(fold_case(one.substr(0, one.find(';'))));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return names;
}

std::string sort_name(const Json& row) { return fold_case(text_of(row, "name") + text_of(row, "region")); }

}  // namespace

void AnswerComparer::differ(const std::string& where, const std::string& recorded, const std::string& ours) {
    found_.push_back(where + ": recorded " + (recorded.empty() ? "nothing" : short_text(recorded)) + ", simulated " +
                     (ours.empty() ? "nothing" : short_text(ours)));
}

void AnswerComparer::compare_text(const std::string& where, const std::string& key, const std::string& recorded,
                                  const std::string& ours) {
    if (recorded == ours) return;
    if (parse_rfc3339(recorded) && parse_rfc3339(ours)) return;
    std::vector<std::string> recorded_guids;
    std::vector<std::string> our_guids;
    std::string a = without_guids(recorded, recorded_guids);
    std::string b = without_guids(ours, our_guids);
    if (key == "uniqueName" || key == "uniqueId") {  // <subscription>-<GALLERY NAME>: the recorder renamed neither
        if (key == "uniqueName" && a.starts_with("<guid>-") && b.starts_with("<guid>-") && is_upper(a.substr(7)) &&
            is_upper(b.substr(7))) {
            names_[fold_case(recorded)] = ours;
            return;
        }
        a = translate(recorded);
        if (fold_case(a) == fold_case(ours)) return;
        a = without_guids(a, recorded_guids);
    }
    if (a != b) {
        a = mask_upper_group(a);
        b = mask_upper_group(b);
    }
    if (a != b || recorded_guids.size() != our_guids.size()) {
        differ(where, recorded, ours);
        return;
    }
    for (std::size_t i = 0; i < recorded_guids.size(); ++i) {
        const auto [known, fresh] = names_.emplace(recorded_guids[i], our_guids[i]);
        if (!fresh && fold_case(known->second) != our_guids[i] && key == "name")
            differ(where + " (guid of another thing)", recorded, ours);
    }
}

void AnswerComparer::compare_json(const std::string& where, const std::string& key, const Json& recorded,
                                  const Json& ours) {
    if (recorded.is_string() && ours.is_string()) {
        compare_text(where, key, recorded.get<std::string>(), ours.get<std::string>());
        return;
    }
    if (recorded.is_object() && ours.is_object()) {
        for (const auto& [name, value] : recorded.items()) {
            if (!ours.contains(name)) differ(where + "." + name, value.dump(), "");
            else compare_json(where + "." + name, name, value, ours[name]);
        }
        for (const auto& [name, value] : ours.items()) {
            if (!recorded.contains(name)) differ(where + "." + name, "", value.dump());
        }
        return;
    }
    if (recorded.is_array() && ours.is_array()) {
        if (recorded.size() != ours.size()) {
            differ(where + " (length)", std::to_string(recorded.size()) + " entries",
                   std::to_string(ours.size()) + " entries");
            return;
        }
        std::vector<Json> a(recorded.begin(), recorded.end());
        std::vector<Json> b(ours.begin(), ours.end());
        if (key == "value" || key == "summary") {  // lists have no promised order
            std::ranges::sort(a, {}, sort_name);
            std::ranges::sort(b, {}, sort_name);
        }
        for (std::size_t i = 0; i < a.size(); ++i) compare_json(where + "[" + std::to_string(i) + "]", key, a[i], b[i]);
        return;
    }
    if (key == "progress" && recorded.is_number() && ours.is_number()) return;
    if (recorded != ours) differ(where, recorded.dump(), ours.dump());
}

void AnswerComparer::compare_headers(const Exchange& exchange, const http::Response& ours) {
    std::map<std::string, std::string> sent;
    for (const auto& [name, value] : ours.headers.fields()) {
        std::string& all = sent[fold_case(name)];
        all += (all.empty() ? "" : ", ") + value;
    }
    for (const auto& [name, value] : exchange.headers) {
        if (is_noise(name)) continue;
        if (!sent.contains(name)) differ("header " + name, value, "");
        else if (name == "content-type" && fold_case(value) != fold_case(sent[name]))
            differ("header " + name, value, sent[name]);
        else if (name == "x-ms-ratelimit-remaining-resource" && policies(value) != policies(sent[name]))
            differ("header " + name, value, sent[name]);
    }
    for (const auto& [name, value] : sent) {
        const bool counter = name.starts_with("x-ms-ratelimit-remaining-subscription-") ||
                             name.starts_with("x-ms-ratelimit-remaining-tenant-");
        if (!is_noise(name) && !counter && !exchange.headers.contains(name)) differ("header " + name, "", value);
    }
}

std::vector<std::string> AnswerComparer::compare(const Exchange& exchange, const http::Response& ours) {
    found_.clear();
    if (exchange.status != ours.status)
        differ("status", std::to_string(exchange.status), std::to_string(ours.status) + " " + ours.body);
    if (exchange.status == ours.status) compare_headers(exchange, ours);
    if (exchange.body.empty() != ours.body.empty()) {
        if (exchange.status == ours.status) differ("body", exchange.body, ours.body);
    } else if (!ours.body.empty()) {
        const Json mine = Json::parse(ours.body, nullptr, false);
        if (exchange.status == ours.status) compare_json("body", "", exchange.answer, mine);
    }
    return std::move(found_);
}

std::string AnswerComparer::translate(std::string text) const {
    for (const auto& [recorded, ours] : names_) {
        if (recorded == ours) continue;
        std::string folded = fold_case(text);
        for (std::size_t at = folded.find(recorded); at != std::string::npos;
             at = folded.find(recorded, at + ours.size())) {
            text.replace(at, recorded.size(), ours);
            folded = fold_case(text);
        }
    }
    return text;
}

}  // namespace galleryd::simulator
