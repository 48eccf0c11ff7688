#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// What `galleryd doctor` found: one value a check, in the order of asking.
namespace galleryd::doctor {

enum class Verdict : std::uint8_t {
    ok,
    warning,  // works, or will not be needed; worth a look
    failed,   // something that was declared cannot work
    skipped,  // could not be asked, or there was nothing to ask; `measured` says why
};
std::string_view to_string(Verdict verdict);  // "ok", "warning", "failed", "skipped"

struct Finding {
    std::string check;  // "subscription"
    std::string about;  // "/subscriptions/…", "canadacentral in …"; "" when there is only one of it
    Verdict verdict = Verdict::ok;
    std::string measured;          // one line: what was seen
    std::vector<std::string> fix;  // commands, or sentences where no command can do it; never empty when failed
    std::string code;              // GDnnnn, "" when ok
};

// A finding whose answer did not come. `fix` as for failed.
Finding failed(std::string check, std::string about, std::string measured, std::vector<std::string> fix,
               std::string code);

struct Counts {
    int ok = 0, warning = 0, failed = 0, skipped = 0;
};
Counts count(const std::vector<Finding>& findings);

}  // namespace galleryd::doctor
