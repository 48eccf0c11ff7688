#include "reconcilers/lifecycle/events.h"

namespace galleryd {

void EventRecorder::record(EventRecord event) {
    event.at = clock_.now();
    event.first_at = event.at;
    metrics_.add("galleryd_events_total", {{"type", event.warning ? "Warning" : "Normal"}, {"reason", event.reason}});
    log_.write(event.warning ? LogLevel::warning : LogLevel::info, "event",
               {{"reason", event.reason},
                {"key", event.object},
                {"action", event.action},
                {"detail", event.message},
                {"arm_correlation_id", event.correlation_id},
                {"revision", event.revision}});
    if (!journal_.writable()) return;  // `plan`, or a state directory that failed and said so itself
    if (const Status stored = journal_.put_event(event); !stored) {
        log_.error("event was not stored", {{"reason", stored.error().reason}, {"detail", stored.error().message}});
    }
}

void EventRecorder::normal(std::string reason, std::string object, std::string message) {
    EventRecord event;
    event.reason = std::move(reason);
    event.object = std::move(object);
    event.message = std::move(message);
    record(std::move(event));
}

void EventRecorder::warning(std::string reason, std::string object, std::string message) {
    EventRecord event;
    event.warning = true;
    event.reason = std::move(reason);
    event.object = std::move(object);
    event.message = std::move(message);
    record(std::move(event));
}

}  // namespace galleryd
