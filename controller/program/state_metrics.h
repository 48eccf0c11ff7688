#pragma once
#include <map>
#include <set>
#include <string>

#include "controller/ports/metrics.h"
#include "controller/program/engine.h"

namespace galleryd {

// What Prometheus is told about objects, versions, replication, plans and retention (experience §1.7.2). Recomputed
// from the engine after passes; series of things that are gone are forgotten at once.
class StateMetrics {
  public:
    explicit StateMetrics(Metrics& metrics) : metrics_(metrics) {}
    void publish(const Engine& engine, TimePoint now);

  private:
    // gauge -> label sets: computed whole, then compared with what was published before.
    using Series = std::map<std::string, std::map<MetricLabels, double>>;
    void collect_objects(const Engine& engine, Series& series) const;
    void collect_plans(const Engine& engine, Series& series) const;
    void collect_versions(const Engine& engine, TimePoint now, Series& series) const;
    void collect_sources(const Engine& engine, Series& series) const;
    void collect_usage(const Engine& engine, Series& series) const;

    Metrics& metrics_;
    Series published_;
};

}  // namespace galleryd
