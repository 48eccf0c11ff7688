#include "controller/program/state_metrics.h"

#include <utility>

namespace galleryd {

// Both lists are sorted: one walk finds what went, what came and what moved.
void StateMetrics::replace(const std::string& part, std::vector<Sample> samples) {
    std::vector<Sample>& before = parts_[part];
    auto old = before.begin();
    for (const Sample& sample : samples) {
        for (; old != before.end() && old->is_before(sample); ++old) metrics_.forget(old->gauge, labels_of(*old));
        const bool is_known = old != before.end() && old->is_same_series(sample);
        if (!is_known || old->value != sample.value) metrics_.set(sample.gauge, labels_of(sample), sample.value);
        if (is_known) ++old;
    }
    for (; old != before.end(); ++old) metrics_.forget(old->gauge, labels_of(*old));
    before = std::move(samples);
    if (before.empty()) parts_.erase(part);
}

void StateMetrics::publish_small_parts(const Engine& engine) {
    replace("sources", source_samples(engine));
    replace("usage", usage_samples(engine));
}

void StateMetrics::publish(const Engine& engine, TimePoint now) {
    std::set<std::string> galleries;
    for (const auto& [name, scope] : engine.scopes()) galleries.insert(gallery_label(name));
    for (const auto& [part, samples] : parts_) {
        if (part.contains('/')) galleries.insert(part);  // also one that is no longer declared
    }
    for (const std::string& gallery : galleries) replace(gallery, gallery_samples(engine, gallery, now));
    replace("policies", policy_samples(engine));
    publish_small_parts(engine);
    revision_ = engine.revision();
    published_ = true;
    touched_.clear();
}

void StateMetrics::publish_touched(const Engine& engine, TimePoint now) {
    if (!published_ || revision_ != engine.revision()) {
        publish(engine, now);
        return;
    }
    for (const std::string& gallery : std::exchange(touched_, {}))
        replace(gallery, gallery_samples(engine, gallery, now));
    publish_small_parts(engine);
}

}  // namespace galleryd
