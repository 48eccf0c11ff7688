#pragma once
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "controller/ports/metrics.h"
#include "controller/program/engine.h"

// What the metrics say of one part of the engine's world.
namespace galleryd {

class SampleList {
  public:
    // Names in alphabetical order.
    void set(std::string_view gauge, std::initializer_list<std::pair<std::string_view, std::string_view>> labels,
             double value);
    // A thousand definitions where nothing is wrong say nothing of what is not (controller/decisions/0033).
    void set_unless_nought(std::string_view gauge,
                           std::initializer_list<std::pair<std::string_view, std::string_view>> labels, double value) {
        if (value != 0) set(gauge, labels, value);
    }
    std::vector<GaugeSample> sorted() &&;

  private:
    std::vector<GaugeSample> samples_;
};

// "images/golden" of "images/golden/ubuntu-2404/1.8.0".
std::string gallery_label(std::string_view scope);

// Every series of that gallery, its definitions and their versions carries its label, and no other series does.
std::vector<GaugeSample> gallery_samples(const Engine& engine, const std::string& gallery, TimePoint now);
std::vector<GaugeSample> policy_samples(const Engine& engine);
std::vector<GaugeSample> source_samples(const Engine& engine);
// Who uses versions: only where a plan depended on it, because what was never asked has no age.
std::vector<GaugeSample> usage_samples(const Engine& engine);

}  // namespace galleryd
