#pragma once
#include "controller/simulator/world.h"

// Internal: spellings that a client must not trust. Ids, group names and regions in any case, lists in any order.
namespace galleryd::simulator {

void add_noise(Json& body, SeededRandom& random);

}  // namespace galleryd::simulator
