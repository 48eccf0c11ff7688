#include "tests/plans/case_file.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>

#include "controller/adapters/azure/decode.h"
#include "controller/adapters/documents/reader.h"
#include "controller/core/tags.h"
#include "tests/plans/case_policy.h"
#include "tests/plans/case_yaml.h"

namespace galleryd::plans {
namespace {

using nlohmann::json;

template <class T>
T expect(Result<T> value, const std::string& what) {
    if (!value) throw std::runtime_error(what + ": " + value.error().message);
    return std::move(*value);
}

void check_keys(const json& object, const std::set<std::string>& known) {
    for (const auto& [key, value] : object.items()) {
        if (!known.contains(key)) throw std::runtime_error("unknown key \"" + key + "\"");
    }
}

void add_resource(Estate& azure, const json& body, TimePoint now) {
    const std::string text = body.dump();
    const ResourceId id(body.value("id", ""));
    const std::string type = fold_case(id.type());
    const azure::DecodeContext context{.read_at = now, .server_date = now, .groups_asked = true, .keep_raw = true};
    if (type == "microsoft.compute/galleries") {
        azure.galleries[id.key()] = expect(azure::decode_gallery(text, context), id.text());
    } else if (type == "microsoft.compute/galleries/images") {
        azure.definitions[id.key()] = expect(azure::decode_definition(text, context), id.text());
    } else if (type == "microsoft.compute/galleries/images/versions") {
        azure.versions[id.key()] = expect(azure::decode_version(text, context), id.text());
    } else if (type == "microsoft.storage/storageaccounts") {
        azure.storage[id.key()] = expect(azure::decode_storage_account(text), id.text());
    } else if (type.ends_with("roleassignments")) {
        azure.assignments.push_back(expect(azure::decode_role_assignment(text), id.text()));
    } else if (type.ends_with("resourcegroups") || type.empty()) {
        azure.groups[id.key()] = expect(azure::decode_resource_group(text), id.text());
    } else {
        throw std::runtime_error("azure holds a resource of unknown type: " + id.text());
    }
}

DesiredObjects read_manifests(const json& manifests, TimePoint now) {
    std::vector<DocumentFile> files;
    for (const json& manifest : manifests) {
        const std::string name = manifest.at("kind").get<std::string>() + "-" +
                                 manifest.at("metadata").at("name").get<std::string>() + ".json";
        files.push_back({name, manifest.dump(2)});
    }
    ReadOptions options;
    options.now = now;
    ReadResult read = read_documents(files, options);
    for (const DocumentRecord& document : read.documents) {
        for (const Diagnostic& problem : document.problems) {
            if (problem.severity != Severity::error) continue;
            throw std::runtime_error(document.file + ": " + problem.code + " " + problem.field + ": " +
                                     problem.message);
        }
    }
    return std::move(read.objects);
}

std::string folder_scope(const std::filesystem::path& path) {
    return path.parent_path().filename() == "gallery" ? "gallery" : "definition";
}

std::string expectation_of(const std::filesystem::path& path) {
    std::ifstream in(path);
    std::string line, text;
    bool inside = false;
    while (std::getline(in, line)) {
        if (line.starts_with("plan:")) {
            inside = true;
        } else if (inside) {
            text += (line.starts_with("  ") ? line.substr(2) : line) + "\n";
        }
    }
    return text;
}

}  // namespace

bool Case::shows(const std::string& what) const { return std::ranges::find(show, what) != show.end(); }

Case read_case(const std::filesystem::path& path, const std::filesystem::path& root) {
    const json file = load_yaml(path);
    check_keys(file, {"why", "now", "base", "policy", "documents", "azure", "view", "scope", "show", "plan"});
    json documents = json::array(), azure = json::array();
    if (file.contains("base")) {
        const json base = load_yaml(root / file.at("base").get<std::string>());
        documents = base.value("documents", json::array());
        azure = base.value("azure", json::array());
    }
    const json own_documents = file.value("documents", json::array()), own_azure = file.value("azure", json::array());
    for (const json& document : own_documents) {
        // A document of the case takes the place of the base's of that kind and name.
        std::erase_if(documents.get_ref<json::array_t&>(), [&](const json& other) {
            return other.at("kind") == document.at("kind") &&
                   other.at("metadata").at("name") == document.at("metadata").at("name");
        });
        documents.push_back(document);
    }
    for (const json& body : own_azure) {
        std::erase_if(azure.get_ref<json::array_t&>(), [&](const json& other) {
            return ResourceId(other.value("id", "")) == ResourceId(body.value("id", ""));
        });
        azure.push_back(body);
    }

    Case result;
    result.path = path;
    result.why = file.at("why").get<std::string>();
    const auto now = parse_rfc3339(file.at("now").get<std::string>());
    if (!now) throw std::runtime_error("`now` is not an RFC 3339 time");
    result.now = *now;
    for (const json& body : azure) add_resource(result.azure, body, result.now);
    result.objects = read_manifests(documents, result.now);
    read_policy(result, file.value("policy", json::object()));
    const json view = file.value("view", json::object());
    result.view_complete = view.value("complete", true);
    result.gallery_exists = view.value("galleryExists", true);
    result.group_exists = view.value("groupExists", true);
    result.scope = file.value("scope", folder_scope(path));
    for (const json& what : file.value("show", json::array())) result.show.push_back(what.get<std::string>());
    result.expected = expectation_of(path);
    return result;
}

void rewrite_expectation(const std::filesystem::path& path, const std::string& plan) {
    std::string kept;
    {
        std::ifstream in(path);
        for (std::string line; std::getline(in, line) && !line.starts_with("plan:");) kept += line + "\n";
    }
    std::ofstream out(path, std::ios::trunc);
    out << kept << "plan: |\n";
    std::istringstream lines(plan);
    for (std::string line; std::getline(lines, line);) out << (line.empty() ? "" : "  ") << line << "\n";
}

}  // namespace galleryd::plans
