#include <algorithm>

#include "controller/program/engine.h"

// What is told of objects while Azure does not answer. What Resource Graph said a minute ago stands for a read, so an
// outage would leave everything Ready until those rows are too old; and nobody knows whether it is.
namespace galleryd {
namespace {

// As Kubernetes does with a node that falls silent: a glitch of seconds moves no condition.
constexpr std::chrono::minutes silence_told_after{2};

void set_unknown(ObjectStatus& status, const std::string& since) {
    const auto is_type = [](const char* type) {
        return [type](const Condition& condition) { return condition.type == type; };
    };
    const auto ready = std::ranges::find_if(status.conditions, is_type("Ready"));
    const bool is_stalled = std::ranges::any_of(status.conditions, is_type("Stalled"));
    // What is wrong with the document, or waits for a person, is so whether Azure answers or not.
    if (ready == status.conditions.end() || is_stalled || ready->reason == "Suspended") return;
    if (ready->status == ConditionStatus::unknown) return;
    ready->status = ConditionStatus::unknown;
    ready->reason = "AzureError";
    ready->message =
        "Azure does not answer since " + since + ", so nobody knows (GD3008). Last seen: " + ready->message;
    std::erase_if(status.conditions, is_type("Reconciling"));
    const auto in_sync = std::ranges::find_if(status.conditions, is_type("InSync"));
    if (in_sync == status.conditions.end()) return;
    in_sync->status = ConditionStatus::unknown;
    in_sync->reason = "AzureError";
    in_sync->message = "Azure does not answer since " + since + ".";
}

}  // namespace

void Engine::note_contact(bool is_away, const std::string& text) {
    if (is_away) {
        silence_ = Silence{.began = clock_.monotonic(),
                           .since = format_rfc3339(std::chrono::floor<std::chrono::seconds>(clock_.now()))};
        events_.warning("AzureUnreachable", "azure", text);
    } else {
        silence_.reset();
        events_.normal("AzureReachable", "azure", text);
    }
}

bool Engine::is_silent() const { return silence_ && clock_.monotonic() - silence_->began >= silence_told_after; }

// What an edit says of documents is told meanwhile, too.
bool Engine::report_silence(const Scope& scope) {
    const bool is_edited = to_tell_.contains(scope.name) && report_again(scope, nullptr);
    if (!is_silent()) return is_edited;
    std::vector<ObjectStatus> statuses = statuses_.of(scope.name);
    for (ObjectStatus& status : statuses) set_unknown(status, silence_->since);
    silent_.insert(scope.name);
    return statuses_.put(scope.name, std::move(statuses), clock_.now()) || is_edited;
}

// Azure answers again and no resource of the scope has to be read for it: what the last look saw is told again.
bool Engine::report_again(const Scope& scope, const DefinitionView* view) {
    PassResult last;
    last.plan = plans_.get(scope.name);
    return last.plan && report(scope, last, view);
}

}  // namespace galleryd
