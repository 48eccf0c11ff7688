#include "controller/program/config_file.h"

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>

#include "controller/adapters/documents/text.h"
#include "controller/adapters/documents/tree.h"

namespace galleryd {
namespace {

constexpr std::size_t file_bytes_max = 64 * 1024;  // there are twenty flags

const std::set<std::string>& known_names() {
    static const std::set<std::string> names{
        "source",     "azure",     "azure-ca-file", "credential", "credentials-dir", "http",           "metrics",
        "state-dir",  "interval",  "full-interval", "observe",    "allow-deletes",   "prune",          "arm-share",
        "log-format", "log-level", "instance",      "prices",     "time-scale",      "simulator-state"};
    return names;
}

std::unexpected<Error> refuse(const std::string& path, const std::string& what) {
    Error error{.kind = ErrorKind::invalid, .reason = "WrongConfig", .message = "--config " + path + ": " + what};
    error.code = "GD5020";
    return std::unexpected(std::move(error));
}

std::optional<std::string> config_path(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument == "--config" && i + 1 < argc) return argv[i + 1];
        if (argument.starts_with("--config=")) return std::string(argument.substr(9));
    }
    return std::nullopt;
}

std::optional<std::string> scalar_text(const nlohmann::json& value) {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
    if (value.is_number()) return value.dump();
    if (!value.is_array()) return std::nullopt;
    std::string joined;  // several sources: CLI11 splits environment values at blanks
    for (const nlohmann::json& item : value) {
        if (!item.is_string()) return std::nullopt;
        joined += (joined.empty() ? "" : " ") + item.get<std::string>();
    }
    return joined;
}

}  // namespace

Result<std::map<std::string, std::string>> read_config(std::string_view text, const std::string& path) {
    if (text.size() > file_bytes_max) return refuse(path, "the file is larger than 64 KiB");
    if (const auto problem = documents::find_text_problem(text)) return refuse(path, problem->problem.message);
    const auto pieces = documents::cut_documents(text);
    if (pieces.size() != 1) return refuse(path, "one YAML document with flag names and values is expected");
    const documents::ReadTree read = documents::read_tree(pieces.front());
    if (read.failure) return refuse(path, read.failure->problem.message);
    if (!read.tree.value.is_object())
        return refuse(path, "write one `name: value` a line, with the names of the flags");
    std::map<std::string, std::string> values;
    for (const auto& [name, value] : read.tree.value.items()) {
        if (!known_names().contains(name))
            return refuse(path, "`" + documents::shortened(name) +
                                    "` is not the name of a flag; `galleryd run --help` lists them");
        const auto scalar = scalar_text(value);
        if (!scalar) return refuse(path, "`" + name + "` needs a text, number or true/false");
        std::string variable = "GALLERYD_";
        for (const char c : name)
            variable += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
        values.emplace(std::move(variable), *scalar);
    }
    return values;
}

Status apply_config_file(int argc, char** argv) {
    const auto path = config_path(argc, argv);
    if (!path) return {};
    std::ifstream file(*path, std::ios::binary);
    std::string content(file_bytes_max + 1, '\0');  // one more than allowed: enough to refuse, also /dev/zero
    file.read(content.data(), static_cast<std::streamsize>(content.size()));
    if (!file.is_open() || file.bad()) return refuse(*path, "the file cannot be read");
    content.resize(static_cast<std::size_t>(file.gcount()));
    const auto values = read_config(content, *path);
    if (!values) return std::unexpected(values.error());
    for (const auto& [variable, value] : *values) ::setenv(variable.c_str(), value.c_str(), 0);
    return {};
}

}  // namespace galleryd
