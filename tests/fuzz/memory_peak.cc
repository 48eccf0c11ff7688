#include "tests/fuzz/memory_peak.h"

#include <malloc.h>
#include <sys/resource.h>

#include <fstream>
#include <string>

namespace galleryd::fuzz {
namespace {

// "VmHWM:     12345 kB" of /proc/self/status.
std::optional<std::size_t> status_bytes(const std::string& name) {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        std::size_t kilobytes = 0;
        if (word == name + ":" && status >> kilobytes) return kilobytes * 1024;
    }
    return std::nullopt;
}

bool reset_peak() {
    std::ofstream file("/proc/self/clear_refs");  // 5: the peak becomes what is resident now (proc(5))
    file << "5" << std::flush;
    return file.good();
}

}  // namespace

MemoryPeak::MemoryPeak() {
    ::malloc_trim(0);
    if (reset_peak()) before_ = status_bytes("VmRSS");
}

std::optional<std::size_t> MemoryPeak::bytes() const {
    const auto peak = status_bytes("VmHWM");
    if (!before_ || !peak) return std::nullopt;
    return *peak > *before_ ? *peak - *before_ : 0;
}

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace galleryd::fuzz
