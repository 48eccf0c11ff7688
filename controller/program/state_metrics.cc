#include "controller/program/state_metrics.h"

#include <utility>

namespace galleryd {

void StateMetrics::replace(const std::string& part, std::vector<GaugeSample> samples) {
    if (samples.empty()) parts_.erase(part);
    else parts_.insert(part);
    metrics_.replace_part(part, std::move(samples));
}

void StateMetrics::publish_small_parts(const Engine& engine) {
    replace("sources", source_samples(engine));
    replace("usage", usage_samples(engine));
}

void StateMetrics::publish(const Engine& engine, TimePoint now) {
    std::set<std::string> galleries;
    for (const auto& [name, scope] : engine.scopes()) galleries.insert(gallery_label(name));
    for (const std::string& part : parts_) {
        if (part.contains('/')) galleries.insert(part);  // also one that is no longer declared
    }
    for (const std::string& gallery : galleries) replace(gallery, gallery_samples(engine, gallery, now));
    replace("policies", policy_samples(engine));
    publish_small_parts(engine);
    revision_ = engine.revision();
    published_ = now;
    touched_.clear();
}

void StateMetrics::publish_touched(const Engine& engine, TimePoint now) {
    const bool is_old = published_ && (now < *published_ || now - *published_ >= publish_all_after);
    if (!published_ || is_old || revision_ != engine.revision()) {
        publish(engine, now);
        return;
    }
    for (const std::string& gallery : std::exchange(touched_, {}))
        replace(gallery, gallery_samples(engine, gallery, now));
    publish_small_parts(engine);
}

}  // namespace galleryd
