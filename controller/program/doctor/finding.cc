#include "controller/program/doctor/finding.h"

namespace galleryd::doctor {

std::string_view to_string(Verdict verdict) {
    switch (verdict) {
        case Verdict::ok: return "ok";
        case Verdict::warning: return "warning";
        case Verdict::failed: return "failed";
        case Verdict::skipped: break;
    }
    return "skipped";
}

Finding failed(std::string check, std::string about, std::string measured, std::vector<std::string> fix,
               std::string code) {
    return {.check = std::move(check),
            .about = std::move(about),
            .verdict = Verdict::failed,
            .measured = std::move(measured),
            .fix = std::move(fix),
            .code = std::move(code)};
}

Counts count(const std::vector<Finding>& findings) {
    Counts counts;
    for (const Finding& finding : findings) {
        switch (finding.verdict) {
            case Verdict::ok: ++counts.ok; break;
            case Verdict::warning: ++counts.warning; break;
            case Verdict::failed: ++counts.failed; break;
            case Verdict::skipped: ++counts.skipped; break;
        }
    }
    return counts;
}

}  // namespace galleryd::doctor
