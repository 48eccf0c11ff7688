#include "tests/plans/case_yaml.h"

#include <yaml-cpp/yaml.h>

#include <charconv>
#include <stdexcept>

namespace galleryd::plans {
namespace {

nlohmann::json scalar(const YAML::Node& node) {
    const std::string& text = node.Scalar();
    if (node.Tag() == "!") return text;  // quoted
    if (text == "true") return true;
    if (text == "false") return false;
    if (text == "null" || text == "~" || text.empty()) return nullptr;
    const char* end = text.data() + text.size();
    std::int64_t whole = 0;
    if (const auto [stop, error] = std::from_chars(text.data(), end, whole); error == std::errc{} && stop == end)
        return whole;
    double number = 0;
    if (const auto [stop, error] = std::from_chars(text.data(), end, number); error == std::errc{} && stop == end)
        return number;
    return text;
}

nlohmann::json convert(const YAML::Node& node) {
    switch (node.Type()) {
        case YAML::NodeType::Null: return nullptr;
        case YAML::NodeType::Scalar: return scalar(node);
        case YAML::NodeType::Sequence: {
            nlohmann::json list = nlohmann::json::array();
            for (const YAML::Node& item : node) list.push_back(convert(item));
            return list;
        }
        case YAML::NodeType::Map: {
            nlohmann::json object = nlohmann::json::object();
            for (const auto& entry : node) {
                const std::string key = entry.first.Scalar();
                if (key == "<<") {  // merge: what is written beside it wins
                    object.update(convert(entry.second));
                    continue;
                }
                object[key] = convert(entry.second);
            }
            return object;
        }
        case YAML::NodeType::Undefined: break;
    }
    return nullptr;
}

}  // namespace

nlohmann::json load_yaml(const std::filesystem::path& path) {
    try {
        return convert(YAML::LoadFile(path.string()));  // lint: allow yaml_load (our own golden cases)
    } catch (const YAML::Exception& problem) {
        throw std::runtime_error(path.filename().string() + ": " + problem.what());
    }
}

}  // namespace galleryd::plans
