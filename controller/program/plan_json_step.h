#pragma once
#include <nlohmann/json.hpp>

#include "controller/core/plan.h"

// What a step makes of the resource, in the manifests' words. Internal to the JSON form (it shows nlohmann's types).
namespace galleryd {

struct StepJson {
    nlohmann::ordered_json before =
        nullptr;                             // the fields that change, as they are; null when the resource is not there
    nlohmann::ordered_json after = nullptr;  // as they will be; null when it goes away
    nlohmann::ordered_json after_unknown =
        nlohmann::ordered_json::object();  // known only after the write: {"publishedDate": true}
};
StepJson step_to_json(const Change& change);

}  // namespace galleryd
