#include "controller/program/estate_file.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "controller/program/messages.h"
#include "controller/program/suggest.h"
#include "controller/simulator/simulator.h"

namespace galleryd {

Status check_estate_keys(const std::string& path, const std::string& text) {
    const auto document = nlohmann::json::parse(text, nullptr, false);
    const bool is_resource = document.is_object() && document.contains("id");
    if (!document.is_object() || is_resource)
        return {};  // a list, a single resource, or no JSON: told by the simulator
    const std::vector<std::string> known = simulator::estate_keys();
    for (const auto& [key, value] : document.items()) {
        if (std::ranges::find(known, key) != known.end()) continue;
        const auto meant = nearest(key, known);
        std::string all;
        for (const std::string& one : known) all += (all.empty() ? "" : ", ") + one;
        return wrong_usage("GD5028", path + ": there is no key \"" + key + "\" in an estate" +
                                         (meant ? "; did you mean \"" + *meant + "\"?" : ".") + " Known: " + all);
    }
    return {};
}

Result<std::string> read_estate(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) return wrong_usage("GD5014", path + " cannot be read; name a JSON file with the simulator's estate");
    if (const Status right = check_estate_keys(path, text.str()); !right) return std::unexpected(right.error());
    return text.str();
}

}  // namespace galleryd
