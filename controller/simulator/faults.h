#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "controller/core/result.h"
#include "controller/simulator/call.h"
#include "controller/simulator/world.h"

// Internal: the faults file. A YAML list; the first entry that matches a request decides. Documented with every key in
// `Faults::load`; unknown keys are errors.
namespace galleryd::simulator {

struct Fault {
    // ---- match ----
    std::vector<std::string> methods;  // empty: all
    std::string path;                  // glob over the path, `*` crosses slashes; empty: all
    std::string resource;              // exactly this id, any case
    int count = -1;                    // fires so often at most
    double probability = 1;
    std::optional<TimePoint> after, before;  // simulated time
    std::optional<std::chrono::seconds> after_start, before_start;
    // ---- do ----
    std::optional<int> status;
    std::string code, message;
    std::string retry_after;             // the header's value as it is sent; seconds are real ones
    std::chrono::milliseconds delay{0};  // real
    long cut_after_bytes = -1;
    bool drop_page = false, repeat_page = false, hang_operation = false, lose_operation = false, expire_tokens = false;
    std::vector<std::string> fail_regions;
    std::string fail_details = "Failed with internal server error.";
    std::vector<std::pair<std::string, std::string>> headers;  // replace those of the answer
    int aadsts = 0;            // a sign-in is refused with this number, whatever it shows
    std::size_t long_url = 0;  // polling URLs are padded to this length
    std::optional<std::chrono::seconds>
        stale_read;  // a read shows the state before changes younger than this, also of what is gone
    // Resource Graph: rows as they were so long ago; as they were when this fault fired first; so many rows less in the
    // whole result; so many rows of a page twice; the result cut off without a token.
    std::optional<std::chrono::seconds> graph_lag;
    bool graph_freeze = false, graph_truncate = false;
    std::size_t graph_hide_rows = 0, graph_repeat_rows = 0;
    std::optional<TimePoint> frozen_at;
    std::string foreign_id, foreign_patch;  // somebody else writes this just before the request is served
};

class Faults {
  public:
    Status load(const std::string& yaml);
    Fault* match(World& world, const Call& call, TimePoint start);  // nullptr: none; counts what fires

  private:
    std::vector<Fault> faults_;
};

bool matches_glob(std::string_view pattern, std::string_view text);  // `*` any run, `?` one character; no case

}  // namespace galleryd::simulator
