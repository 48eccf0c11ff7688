#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "controller/adapters/telemetry/exposition.h"
#include "controller/adapters/telemetry/metric_catalogue.h"

namespace galleryd::telemetry {

namespace {

std::string read_text(const char* path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Fields of /proc/self/stat after the command, which may itself hold blanks and parentheses: proc(5), numbered from 3.
std::vector<double> stat_fields() {
    const std::string text = read_text("/proc/self/stat");
    const std::size_t command_end = text.rfind(')');
    std::vector<double> fields;
    if (command_end == std::string::npos) return fields;
    std::istringstream rest(text.substr(command_end + 1));
    std::string state;
    rest >> state;
    for (double value = 0; rest >> value;) fields.push_back(value);  // fields[0] is number 4
    return fields;
}

double boot_time() {
    std::istringstream lines(read_text("/proc/stat"));
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("btime ")) return std::stod(line.substr(6));
    }
    return 0;
}

void add(std::vector<prometheus::MetricFamily>& families, std::string_view name, double value) {
    const MetricDefinition* definition = find_metric(name);
    if (definition == nullptr) return;
    prometheus::MetricFamily& family = families.emplace_back();
    family.name = definition->name;
    family.help = definition->help;
    family.type =
        definition->type == MetricType::counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
    prometheus::ClientMetric& metric = family.metric.emplace_back();
    metric.counter.value = value;
    metric.gauge.value = value;
}

}  // namespace

std::vector<prometheus::MetricFamily> read_process_metrics() {
    std::vector<prometheus::MetricFamily> families;
    const std::vector<double> stat = stat_fields();
    const auto field = [&](std::size_t number) { return stat[number - 4]; };
    const double ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    if (stat.size() > 24 - 4 && ticks > 0) {
        add(families, "process_cpu_seconds_total", (field(14) + field(15)) / ticks);
        add(families, "process_virtual_memory_bytes", field(23));
        add(families, "process_resident_memory_bytes", field(24) * static_cast<double>(::sysconf(_SC_PAGESIZE)));
        if (const double boot = boot_time(); boot > 0)
            add(families, "process_start_time_seconds", boot + field(22) / ticks);
    }
    std::error_code failed;
    const auto descriptors = std::filesystem::directory_iterator("/proc/self/fd", failed);
    if (!failed)
        add(families, "process_open_fds", static_cast<double>(std::distance(begin(descriptors), end(descriptors)) - 1));
    struct rlimit limit {};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) add(families, "process_max_fds", static_cast<double>(limit.rlim_cur));
    return families;
}

}  // namespace galleryd::telemetry
