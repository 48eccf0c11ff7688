#pragma once
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace galleryd {

// Runs `work(0)` … `work(count - 1)` on up to `threads` threads, the caller's among them, and returns when all have
// ended. For pure work: values in, each into its own slot out, so that the result does not depend on who was faster.
// The first exception ends the rest and is thrown here.
template <class Work>
void on_threads(std::size_t count, std::size_t threads, const Work& work) {
    std::atomic<std::size_t> next = 0;
    std::exception_ptr failed;
    std::mutex failing;
    const auto run = [&] {
        try {
            for (std::size_t i = next++; i < count; i = next++) work(i);
        } catch (...) {
            next = count;
            const std::lock_guard<std::mutex> lock(failing);
            if (!failed) failed = std::current_exception();
        }
    };
    {
        std::vector<std::jthread> others;
        for (std::size_t i = 1; i < std::min(threads, count); ++i) others.emplace_back(run);
        run();
    }
    if (failed) std::rethrow_exception(failed);
}

}  // namespace galleryd
