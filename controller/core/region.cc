#include "controller/core/region.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "controller/core/edit_distance.h"

namespace galleryd {
namespace {

// Public, government and China regions with the display names that the gallery provider answers with (locations call of
// the resource provider; Central US EUAP from recorded traffic). A region missing here still works: it is just not
// suggested.
constexpr std::array<std::pair<std::string_view, std::string_view>, 72> regions{{
    {"asia", "Asia"},
    {"australiacentral", "Australia Central"},
    {"australiacentral2", "Australia Central 2"},
    {"australiaeast", "Australia East"},
    {"australiasoutheast", "Australia Southeast"},
    {"austriaeast", "Austria East"},
    {"belgiumcentral", "Belgium Central"},
    {"brazilsouth", "Brazil South"},
    {"brazilsoutheast", "Brazil Southeast"},
    {"canadacentral", "Canada Central"},
    {"canadaeast", "Canada East"},
    {"centralindia", "Central India"},
    {"centralus", "Central US"},
    {"centraluseuap", "Central US EUAP"},
    {"chilecentral", "Chile Central"},
    {"chinaeast", "China East"},
    {"chinaeast2", "China East 2"},
    {"chinaeast3", "China East 3"},
    {"chinanorth", "China North"},
    {"chinanorth2", "China North 2"},
    {"chinanorth3", "China North 3"},
    {"denmarkeast", "Denmark East"},
    {"eastasia", "East Asia"},
    {"eastus", "East US"},
    {"eastus2", "East US 2"},
    {"eastus2euap", "East US 2 EUAP"},
    {"francecentral", "France Central"},
    {"francesouth", "France South"},
    {"germanynorth", "Germany North"},
    {"germanywestcentral", "Germany West Central"},
    {"indonesiacentral", "Indonesia Central"},
    {"israelcentral", "Israel Central"},
    {"italynorth", "Italy North"},
    {"japaneast", "Japan East"},
    {"japanwest", "Japan West"},
    {"jioindiacentral", "Jio India Central"},
    {"jioindiawest", "Jio India West"},
    {"koreacentral", "Korea Central"},
    {"koreasouth", "Korea South"},
    {"malaysiawest", "Malaysia West"},
    {"mexicocentral", "Mexico Central"},
    {"newzealandnorth", "New Zealand North"},
    {"northcentralus", "North Central US"},
    {"northeurope", "North Europe"},
    {"norwayeast", "Norway East"},
    {"norwaywest", "Norway West"},
    {"polandcentral", "Poland Central"},
    {"qatarcentral", "Qatar Central"},
    {"southafricanorth", "South Africa North"},
    {"southafricawest", "South Africa West"},
    {"southcentralus", "South Central US"},
    {"southeastasia", "Southeast Asia"},
    {"southindia", "South India"},
    {"spaincentral", "Spain Central"},
    {"swedencentral", "Sweden Central"},
    {"swedensouth", "Sweden South"},
    {"switzerlandnorth", "Switzerland North"},
    {"switzerlandwest", "Switzerland West"},
    {"uaecentral", "UAE Central"},
    {"uaenorth", "UAE North"},
    {"uksouth", "UK South"},
    {"ukwest", "UK West"},
    {"usdodcentral", "USDoD Central"},
    {"usdodeast", "USDoD East"},
    {"usgovarizona", "USGov Arizona"},
    {"usgovtexas", "USGov Texas"},
    {"usgovvirginia", "USGov Virginia"},
    {"westcentralus", "West Central US"},
    {"westeurope", "West Europe"},
    {"westus", "West US"},
    {"westus2", "West US 2"},
    {"westus3", "West US 3"},
}};

}  // namespace

std::string normalise_region(std::string_view spelling) {
    std::string name;
    for (const char c : spelling) {
        if (c == ' ' || c == '\t') continue;
        name += (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return name;
}

std::string region_display_name(std::string_view short_name) {
    const auto* const found =
        std::ranges::find(regions, short_name, &std::pair<std::string_view, std::string_view>::first);
    return std::string(found == regions.end() ? short_name : found->second);
}

bool is_known_region(std::string_view short_name) {
    return std::ranges::find(regions, short_name, &std::pair<std::string_view, std::string_view>::first) !=
           regions.end();
}

std::optional<std::string> suggest_region(std::string_view spelling) {
    const std::string wanted = normalise_region(spelling);
    if (wanted.empty() || wanted.size() > 40) return std::nullopt;
    std::string best;
    std::size_t best_distance = 4;  // more than three edits away is another word
    for (const auto& [name, display] : regions) {
        const bool is_prefix = wanted.size() >= 4 && name.starts_with(wanted);
        const std::size_t distance = is_prefix ? 1 : edit_distance(wanted, name, best_distance);
        if (distance < best_distance) {
            best = name;
            best_distance = distance;
        }
    }
    if (best.empty()) return std::nullopt;
    return best;
}

}  // namespace galleryd
