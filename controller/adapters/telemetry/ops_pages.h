#pragma once
#include "controller/adapters/http/server.h"
#include "controller/adapters/telemetry/health.h"
#include "controller/adapters/telemetry/metrics_registry.h"
#include "controller/ports/clock.h"

namespace galleryd::telemetry {

struct OpsPages {
    HealthState* health = nullptr;       // required; all of them outlive the server
    MetricsRegistry* metrics = nullptr;  // required
    Clock* clock = nullptr;              // required; measures galleryd_http_request_duration_seconds
    http::Handler next;                  // everything else: /api/v1/…, the page. Empty: 404
    // The value of the label `handler` for a request that `next` answers; it must come from a fixed small set. Empty:
    // "other".
    std::string (*name_of)(const std::string& path) = nullptr;
};

// GET and HEAD of /livez, /healthz, /readyz (with ?verbose) and /metrics; every other method there gets 405 with Allow.
// Paths are compared byte for byte, so there is nothing to traverse. Answers are never cached. Counts every request,
// also those of `next`.
//   /livez, /healthz   200 while the event loop turns
//   /readyz            200 when every check is ready, else 503; lists them as "[+]name ok" and "[-]name failed: reason"
//   /metrics           Prometheus text 0.0.4, OpenMetrics 1.0 when the Accept header prefers it
http::Handler make_ops_handler(OpsPages pages);

}  // namespace galleryd::telemetry
