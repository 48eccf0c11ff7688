#pragma once
#include <string>
#include <vector>

#include "controller/core/result.h"

namespace galleryd::simulator {

struct ReplayReport {
    int exchanges = 0;  // in the file
    int compared = 0;
    std::vector<std::string> differences;  // "exchange 17 GET …: body.properties.x: recorded …, simulated …"
    std::vector<std::string> skipped;  // "exchange 3 GET graph.microsoft.com/…: not part of the simulated surface"
};

// Sends the requests of a recording (VCR YAML: interactions[] of request and response) to a fresh simulator, with time
// as the recording tells it, and compares status, header names, and body shape and values. Ids, times and counters are
// masked. What the recording presupposes (groups, sources, galleries it did not create) is seeded from its own answers.
// `invalid` with reason RecordingInvalid when the text is not such a file.
Result<ReplayReport> replay_recording(const std::string& yaml);

}  // namespace galleryd::simulator
