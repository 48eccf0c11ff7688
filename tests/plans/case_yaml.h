#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>

namespace galleryd::plans {

// A YAML file as JSON: plain scalars by their look (true, 3, null), quoted ones as strings. Anchors are fine here: only
// the case file has them, the documents in it are handed on as JSON.
nlohmann::json load_yaml(const std::filesystem::path& path);

}  // namespace galleryd::plans
