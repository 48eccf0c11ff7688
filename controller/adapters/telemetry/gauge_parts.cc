#include "controller/adapters/telemetry/gauge_parts.h"

#include <algorithm>
#include <set>

#include "controller/adapters/telemetry/exposition.h"
#include "controller/core/archive.h"

namespace galleryd {

template <>
std::string Packing<std::vector<telemetry::PartLines>>::pack(const std::vector<telemetry::PartLines>& value) {
    return galleryd::pack(value);
}
template <>
std::vector<telemetry::PartLines> Packing<std::vector<telemetry::PartLines>>::unpack(const std::string& bytes) {
    auto value = galleryd::unpack<std::vector<telemetry::PartLines>>(bytes);
    GALLERYD_CHECK(value, "what was packed here can be unpacked");
    return std::move(*value);
}

}  // namespace galleryd

namespace galleryd::telemetry {
namespace {

constexpr char separator = '\x1f';

// The texts between separators: name, value, name, value, …
std::vector<std::string_view> texts_of(std::string_view labels) {
    std::vector<std::string_view> texts;
    while (!labels.empty()) {
        const std::size_t end = std::min(labels.find(separator), labels.size() - 1);
        texts.push_back(labels.substr(0, end));
        labels.remove_prefix(end + 1);
    }
    return texts;
}

void print_line(std::string& out, const GaugeSample& sample) {
    out += sample.gauge;
    char before = '{';
    const std::vector<std::string_view> texts = texts_of(sample.labels);
    for (std::size_t i = 0; i + 1 < texts.size(); i += 2) {
        out.append(1, before).append(texts[i]).append("=\"");
        out += escaped_label(clean_label_value(texts[i + 1]));
        out += '"';
        before = ',';
    }
    if (before == ',') out += '}';
    out.append(" ").append(print_number(sample.value)).append("\n");
}

}  // namespace

bool GaugeParts::is_known(const GaugeSample& sample) {
    const MetricDefinition* definition = find_metric(sample.gauge);
    if (definition == nullptr || definition->type != MetricType::gauge) return false;
    std::vector<std::string> names = label_names(*definition);
    std::ranges::sort(names);
    const std::vector<std::string_view> texts = texts_of(sample.labels);
    if (texts.size() != 2 * names.size()) return false;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (texts[2 * i] != names[i]) return false;
    }
    return true;
}

std::vector<std::string> GaugeParts::replace(const std::string& part, const std::vector<GaugeSample>& samples) {
    std::map<std::string, std::uint64_t> dropped_before;
    if (const auto before = parts_.get(part)) {
        for (const PartLines& known : *before) {
            Count& count = counts_[known.gauge];
            dropped_before.emplace(known.gauge, count.dropped);
            count.series -= known.series;
            count.dropped -= known.dropped;
        }
    }
    std::vector<PartLines> now;
    for (const GaugeSample& sample : samples) {
        if (now.empty() || now.back().gauge != sample.gauge) now.emplace_back().gauge = sample.gauge;
        PartLines& mine = now.back();
        Count& count = counts_[mine.gauge];
        dropped_before.try_emplace(mine.gauge, count.dropped);
        if (count.series >= series_max_) {
            ++count.dropped;
            ++mine.dropped;
            continue;
        }
        ++count.series;
        ++mine.series;
        print_line(mine.lines, sample);
    }
    if (now.empty()) parts_.erase(part);
    else parts_.insert_or_assign(part, now);
    std::vector<std::string> moved;
    for (const auto& [gauge, before] : dropped_before) {
        if (dropped(gauge) != before) moved.push_back(gauge);
    }
    return moved;
}

std::uint64_t GaugeParts::dropped(const std::string& gauge) const {
    const auto found = counts_.find(gauge);
    return found == counts_.end() ? 0 : found->second.dropped;
}

std::map<std::string, std::string> GaugeParts::lines() const {
    std::map<std::string, std::string> lines;
    for (const auto& [part, gauges] : parts_) {
        for (const PartLines& gauge : gauges) lines[gauge.gauge] += gauge.lines;
    }
    return lines;
}

}  // namespace galleryd::telemetry
