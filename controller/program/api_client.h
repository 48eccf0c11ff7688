#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "controller/core/result.h"

namespace galleryd {

// One GET of a daemon's JSON API; blocking, 10 s. `server` is http://HOST:PORT or HOST:PORT.
Result<nlohmann::json> fetch_json(const std::string& server, const std::string& path);

}  // namespace galleryd
