#pragma once
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "controller/ports/metrics.h"
#include "controller/program/engine.h"

// What the metrics say of one part of the engine's world, as small sorted lists that are cheap to keep and to compare:
// ten thousand versions have as many series, and a label map of each would weigh more than the version.
namespace galleryd {

struct Sample {
    std::string_view gauge;  // a literal
    std::string labels;      // "name\x1fvalue\x1f…", names sorted
    double value = 0;
    bool is_same_series(const Sample& other) const { return gauge == other.gauge && labels == other.labels; }
    bool is_before(const Sample& other) const {
        return gauge != other.gauge ? gauge < other.gauge : labels < other.labels;
    }
};
MetricLabels labels_of(const Sample& sample);

class SampleList {
  public:
    // Names in alphabetical order.
    void set(std::string_view gauge, std::initializer_list<std::pair<std::string_view, std::string_view>> labels,
             double value);
    std::vector<Sample> sorted() &&;

  private:
    std::vector<Sample> samples_;
};

// "images/golden" of "images/golden/ubuntu-2404/1.8.0".
std::string gallery_label(std::string_view scope);

// Every series of that gallery, its definitions and their versions carries its label, and no other series does.
std::vector<Sample> gallery_samples(const Engine& engine, const std::string& gallery, TimePoint now);
std::vector<Sample> policy_samples(const Engine& engine);
std::vector<Sample> source_samples(const Engine& engine);
// Who uses versions: only where a plan depended on it, because what was never asked has no age.
std::vector<Sample> usage_samples(const Engine& engine);

}  // namespace galleryd
