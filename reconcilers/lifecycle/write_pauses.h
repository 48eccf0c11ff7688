#pragma once
#include <chrono>
#include <map>
#include <string>

#include "controller/core/plan.h"
#include "controller/core/result.h"

// A write that failed is not repeated before its time (core/retry.h; what is hopeless: an hour, reliability Z13),
// unless the document changed. Kept in memory: a restart may try once more. Times are monotonic.
namespace galleryd {

class WritePauses {
  public:
    // The error of the last try, while its pause lasts; null when the change may be sent.
    const Error* find(const Change& change, const std::string& document_digest, std::chrono::nanoseconds now) const;
    void note_success(const Change& change);
    void note_failure(const Change& change, const std::string& document_digest, const Error& error,
                      std::chrono::nanoseconds now);
    // Forgets pauses that ended more than a day ago: their resource is gone or their document was mended.
    void prune(std::chrono::nanoseconds now);
    std::size_t size() const { return pauses_.size(); }

  private:
    struct Pause {
        std::chrono::nanoseconds until{0};
        int failures = 0;
        std::string document_digest;
        Error error;
    };
    std::map<std::string, Pause> pauses_;  // by change_key
};

}  // namespace galleryd
