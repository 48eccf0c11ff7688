#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace galleryd {

// "Canada Central", "CanadaCentral" and "canadacentral" are one region; the short lower-case form is kept everywhere.
std::string normalise_region(std::string_view spelling);
// "canadacentral" -> "Canada Central" as the provider answers (table of public regions; unknown ones come back
// unchanged).
std::string region_display_name(std::string_view short_name);
bool is_known_region(std::string_view short_name);
// The known region nearest in spelling ("westeu" -> "westeurope"), when one is near enough to be meant.
std::optional<std::string> suggest_region(std::string_view spelling);

}  // namespace galleryd
