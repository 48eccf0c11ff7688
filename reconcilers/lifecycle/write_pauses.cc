#include "reconcilers/lifecycle/write_pauses.h"

#include "controller/core/retry.h"
#include "controller/core/steps.h"

namespace galleryd {
namespace {

constexpr std::chrono::hours hopeless_pause{1};
constexpr std::chrono::hours forgotten_after{24};

}  // namespace

const Error* WritePauses::find(const Change& change, const std::string& document_digest,
                               std::chrono::nanoseconds now) const {
    const auto found = pauses_.find(change_key(change));
    if (found == pauses_.end() || now >= found->second.until) return nullptr;
    return found->second.document_digest == document_digest ? &found->second.error : nullptr;
}

void WritePauses::note_success(const Change& change) { pauses_.erase(change_key(change)); }

void WritePauses::note_failure(const Change& change, const std::string& document_digest, const Error& error,
                               std::chrono::nanoseconds now) {
    Pause& pause = pauses_[change_key(change)];
    ++pause.failures;
    pause.error = error;
    pause.document_digest = document_digest;
    const bool hopeless = error.kind == ErrorKind::invalid || (change.destructive && error.kind == ErrorKind::denied);
    const auto delay = retry_delay(error.kind, pause.failures, 0.5, error.retry_after);
    const bool in_an_hour = hopeless || !delay;
    pause.until = now + (in_an_hour ? std::chrono::nanoseconds(hopeless_pause) : std::chrono::nanoseconds(*delay));
}

void WritePauses::prune(std::chrono::nanoseconds now) {
    std::erase_if(pauses_, [now](const auto& entry) { return now - entry.second.until > forgotten_after; });
}

}  // namespace galleryd
