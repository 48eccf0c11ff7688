#pragma once
#include <string_view>

#include "controller/adapters/azure/json_read.h"

// Internal to this folder: the same tree as nlohmann's parser, in half the time for texts as Azure writes them (ASCII
// without escapes, whole numbers); everything else, and everything that is wrong, is left to that parser.
namespace galleryd::azure {

// Discarded when the text is no whole JSON value. Requires: nested json_depth_max deep at most.
Json parse_plain_json(std::string_view text);

}  // namespace galleryd::azure
