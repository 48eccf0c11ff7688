#pragma once
#include <chrono>
#include <string>
#include <vector>

// Flags as people type them (contract §2), one struct for every verb; defaults are the contract's.
namespace galleryd {

struct CommonOptions {
    std::vector<std::string> sources;  // --source, or PATHs of plan and apply as dir:PATH
    std::string azure = "public";      // public | usgovernment | china | simulator | URL
    std::string azure_ca_file;
    std::string credential = "default";
    std::string credentials_dir;  // of galleries that name one: DIR/NAMESPACE/NAME/KEY; "" = none
    std::string state_dir;        // "" = $XDG_STATE_HOME/galleryd
    std::string instance = "galleryd";
    std::string http = "127.0.0.1:8080";
    std::string metrics;  // "" = off
    std::string interval = "60s", full_interval = "1h";
    bool observe = false, allow_deletes = false, prune = false;
    double arm_share = 0.5;
    std::string prices;      // "" = the embedded list
    std::string log_format;  // "" = text on a terminal, else json
    std::string log_level = "info";
    std::string time_scale = "1";  // of --azure simulator, in the process
    std::string simulator_state;   // its first estate
    std::string simulator_listen = "127.0.0.1:0";
};

struct PlanOptions {
    CommonOptions common;
    std::string output = "text";  // text | json
    std::string out;              // --out FILE
    bool detailed_exitcode = false;
    bool explain = false;  // verdict of every version
    bool summary = false;
    std::string color = "auto";
};

struct ApplyOptions {
    PlanOptions plan;
    std::string plan_file;     // a saved plan instead of PATHs
    int approve_deletes = -1;  // --approve-deletes=N
    std::string timeout = "2h";
};

struct ClientOptions {  // get, events, wait: read a daemon's API
    std::string server = "http://127.0.0.1:8080";
    std::string what;  // kind, or KIND/NAME
    std::string output = "text";
    std::string condition = "ready";  // wait --for
    std::string timeout = "10m";
    std::string for_object;  // events --for
    bool watch = false;
    int limit = 200;
};

// Exit codes of the contract.
inline constexpr int exit_done = 0, exit_error = 1, exit_changes = 2, exit_gate = 3, exit_approval = 4, exit_usage = 64,
                     exit_interrupted = 130;

}  // namespace galleryd
