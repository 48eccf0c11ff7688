#include "controller/simulator/noise.h"

#include "controller/core/region.h"
#include "controller/core/resource_id.h"

namespace galleryd::simulator {
namespace {

std::string respell(const std::string& text, SeededRandom& random) {
    std::string spelled = text;
    const std::uint64_t way = random.next() % 3;
    for (char& c : spelled) {
        if (way == 0 && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
        if (way == 1 && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return spelled;
}

std::string respell_id(const std::string& id, SeededRandom& random) {
    std::string spelled;
    std::size_t from = 0;
    while (from < id.size()) {
        const std::size_t slash = std::min(id.find('/', from + 1), id.size());
        spelled += respell(id.substr(from, slash - from), random);
        from = slash;
    }
    return spelled;
}

std::string respell_region(const std::string& text, SeededRandom& random) {
    const std::string name = normalise_region(text);
    return random.next() % 2 == 0 ? respell(name, random) : region_display_name(name);
}

void shuffle(Json& list, SeededRandom& random) {
    for (std::size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[random.next() % i]);
}

void visit(Json& value, const std::string& key, SeededRandom& random) {
    if (value.is_object()) {
        for (auto& [name, entry] : value.items()) {
            if (name == "location" && entry.is_string()) entry = respell_region(entry.get<std::string>(), random);
            else if (name == "region" && entry.is_string()) entry = respell_region(entry.get<std::string>(), random);
            else visit(entry, name, random);
        }
    } else if (value.is_array()) {
        for (Json& entry : value) {
            if (key == "targetRegions" && entry.is_object() && entry.contains("name"))
                entry["name"] = respell_region(text_of(entry, "name"), random);
            visit(entry, key, random);
        }
        if (key == "value" || key == "targetRegions" || key == "summary" || key == "dataDiskImages")
            shuffle(value, random);
    } else if (value.is_string() && value.get_ref<const std::string&>().starts_with("/subscriptions/")) {
        value = respell_id(value.get<std::string>(), random);
    }
}

}  // namespace

void add_noise(Json& body, SeededRandom& random) {
    if (!body.is_object() || body.contains("error")) return;
    visit(body, "", random);
}

}  // namespace galleryd::simulator
