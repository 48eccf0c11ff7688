#pragma once
#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/simulator/box.h"

// A Box that asks Resource Graph and can hold a large estate.
namespace galleryd::simulator {

struct GraphBox : Box {
    GraphBox() : Box(without_lag()) {}
    explicit GraphBox(Options options) : Box(std::move(options)) {}
    static Options without_lag() {
        Options options;
        options.graph_lag = options.graph_change_lag = std::chrono::seconds(0);
        return options;
    }

    // galleries g0…, each with definitions d0…, each with versions 1.0.0, 1.0.1, …
    void estate(int gallery_count, int definition_count, int version_count) {
        Json resources = Json::array();
        for (int g = 0; g < gallery_count; ++g) {
            const std::string gallery = galleries + "g" + std::to_string(g);
            resources.push_back(Json{{"id", gallery}, {"location", "eastus2"}});
            for (int d = 0; d < definition_count; ++d) {
                const std::string definition = gallery + "/images/d" + std::to_string(d);
                Json body = Json::parse(definition_text("s" + std::to_string(d)));
                body["id"] = definition;
                resources.push_back(std::move(body));
                for (int v = 0; v < version_count; ++v) {
                    Json version = Json::parse(version_text());
                    version["id"] = definition + "/versions/1.0." + std::to_string(v);
                    resources.push_back(std::move(version));
                }
            }
        }
        const auto loaded = azure.load_state(Json{{"resources", std::move(resources)}}.dump());
        REQUIRE_MESSAGE(loaded.has_value(), (loaded ? "" : loaded.error().message));
    }

    Reply query(const std::string& text, const Json& options = Json::object(),
                std::vector<std::string> subscriptions = {"11111111-1111-1111-1111-111111111111"}) {
        Json body{{"subscriptions", subscriptions}, {"query", text}};
        if (!options.empty()) body["options"] = options;
        return ask("POST", "/providers/Microsoft.ResourceGraph/resources", body.dump(), "2024-04-01");
    }

    const std::string galleries = subscription + "/resourceGroups/RG-Images/providers/Microsoft.Compute/galleries/";
    const std::string all =
        "resources | where type in~ ('microsoft.compute/galleries','microsoft.compute/galleries/images',"
        "'microsoft.compute/galleries/images/versions')";
};

}  // namespace galleryd::simulator
