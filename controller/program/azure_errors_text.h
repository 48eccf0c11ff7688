#pragma once
#include <string>
#include <vector>

// Azure's own error codes and Microsoft Entra's sign-in numbers for people: what galleryd does when it meets them.
namespace galleryd {

// For `galleryd explain`: every row of the code ("PropertyChangeNotAllowed", any case; "AADSTS7000215" or the number
// alone), then the entries of the GD codes that they lead to. "" when the code is not known.
std::string explain_azure_code(const std::string& topic);
// The same for a code that has no row: how the HTTP status decides. "" when `topic` does not look like one of Azure's
// (SkuNotAvailable, AADSTS4711), or nearly is one that has a row.
std::string explain_unlisted_azure_code(const std::string& topic);

std::vector<std::string> azure_code_names();  // for suggestions

// "GD3050: title", cause, remedy, example, as `explain` prints an entry; "" for an unknown code.
std::string explain_entry(const std::string& code);

std::string azure_errors_markdown();  // docs/reference/azure-errors.md

}  // namespace galleryd
