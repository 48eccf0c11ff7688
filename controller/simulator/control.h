#pragma once
#include <optional>

#include "controller/adapters/http/server.h"
#include "controller/simulator/simulator.h"

// A door beside Azure's own, for tests and measurements (`galleryd simulate --control`): what happens behind every
// client's back. No token, no limit, no line in the request log.
//
//   POST /simulator/changes   {"changes": [{"id": "/subscriptions/…", "patch": {JSON merge patch}}], "remove":
//   ["/subscriptions/…"]}
//                             200 {"changed": 3, "removed": 1}; 400 with the first resource that is not there, and
//                             nothing behind it done
namespace galleryd::simulator {

// nullopt: not for this door.
std::optional<http::ServerResponse> control(Simulator& simulator, const http::ServerRequest& request);

}  // namespace galleryd::simulator
