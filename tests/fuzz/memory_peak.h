#pragma once
#include <cstddef>
#include <optional>

namespace galleryd::fuzz {

// How much more of this process is resident at its highest than when this was made; free memory is given back first, so
// that what earlier inputs left behind hides nothing. One at a time.
class MemoryPeak {
  public:
    MemoryPeak();
    std::optional<std::size_t> bytes() const;  // nullopt: this system keeps no peak that can be reset

  private:
    std::optional<std::size_t> before_;
};

double cpu_seconds();  // of this process so far

}  // namespace galleryd::fuzz
