#pragma once
#include <string>

namespace galleryd {

// `galleryd simulate` (contract §2). Names as the flags.
struct SimulateOptions {
    std::string listen = "127.0.0.1:4480";  // plain HTTP, loopback only; empty: none
    std::string listen_tls;                 // HTTPS; empty: off
    std::string tls_dir;                    // where ca.pem is written; needed with listen_tls
    std::string state;                      // file to start from; need not exist with persist
    bool persist = false;                   // write the state file back on exit
    double time_scale = 1;
    std::string faults;
    std::string log_requests;
    std::string limits = "azure";  // "azure" | "none"
    std::string service_times;     // "get=60ms,…" (simulator/service_times.h); empty: as fast as possible
    std::string operation_time;    // of every long operation, "7m"; empty: drawn
    std::string graph_lag;         // at most so long until Resource Graph shows a change, "0s"; empty: Azure's
    bool noise = false;            // spellings and order vary
    bool control = false;          // POST /simulator/changes
};

// Serves until SIGTERM or SIGINT. Prints "galleryd: listening on http://127.0.0.1:4480" (one line a listener) when
// ready. Returns the exit code: 0, 1 (error, said on stderr) or 64 (wrong usage).
int run_simulate(const SimulateOptions& options);

}  // namespace galleryd
