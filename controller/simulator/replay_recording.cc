#include "controller/simulator/replay_recording.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "controller/core/region.h"
#include "controller/core/resource_id.h"
#include "controller/simulator/rules.h"
#include "controller/simulator/version_rules.h"

namespace galleryd::simulator {
namespace {

std::string joined(const YAML::Node& node) {
    if (!node.IsSequence()) return node.as<std::string>("");
    std::string text;
    for (const YAML::Node& entry : node) text += (text.empty() ? "" : ", ") + entry.as<std::string>("");
    return text;
}

std::string body_text(const YAML::Node& node) {
    const YAML::Node value = node.IsMap() && node["string"] ? node["string"] : node;
    if (!value.IsDefined() || value.IsNull() || !value.IsScalar()) return {};
    if (value.Tag() == "tag:yaml.org,2002:binary") {
        const std::vector<unsigned char> bytes = YAML::DecodeBase64(value.Scalar());
        return {bytes.begin(), bytes.end()};
    }
    return value.Scalar();
}

std::string operation_guid(const std::map<std::string, std::string>& headers) {
    for (const std::string_view name : {"azure-asyncoperation", "location"}) {
        const auto found = headers.find(std::string(name));
        if (found == headers.end()) continue;
        const std::string folded = fold_case(found->second);
        for (const std::string_view marker : {"/capsoperations/", "/asyncoperations/", "/operationresults/"}) {
            const std::size_t at = folded.find(marker);
            if (at == std::string::npos) continue;
            const std::size_t from = at + marker.size();
            return folded.substr(from, folded.find_first_of("?/", from) - from);
        }
    }
    return {};
}

// Only what the simulated surface promises to answer like Azure is compared; the rest is named and passed over.
std::string why_skipped(const Exchange& exchange) {
    if (exchange.host.find("management.") == std::string::npos)
        return "host " + exchange.host + " is not Azure Resource Manager";
    const std::string& type = exchange.path.type;
    if (is_gallery_type(type) || type == "microsoft.compute/galleries/share" ||
        type == "microsoft.compute/locations/capsoperations")
        return {};
    if (type.starts_with("microsoft.compute/galleries/softdeletedartifacttypes")) return {};
    if (type.starts_with("microsoft.compute/locations/sharedgalleries") ||
        type.starts_with("microsoft.compute/locations/communitygalleries"))
        return {};
    if (type == "resourcegroups" && !exchange.path.collection) return {};
    if (type == "microsoft.authorization/roleassignments" && !exchange.path.collection) return {};
    return (exchange.path.provider.empty() ? "path" : "provider " + exchange.path.provider) +
           " is outside the simulated surface (" + type + ")";
}

Exchange read_exchange(const YAML::Node& node) {
    Exchange exchange;
    const YAML::Node request = node["request"];
    const YAML::Node response = node["response"];
    exchange.method = request["method"].as<std::string>();
    exchange.uri = request["uri"].as<std::string>();
    const std::size_t host_at = exchange.uri.find("//");
    const std::size_t path_at = exchange.uri.find('/', host_at == std::string::npos ? 0 : host_at + 2);
    if (host_at != std::string::npos) exchange.host = exchange.uri.substr(host_at + 2, path_at - host_at - 2);
    exchange.target = path_at == std::string::npos ? "/" : exchange.uri.substr(path_at);
    exchange.path = parse_path(exchange.target);
    exchange.request_body = body_text(request["body"]);
    exchange.status = response["status"]["code"].as<int>();
    for (const auto& header : response["headers"])
        exchange.headers[fold_case(header.first.as<std::string>())] = joined(header.second);
    exchange.body = body_text(response["body"]);
    if (!exchange.body.empty()) exchange.answer = Json::parse(exchange.body, nullptr, false);
    if (exchange.answer.is_discarded()) exchange.answer = nullptr;
    exchange.operation = operation_guid(exchange.headers);
    exchange.skip = why_skipped(exchange);
    return exchange;
}

bool is_write(const Exchange& exchange) {
    return exchange.method == "PUT" || exchange.method == "PATCH" || exchange.method == "DELETE";
}

// ---- what a recording presupposes ----

using Seeds = std::map<std::string, Json>;  // by folded id

Json bare(const std::string& id, const std::string& location) {
    Json body = Json::object();
    body["id"] = id;
    body["location"] = location;
    body["properties"] = Json::object();
    return body;
}

std::string first_group_location(const std::vector<Exchange>& exchanges, const std::string& key) {
    std::string any = "eastus";
    for (const Exchange& exchange : exchanges) {
        if (exchange.path.key == key && !text_of(exchange.answer, "location").empty())
            return text_of(exchange.answer, "location");
        if (any == "eastus" && exchange.path.key.starts_with(key + "/") &&
            !text_of(exchange.answer, "location").empty())
            any = text_of(exchange.answer, "location");
    }
    return any;
}

void seed_groups(const std::vector<Exchange>& exchanges, Seeds& seeds, const std::set<std::string>& created) {
    for (const Exchange& exchange : exchanges) {
        if (exchange.path.group.empty()) continue;
        const std::string id =
            "/subscriptions/" + exchange.path.subscription + "/resourceGroups/" + exchange.path.group;
        const std::string key = fold_case(id);
        if (seeds.contains(key) || created.contains(key)) continue;
        const bool missing = exchange.path.key == key && exchange.status == 404;
        if (missing) continue;
        const auto shown = std::ranges::find_if(exchanges, [&key](const Exchange& one) {
            return one.path.key == key && one.method == "GET" && one.status == 200 && one.answer.is_object();
        });
        seeds[key] = shown != exchanges.end() ? shown->answer : bare(id, first_group_location(exchanges, key));
    }
}

// The disks that a version turned out to have: tells what its source must look like.
Json final_storage(const std::vector<Exchange>& exchanges, const std::string& key) {
    for (const Exchange& exchange : exchanges) {
        const Json& storage = member(exchange.answer, {"properties", "storageProfile"});
        if (exchange.path.key == key && member(storage, {"osDiskImage", "sizeInGB"}).is_number()) return storage;
        for (const Json& row : member(exchange.answer, "value")) {
            const Json& listed = member(row, {"properties", "storageProfile"});
            if (fold_case(text_of(row, "id")) == key && member(listed, {"osDiskImage", "sizeInGB"}).is_number())
                return listed;
        }
    }
    return Json::object();
}

void seed_source(Seeds& seeds, const std::string& id, const std::string& location, const Json& disk,
                 const Json& storage) {
    if (id.empty() || !fold_case(id).starts_with("/subscriptions/") || is_gallery_type(parse_path(id).type)) return;
    Json body = bare(id, location);
    Json& properties = body["properties"];
    if (member(disk, "sizeInGB").is_number()) properties["diskSizeGB"] = member(disk, "sizeInGB");
    const Json& os = member(storage, "osDiskImage");
    if (member(os, "sizeInGB").is_number())
        properties["storageProfile"]["osDisk"]["diskSizeGB"] = member(os, "sizeInGB");
    for (const Json& data : member(storage, "dataDiskImages")) {
        Json row = Json::object();
        row["lun"] = member(data, "lun");
        if (member(data, "sizeInGB").is_number()) row["diskSizeGB"] = member(data, "sizeInGB");
        row["caching"] = text_of(data, "hostCaching");
        properties["storageProfile"]["dataDisks"].push_back(std::move(row));
    }
    seeds[fold_case(id)] = std::move(body);
}

void seed_sources(const std::vector<Exchange>& exchanges, Seeds& seeds) {
    for (const Exchange& exchange : exchanges) {
        if (exchange.path.type != version_type || exchange.method != "PUT" || exchange.status >= 300) continue;
        const Json asked = Json::parse(exchange.request_body, nullptr, false);
        const Json& storage = member(asked, {"properties", "storageProfile"});
        const Json finally = final_storage(exchanges, exchange.path.key);
        const std::string location = text_of(exchange.answer, "location");
        seed_source(seeds, source_id(member(storage, "source")), location, Json(), finally);
        seed_source(seeds, source_id(member(storage, {"osDiskImage", "source"})), location,
                    member(finally, "osDiskImage"), Json());
        for (const Json& disk : member(storage, "dataDiskImages")) {
            Json size = Json::object();
            for (const Json& row : member(finally, "dataDiskImages")) {
                if (member(row, "lun") == member(disk, "lun")) size = row;
            }
            seed_source(seeds, source_id(member(disk, "source")), location, size, Json());
        }
    }
}

void seed_parents(const Exchange& exchange, Seeds& seeds, const std::set<std::string>& created) {
    std::string key = exchange.path.collection ? exchange.path.key.substr(0, exchange.path.key.rfind('/'))
                                               : version_parent(exchange.path.key);
    std::string text = exchange.path.text.substr(0, key.size());
    while (is_gallery_type(parse_path(key).type)) {
        if (!created.contains(key) && !seeds.contains(key)) {
            Json body = bare(
                text, text_of(exchange.answer, "location").empty() ? "eastus" : text_of(exchange.answer, "location"));
            if (parse_path(key).type == definition_type)
                body["properties"] = Json{{"osType", "Linux"}, {"osState", "Generalized"}, {"hyperVGeneration", "V1"}};
            seeds[key] = std::move(body);
        }
        key = version_parent(key);
        text = text.substr(0, key.size());
    }
}

void seed_existing(const std::vector<Exchange>& exchanges, Seeds& seeds, std::set<std::string>& created) {
    for (const Exchange& exchange : exchanges) {
        if (!exchange.skip.empty() || !is_gallery_type(exchange.path.type) || exchange.status >= 300) continue;
        if (is_write(exchange) && exchange.status == 201) created.insert(exchange.path.key);
        const bool is_known = created.contains(exchange.path.key) || seeds.contains(exchange.path.key);
        if (!exchange.path.collection && !is_known) {
            Json body = exchange.answer.is_object() ? exchange.answer : bare(exchange.path.text, "eastus");
            body["id"] = exchange.path.text;
            if (is_write(exchange)) body["properties"]["provisioningState"] = "Succeeded";
            seeds[exchange.path.key] = std::move(body);
        }
        for (const Json& row : member(exchange.answer, "value")) {
            const std::string key = fold_case(text_of(row, "id"));
            const bool masked =
                parse_path(key).group != fold_case(exchange.path.group);  // the recorder missed the upper-case spelling
            if (!key.empty() && !masked && !created.contains(key) && !seeds.contains(key)) seeds[key] = row;
        }
        seed_parents(exchange, seeds, created);
    }
}

}  // namespace

Result<std::vector<Exchange>> read_recording(const std::string& yaml) {
    std::vector<Exchange> exchanges;
    // A document of one ',' makes yaml-cpp spin for ever (stack §3); a recording is a map that begins with its list.
    if (!yaml.starts_with("interactions:") && !yaml.starts_with("version:") && !yaml.starts_with("#") &&
        !yaml.starts_with("---"))
        return fail(ErrorKind::invalid, "RecordingInvalid", "the file does not begin with `interactions:`");
    try {
        const YAML::Node document =
            YAML::Load(yaml);  // lint: allow yaml_load (begins as a recording does, checked above)
        const YAML::Node interactions = document["interactions"];
        if (!interactions.IsDefined() || !interactions.IsSequence())
            return fail(ErrorKind::invalid, "RecordingInvalid", "the file holds no list `interactions`");
        for (const YAML::Node& node : interactions) exchanges.push_back(read_exchange(node));
    } catch (const YAML::Exception& error) {
        return fail(ErrorKind::invalid, "RecordingInvalid",
                    "line " + std::to_string(error.mark.line + 1) + ": " + error.msg);
    }
    TimePoint last = TimePoint(std::chrono::sys_days{std::chrono::year{2020} / 1 / 1});
    for (Exchange& exchange : exchanges) {
        const auto date = parse_http_date(exchange.headers.contains("date") ? exchange.headers.at("date") : "");
        last = std::max(last + std::chrono::milliseconds(1), date.value_or(last));
        exchange.at = last;
    }
    return exchanges;
}

Duration recorded_length(const std::vector<Exchange>& exchanges, std::size_t index) {
    const Exchange& begun = exchanges[index];
    bool seen_running = false;
    for (std::size_t i = index + 1; i < exchanges.size(); ++i) {
        const Exchange& later = exchanges[i];
        const bool polls = !begun.operation.empty() && fold_case(later.uri).find(begun.operation) != std::string::npos;
        const bool reads = later.path.key == begun.path.key && later.method == "GET";
        bool done = false;
        if (polls) {
            const std::string status = text_of(later.answer, "status");
            done = later.status == 200 &&
                   (status.empty() || status == "Succeeded" || status == "Failed" || status == "Canceled");
            seen_running = seen_running || !done;
        } else if (reads) {
            const std::string state = text_of(member(later.answer, "properties"), "provisioningState");
            done = later.status == 404 || state == "Succeeded" || state == "Failed";
            seen_running = seen_running || !done;
        } else if (later.path.key == begun.path.key && is_write(later) && !seen_running) {
            done = true;  // nobody looked before the next write
        }
        if (done) return std::max(Duration(0), later.at - begun.at - Duration(500));
    }
    return seen_running ? Duration(std::chrono::hours(24)) : Duration(100);
}

std::string presupposed_state(const std::vector<Exchange>& exchanges) {
    Seeds seeds;
    std::set<std::string> created;
    for (const Exchange& exchange : exchanges) {
        if (exchange.path.type == "resourcegroups" && exchange.method == "PUT" && exchange.status == 201)
            created.insert(exchange.path.key);
    }
    seed_groups(exchanges, seeds, created);
    seed_existing(exchanges, seeds, created);
    seed_sources(exchanges, seeds);
    Json document = Json::object();
    document["resources"] = Json::array();
    for (auto& [key, body] : seeds) {
        if (parse_resource_id(text_of(body, "id"))) document["resources"].push_back(std::move(body));
    }
    return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace galleryd::simulator
