#pragma once
#include <string>

#include "controller/core/plan.h"
#include "controller/ports/clock.h"
#include "controller/ports/journal.h"
#include "controller/ports/log.h"
#include "controller/ports/metrics.h"

namespace galleryd {

// Says once what has happened: to the journal (which counts repeats within five minutes), the log and
// galleryd_events_total.
class EventRecorder {
  public:
    EventRecorder(Journal& journal, Clock& clock, Log& log, Metrics& metrics)
        : journal_(journal), clock_(clock), log_(log), metrics_(metrics) {}
    void record(EventRecord event);  // `at` is filled in
    void normal(std::string reason, std::string object, std::string message);
    void warning(std::string reason, std::string object, std::string message);

  private:
    Journal& journal_;
    Clock& clock_;
    Log& log_;
    Metrics& metrics_;
};

}  // namespace galleryd
