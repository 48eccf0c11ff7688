#pragma once
#include <boost/asio/awaitable.hpp>
#include <optional>

#include "controller/adapters/http/server.h"
#include "controller/ports/clock.h"
#include "controller/ports/journal.h"
#include "controller/program/engine.h"

namespace galleryd {

// The read-only JSON API (experience §1.11):
// /api/v1/{overview,galleries,definitions,versions,policies,sources,plan,events,retention}. Every answer carries
// observed_at. Anything else below /api/ is 404 with an error body.
class Api {
  public:
    Api(Engine& engine, Journal& journal, Clock& clock) : engine_(engine), journal_(journal), clock_(clock) {}
    // nullopt: not a path of the API.
    std::optional<http::ServerResponse> handle(const http::ServerRequest& request);

  private:
    Engine& engine_;
    Journal& journal_;
    Clock& clock_;
};

}  // namespace galleryd
