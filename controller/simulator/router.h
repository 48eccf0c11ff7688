#pragma once
#include "controller/simulator/rules.h"

// Internal: from a request to the rule that answers it.
namespace galleryd::simulator {

// What must hold before any rule looks at the request: api-version, subscription id, group.
std::optional<Answer> check_request(const World& world, const Call& call);
Answer route(World& world, const Call& call);

}  // namespace galleryd::simulator
