#pragma once
#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "controller/program/plan_header.h"
#include "reconcilers/image_definition/forecast.h"

// What `retention preview` prints: for every version the rule that decides, the dates, and who or what is in the way.
namespace galleryd {

// In one word, what stands on the date. JSON prints the same words; readers ignore those that they do not know.
//   keep     a rule keeps it, or none names it
//   report   a rule names it and the policy only reports
//   blocked  a rule names it, and a fact is in the way
//   marked   announced, and its grace or the window has not come to its end
//   waits    only people are in the way: approval, a flag, the brake
//   delete   nothing is in the way: the next pass deletes it
//   gone     deleted by then
//   absent   declared and not in Azure, or removed by retention before
std::string fate_of(const VersionForecast& version, TimePoint at);

struct RetentionPreview {
    std::vector<Forecast> forecasts;                          // in scope order
    std::vector<std::pair<std::string, std::string>> unseen;  // scope, why nobody could look
    PlanHeader header;
    bool documents_whole = true;  // every document could be read
    TimePoint now{}, at{};
};

// Durable for machines: format_version "1.0", as plan_json.h promises.
nlohmann::ordered_json retention_to_json(const RetentionPreview& preview);
void print_retention_text(std::ostream& out, const RetentionPreview& preview);

}  // namespace galleryd
