#include <algorithm>
#include <array>
#include <cctype>

#include "controller/adapters/telemetry/log.h"
#include "controller/core/resource_id.h"

namespace galleryd::telemetry {

namespace {

constexpr std::string_view replacement = "[redacted]";

bool is_token_character(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.' || c == '~' ||
           c == '+' || c == '/' || c == '=' || c == '%';
}

bool is_word_character(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::size_t end_of_token(std::string_view text, std::size_t from) {
    while (from < text.size() && is_token_character(text[from])) ++from;
    return from;
}

// Names whose value is a secret, whether as form or query field, JSON member or header.
constexpr std::array<std::string_view, 13> secret_names{"client_secret",
                                                        "clientsecret",
                                                        "client_assertion",
                                                        "assertion",
                                                        "access_token",
                                                        "accesstoken",
                                                        "refresh_token",
                                                        "id_token",
                                                        "password",
                                                        "accountkey",
                                                        "sharedaccesskey",
                                                        "sharedaccesssignature",
                                                        "sig"};

// Length of `name` plus the separator ("=", ":", "\":\"" …) when a secret's name starts at `at`; 0 otherwise.
std::size_t secret_prefix(std::string_view folded, std::size_t at) {
    if (at > 0 && is_word_character(folded[at - 1])) return 0;
    for (const std::string_view name : secret_names) {
        if (!folded.substr(at).starts_with(name)) continue;
        std::size_t i = at + name.size();
        if (i < folded.size() && (folded[i] == '"' || folded[i] == '\'')) ++i;
        while (i < folded.size() && folded[i] == ' ') ++i;
        if (i >= folded.size() || (folded[i] != '=' && folded[i] != ':')) continue;
        ++i;
        while (i < folded.size() && folded[i] == ' ') ++i;
        if (i < folded.size() && (folded[i] == '"' || folded[i] == '\'')) ++i;
        return i - at;
    }
    constexpr std::string_view bearer = "bearer ";
    return folded.substr(at).starts_with(bearer) ? bearer.size() : 0;
}

// The value of a named secret ends at its closing quote, or at what ends a field; it may hold any other character.
std::size_t end_of_value(std::string_view text, std::size_t from) {
    const char before = text[from - 1];
    const bool is_quoted = before == '"' || before == '\'';
    const std::size_t end = is_quoted ? text.find(before, from) : text.find_first_of("&;, \t\r\n\"'<>})", from);
    return end == std::string_view::npos ? text.size() : end;
}

bool is_json_web_token(std::string_view token) {
    return token.starts_with("eyJ") && token.size() >= 20 && std::count(token.begin(), token.end(), '.') >= 1;
}

}  // namespace

std::string redact(std::string_view text) {
    const std::string folded = fold_case(text);
    std::string clean;
    clean.reserve(text.size());
    std::size_t no_token_before = 0;  // a run of a token's characters that is no token has none at its end either
    for (std::size_t i = 0; i < text.size();) {
        if (const std::size_t prefix = secret_prefix(folded, i); prefix > 0) {
            const std::size_t end = end_of_value(text, i + prefix);
            clean += text.substr(i, prefix);
            if (end > i + prefix) clean += replacement;
            i = end;
            continue;
        }
        if (text.substr(i).starts_with("-----BEGIN ") &&
            text.substr(i, 64).find("PRIVATE KEY") != std::string_view::npos) {
            clean += replacement;  // a key in PEM: all that follows
            break;
        }
        const bool starts_word = i == 0 || !is_word_character(text[i - 1]);
        if (starts_word && i >= no_token_before && text.substr(i).starts_with("eyJ")) {
            const std::size_t end = end_of_token(text, i);
            if (is_json_web_token(text.substr(i, end - i))) {
                clean += replacement;
                i = end;
                continue;
            }
            no_token_before = end;
        }
        clean += text[i];
        ++i;
    }
    return clean;
}

}  // namespace galleryd::telemetry
