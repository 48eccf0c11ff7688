#pragma once
#include <string>

#include "controller/core/result.h"
#include "controller/simulator/world.h"

// Internal: an estate as JSON in the shape of ARM resources (contract §2, `galleryd simulate --state`).
namespace galleryd::simulator {

Status load_state(World& world, const std::string& json);
std::string save_state(const World& world);

}  // namespace galleryd::simulator
