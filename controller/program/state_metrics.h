#pragma once
#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "controller/ports/metrics.h"
#include "controller/program/engine.h"
#include "controller/program/state_series.h"

namespace galleryd {

// What Prometheus is told about objects, versions, replication, plans and retention (experience §1.7.2). Kept gallery
// by gallery: a pass over one scope costs the series of one gallery, whatever else is declared. Series of things that
// are gone are forgotten at once; what has not changed is not written again.
class StateMetrics {
  public:
    explicit StateMetrics(Metrics& metrics) : metrics_(metrics) {}
    void publish(const Engine& engine, TimePoint now);  // everything
    // A pass over that scope has ended: its gallery is published next time.
    void touch(const std::string& scope) { touched_.insert(gallery_label(scope)); }
    // The galleries that were touched; everything after the documents have changed, and once an hour, because versions
    // pass their end of life without a pass that notices.
    void publish_touched(const Engine& engine, TimePoint now);

    static constexpr std::chrono::hours publish_all_after{1};

  private:
    void publish_small_parts(const Engine& engine);  // sources, usage: cheap enough for every time
    void replace(const std::string& part, std::vector<GaugeSample> samples);

    Metrics& metrics_;
    std::set<std::string> parts_;  // that say anything: "images/golden"; others have no slash
    std::set<std::string> touched_;
    std::string revision_;                // of the documents when everything was published
    std::optional<TimePoint> published_;  // everything
};

}  // namespace galleryd
