#include "controller/simulator/faults.h"

#include <yaml-cpp/yaml.h>

#include <map>

#include "controller/adapters/documents/plain_yaml.h"
#include "controller/core/resource_id.h"

namespace galleryd::simulator {
namespace {

using Setter = std::function<void(Fault&, const YAML::Node&)>;

std::vector<std::string> texts(const YAML::Node& node) {
    if (node.IsScalar()) return {node.as<std::string>()};
    return node.as<std::vector<std::string>>();
}

std::chrono::seconds seconds_of(const YAML::Node& node) {
    const std::string text = node.as<std::string>();
    if (const auto duration = parse_duration(text)) return *duration;
    return std::chrono::seconds(node.as<int>());
}

void set_time(const YAML::Node& node, std::optional<TimePoint>& at, std::optional<std::chrono::seconds>& from_start) {
    at = parse_rfc3339(node.as<std::string>());
    if (!at) from_start = seconds_of(node);
}

const std::map<std::string, Setter>& match_keys() {
    static const std::map<std::string, Setter> keys{
        {"method", [](Fault& f, const YAML::Node& n) { f.methods = texts(n); }},
        {"path", [](Fault& f, const YAML::Node& n) { f.path = n.as<std::string>(); }},
        {"resource", [](Fault& f, const YAML::Node& n) { f.resource = fold_case(n.as<std::string>()); }},
        {"count", [](Fault& f, const YAML::Node& n) { f.count = n.as<int>(); }},
        {"probability", [](Fault& f, const YAML::Node& n) { f.probability = n.as<double>(); }},
        {"after", [](Fault& f, const YAML::Node& n) { set_time(n, f.after, f.after_start); }},
        {"before", [](Fault& f, const YAML::Node& n) { set_time(n, f.before, f.before_start); }},
    };
    return keys;
}

void set_foreign_write(Fault& fault, const YAML::Node& node) {
    for (const auto& entry : node) {
        const std::string key = entry.first.as<std::string>();
        if (key == "id") fault.foreign_id = entry.second.as<std::string>();
        else if (key == "patch") fault.foreign_patch = entry.second.as<std::string>();
        else
            throw YAML::RepresentationException(
                entry.first.Mark(),
                "unknown key '" + key + "' in foreignWrite; known: id, patch (a JSON merge patch as text)");
    }
}

const std::map<std::string, Setter>& action_keys() {
    static const std::map<std::string, Setter> keys{
        {"status", [](Fault& f, const YAML::Node& n) { f.status = n.as<int>(); }},
        {"code", [](Fault& f, const YAML::Node& n) { f.code = n.as<std::string>(); }},
        {"message", [](Fault& f, const YAML::Node& n) { f.message = n.as<std::string>(); }},
        {"retryAfter",
         [](Fault& f, const YAML::Node& n) {  // "7", "2m", or any text: a date, a negative number, nonsense
             const std::string text = n.as<std::string>();
             const auto duration = parse_duration(text);
             f.retry_after = duration ? std::to_string(duration->count()) : text;
         }},
        {"delay", [](Fault& f, const YAML::Node& n) { f.delay = seconds_of(n); }},
        {"delayMs", [](Fault& f, const YAML::Node& n) { f.delay = std::chrono::milliseconds(n.as<int>()); }},
        {"cutAfterBytes", [](Fault& f, const YAML::Node& n) { f.cut_after_bytes = n.as<long>(); }},
        {"dropPage", [](Fault& f, const YAML::Node& n) { f.drop_page = n.as<bool>(); }},
        {"repeatPage", [](Fault& f, const YAML::Node& n) { f.repeat_page = n.as<bool>(); }},
        {"failRegion", [](Fault& f, const YAML::Node& n) { f.fail_regions = texts(n); }},
        {"details", [](Fault& f, const YAML::Node& n) { f.fail_details = n.as<std::string>(); }},
        {"hangOperation", [](Fault& f, const YAML::Node& n) { f.hang_operation = n.as<bool>(); }},
        {"loseOperation", [](Fault& f, const YAML::Node& n) { f.lose_operation = n.as<bool>(); }},
        {"longUrl",
         [](Fault& f, const YAML::Node& n) {
             f.long_url = n.as<std::string>() == "true" ? 3400 : n.as<std::size_t>();
         }},
        {"staleRead",
         [](Fault& f, const YAML::Node& n) {
             f.stale_read = n.as<std::string>() == "true" ? std::chrono::seconds(60) : seconds_of(n);
         }},
        {"graphLag", [](Fault& f, const YAML::Node& n) { f.graph_lag = seconds_of(n); }},
        {"graphFreeze", [](Fault& f, const YAML::Node& n) { f.graph_freeze = n.as<bool>(); }},
        {"graphTruncate", [](Fault& f, const YAML::Node& n) { f.graph_truncate = n.as<bool>(); }},
        {"graphHideRows", [](Fault& f, const YAML::Node& n) { f.graph_hide_rows = n.as<std::size_t>(); }},
        {"graphRepeatRows", [](Fault& f, const YAML::Node& n) { f.graph_repeat_rows = n.as<std::size_t>(); }},
        {"foreignWrite", set_foreign_write},
        {"headers",
         [](Fault& f, const YAML::Node& n) {
             for (const auto& entry : n)
                 f.headers.emplace_back(entry.first.as<std::string>(), entry.second.as<std::string>());
         }},
        {"aadsts", [](Fault& f, const YAML::Node& n) { f.aadsts = n.as<int>(); }},
        {"expireTokens", [](Fault& f, const YAML::Node& n) { f.expire_tokens = n.as<bool>(); }},
    };
    return keys;
}

std::string known_names(const std::map<std::string, Setter>& keys) {
    std::string names;
    for (const auto& [name, setter] : keys) names += (names.empty() ? "" : ", ") + name;
    return names;
}

void read_keys(Fault& fault, const YAML::Node& node, const std::map<std::string, Setter>& keys,
               const std::string& where) {
    if (!node.IsMap()) throw YAML::RepresentationException(node.Mark(), where + " must be a map");
    for (const auto& entry : node) {
        const std::string key = entry.first.as<std::string>();
        const auto setter = keys.find(key);
        if (setter == keys.end())
            throw YAML::RepresentationException(
                entry.first.Mark(), "unknown key '" + key + "' in " + where + "; known: " + known_names(keys));
        setter->second(fault, entry.second);
    }
}

// {match: {…}, do: {…}}, or both sets of keys side by side.
Fault read_fault(const YAML::Node& node) {
    Fault fault;
    if (!node.IsMap()) throw YAML::RepresentationException(node.Mark(), "every fault must be a map");
    std::map<std::string, Setter> both = match_keys();
    both.insert(action_keys().begin(), action_keys().end());
    for (const auto& entry : node) {
        const std::string key = entry.first.as<std::string>();
        if (key == "match") read_keys(fault, entry.second, match_keys(), "match");
        else if (key == "do") read_keys(fault, entry.second, action_keys(), "do");
        else if (both.contains(key)) both.at(key)(fault, entry.second);
        else
            throw YAML::RepresentationException(entry.first.Mark(),
                                                "unknown key '" + key + "'; known: match, do, " + known_names(both));
    }
    if (fault.probability < 0 || fault.probability > 1)
        throw YAML::RepresentationException(node.Mark(), "probability must be between 0 and 1");
    if (fault.status && (*fault.status < 100 || *fault.status > 599))
        throw YAML::RepresentationException(node.Mark(), "status must be between 100 and 599");
    return fault;
}

}  // namespace

bool matches_glob(std::string_view pattern, std::string_view text) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = std::string_view::npos;
    std::size_t star_text = 0;
    while (t < text.size()) {
        if (p < pattern.size() && (pattern[p] == '?' || lower(pattern[p]) == lower(text[t])) && pattern[p] != '*') {
            ++p;
            ++t;
        } else if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            star_text = t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++star_text;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

Status Faults::load(const std::string& yaml) {
    std::vector<Fault> loaded;
    // Read once by the guarded reader (size, depth, aliases, documents that make yaml-cpp spin); what passes is safe
    // for its tree.
    const documents::PlainYaml guarded = documents::read_plain_yaml(yaml);
    if (!guarded.problem.empty())
        return fail(ErrorKind::invalid, "FaultsInvalid",
                    "faults file, line " + std::to_string(guarded.line) + ": " + guarded.problem);
    try {
        const YAML::Node document =
            YAML::Load(yaml);  // lint: allow yaml_load (the guarded reader accepted this text above)
        if (!document.IsNull() && !document.IsSequence())
            return fail(ErrorKind::invalid, "FaultsInvalid", "the faults file must be a YAML list");
        for (const YAML::Node& node : document) loaded.push_back(read_fault(node));
    } catch (const YAML::Exception& error) {
        return fail(ErrorKind::invalid, "FaultsInvalid",
                    "faults file, line " + std::to_string(error.mark.line + 1) + ": " + error.msg);
    }
    for (Fault& fault : loaded) faults_.push_back(std::move(fault));
    return {};
}

Fault* Faults::match(World& world, const Call& call, TimePoint start) {
    for (Fault& fault : faults_) {
        if (fault.count == 0) continue;
        if (!fault.methods.empty() && std::ranges::find(fault.methods, call.method()) == fault.methods.end()) continue;
        if (!fault.path.empty() && !matches_glob(fault.path, call.path.text)) continue;
        if (!fault.resource.empty() && fault.resource != call.path.key) continue;
        if ((fault.after && call.now < *fault.after) || (fault.before && call.now >= *fault.before)) continue;
        if ((fault.after_start && call.now < start + *fault.after_start) ||
            (fault.before_start && call.now >= start + *fault.before_start))
            continue;
        if (fault.probability < 1 && world.id_random.unit() >= fault.probability) continue;
        if (fault.count > 0) --fault.count;
        return &fault;
    }
    return nullptr;
}

}  // namespace galleryd::simulator
