#include "controller/program/azure_errors_text.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "controller/adapters/azure/error_rows.h"
#include "controller/adapters/azure/sign_in_table.h"
#include "controller/core/error_catalogue.h"
#include "controller/core/resource_id.h"
#include "controller/program/suggest.h"

namespace galleryd {
namespace {

using azure::ErrorRow;
using azure::SignInRow;

std::string_view what_happens(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::transient: return "tried again by itself, waiting longer each time";
        case ErrorKind::throttled: return "waits as long as Azure asks, and slows what shares the budget";
        case ErrorKind::conflict: return "looked at again soon; nothing is shown";
        case ErrorKind::not_ready: return "waits for something else to finish, then looks again";
        case ErrorKind::invalid: return "waits for another declaration; Stalled";
        case ErrorKind::denied: return "tried again slowly; a person must act; Stalled";
        case ErrorKind::bug: break;
    }
    return "our own mistake: counted, logged, tried again slowly";
}

std::string condition_text(const ErrorRow& row) {
    std::string text;
    if (row.status != 0) text = "HTTP " + std::to_string(row.status);
    if (!row.text.empty()) text += (text.empty() ? "" : ", ") + ("message with \"" + std::string(row.text) + "\"");
    return text.empty() ? "always" : text;
}

std::string row_text(const ErrorRow& row) {
    return "  " + condition_text(row) + ": " + std::string(what_happens(row.kind)) + "\n    reason " +
           std::string(row.reason) + ", " + std::string(row.catalogue) + "; origin: " + std::string(row.origin) + "\n";
}

int number_of(const std::string& topic) {
    std::string digits = fold_case(topic);
    if (digits.starts_with("aadsts")) digits.erase(0, 6);
    int number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return error == std::errc{} && end == digits.data() + digits.size() ? number : 0;
}

std::string explain_sign_in(const SignInRow& row) {
    return "AADSTS" + std::to_string(row.number) + ": a refusal of the sign-in service\n\nMeaning\n  " +
           std::string(row.message) + "\n\nWhat galleryd does\n  " + std::string(what_happens(row.kind)) +
           "\n  origin: " + std::string(row.origin) + "\n\n" + explain_entry(std::string(row.catalogue));
}

std::string cell(std::string_view text) {
    std::string made;
    for (const char c : text) made += c == '|' ? std::string("\\|") : std::string(1, c);
    return made;
}

// The anchor that a heading of errors.md gets: lower case, blanks as dashes, nothing else but letters and digits.
std::string anchor_of(std::string_view code) {
    const CatalogueEntry* const entry = find_error(code);
    const std::string heading = fold_case(code) + (entry == nullptr ? "" : " " + fold_case(entry->title));
    std::string anchor;
    for (const char c : heading) {
        if (c == ' ' || c == '-') anchor += '-';
        else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_') anchor += c;
    }
    return anchor;
}

std::string markdown_row(const ErrorRow& row) {
    const bool is_any = row.code.empty();
    return "| " + (is_any ? std::string("any") : "`" + std::string(row.code) + "`") + " | " +
           cell(condition_text(row)) + " | " + cell(what_happens(row.kind)) + " | " + std::string(row.reason) + " | [" +
           std::string(row.catalogue) + "](errors.md#" + anchor_of(row.catalogue) + ") | " + cell(row.origin) + " |\n";
}

}  // namespace

std::string explain_entry(const std::string& code) {
    const CatalogueEntry* const entry = find_error(code);
    if (entry == nullptr) return {};
    std::string text = std::string(entry->code) + ": " + std::string(entry->title) + "\n\nWhy\n  " +
                       std::string(entry->cause) + "\n\nWhat to do\n  " + std::string(entry->remedy) + "\n";
    if (entry->example.empty()) return text;
    text += "\nExample\n  ";
    for (const char c : entry->example) text += std::string(1, c) + (c == '\n' ? "  " : "");
    return text + "\n";
}

std::string explain_azure_code(const std::string& topic) {
    if (const int number = number_of(topic); number != 0) {
        const SignInRow* const row = azure::find_sign_in_row(number);
        return row == nullptr ? std::string{} : explain_sign_in(*row);
    }
    const std::string wanted = fold_case(topic);
    std::string rows;
    std::string name;
    std::set<std::string> entries;
    for (const ErrorRow& row : azure::error_rows()) {
        if (row.code.empty() || fold_case(row.code) != wanted) continue;
        name = std::string(row.code);
        rows += row_text(row);
        entries.insert(std::string(row.catalogue));
    }
    if (rows.empty()) return {};
    std::string text = name + ": an error code of Azure\n\nWhat galleryd does\n" + rows;
    for (const std::string& code : entries) text += "\n" + explain_entry(code);
    return text;
}

namespace {

// Words of letters and digits with a capital at the head and a small letter somewhere, as Azure spells its codes.
bool looks_like_azure_code(const std::string& topic) {
    const auto is_capital = [](char c) { return c >= 'A' && c <= 'Z'; };
    const auto is_small = [](char c) { return c >= 'a' && c <= 'z'; };
    return topic.size() >= 4 && is_capital(topic.front()) && std::ranges::any_of(topic, is_small) &&
           std::ranges::all_of(topic, [&](char c) { return is_capital(c) || is_small(c) || (c >= '0' && c <= '9'); });
}

}  // namespace

std::string explain_unlisted_azure_code(const std::string& topic) {
    if (fold_case(topic).starts_with("aadsts") && number_of(topic) != 0)
        return topic + ": a refusal of the sign-in service that galleryd has no row for\n\nWhat galleryd does\n  " +
               std::string(what_happens(ErrorKind::denied)) + "\n\n" + explain_entry("GD3010");
    if (!looks_like_azure_code(topic) || nearest(topic, azure_code_names())) return {};
    std::string text =
        topic +
        ": galleryd has no row for an error code of Azure of this name\n\nWhat galleryd does with a code "
        "that it does not know: the HTTP status of the answer decides\n";
    for (const ErrorRow& row : azure::error_rows()) {
        if (row.code.empty() && row.text.empty()) text += row_text(row);
    }
    return text + "  any other from 500 on: " + std::string(what_happens(ErrorKind::transient)) +
           "\n    GD3090\n  any other from 400 on: " + std::string(what_happens(ErrorKind::invalid)) +
           "\n    GD3099\n  a long operation that failed with it: " + std::string(what_happens(ErrorKind::transient)) +
           "\n    GD3099\n\nThe object's condition, the event and the log show Azure's own message and its correlation "
           "id beside the code.\n";
}

std::vector<std::string> azure_code_names() {
    std::vector<std::string> names;
    for (const ErrorRow& row : azure::error_rows()) {
        if (!row.code.empty() && std::ranges::find(names, row.code) == names.end()) names.emplace_back(row.code);
    }
    return names;
}

std::string azure_errors_markdown() {
    std::string text =
        "# Azure's errors\n\nGenerated by `make docs` from the tables in the code; `galleryd explain CODE` prints the "
        "same. The first row that fits decides; a code that is not listed is handled by its HTTP status, at the end. "
        "Origins: azure-facts is the project's sheet of what Azure does, [S] read in a specification, [R] seen in "
        "recorded traffic, [D] Microsoft's documentation, [I] a public issue, [U] not verified.\n\n"
        "| Azure's code | when | what galleryd does | reason | code | origin |\n|---|---|---|---|---|---|\n";
    for (const ErrorRow& row : azure::error_rows()) text += markdown_row(row);
    text +=
        "\nAny other status from 500 on is tried again (GD3090), any other from 400 on waits for another declaration "
        "(GD3099), a redirect is somebody else's (GD3002). A failed operation with a code that is not listed is tried "
        "again (GD3099).\n";
    text +=
        "\n## Sign-in\n\nNumbers of Microsoft Entra, as `AADSTSnnnnn` in its answers. A number that is not listed is "
        "[GD3010](errors.md#gd3010).\n\n| number | meaning | what galleryd does | code | origin "
        "|\n|---|---|---|---|---|\n";
    for (const SignInRow& row : azure::sign_in_rows())
        text += "| " + std::to_string(row.number) + " | " + cell(row.message) + " | " + cell(what_happens(row.kind)) +
                " | [" + std::string(row.catalogue) + "](errors.md#" + anchor_of(row.catalogue) + ") | " +
                cell(row.origin) + " |\n";
    return text;
}

}  // namespace galleryd
