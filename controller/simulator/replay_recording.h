#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "controller/core/result.h"
#include "controller/core/time.h"
#include "controller/simulator/call.h"
#include "controller/simulator/simulator.h"

// Internal to the replay: a recording, read and looked through.
namespace galleryd::simulator {

struct Exchange {
    std::string method, uri, host, target, request_body;
    Path path;
    int status = 0;
    std::map<std::string, std::string> headers;  // names folded; several values joined by ", "
    std::string body;
    Json answer;            // the body, when it is JSON
    TimePoint at;           // simulated time of the request: strictly increasing
    std::string operation;  // guid in Azure-AsyncOperation or Location, "" when none
    std::string skip;       // why it is not replayed, "" when it is
};

Result<std::vector<Exchange>> read_recording(const std::string& yaml);
// How long the operation that exchange `index` began took, seen from the later exchanges.
Duration recorded_length(const std::vector<Exchange>& exchanges, std::size_t index);
// What must exist before the first request, as a state file.
std::string presupposed_state(const std::vector<Exchange>& exchanges);

// Compares answers. Remembers which recorded guid or generated name stands for which of ours.
class AnswerComparer {
  public:
    std::vector<std::string> compare(const Exchange& exchange, const http::Response& ours);
    std::string translate(std::string text) const;  // recorded names in a later request -> ours

  private:
    void compare_json(const std::string& where, const std::string& key, const Json& recorded, const Json& ours);
    void compare_text(const std::string& where, const std::string& key, const std::string& recorded,
                      const std::string& ours);
    void compare_headers(const Exchange& exchange, const http::Response& ours);
    void differ(const std::string& where, const std::string& recorded, const std::string& ours);

    std::map<std::string, std::string> names_;  // recorded (folded) -> ours
    std::vector<std::string> found_;
};

}  // namespace galleryd::simulator
