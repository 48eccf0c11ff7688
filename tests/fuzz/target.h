#pragma once
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "controller/core/result.h"

// A fuzz target says what must hold for any bytes at all. NAME_fuzz.cc registers the target NAME, corpus/NAME/ holds
// its seeds. `make fuzz` runs each as a libFuzzer binary under sanitizers; `make test` replays the corpora and some
// thousand mutations of them in one ordinary binary (replay_test.cc), and inputs of a mebibyte (hostile_test.cc).
namespace galleryd::fuzz {

struct Target {
    std::string_view name;
    void (*run)(std::string_view bytes);  // returns, or throws Broken
    int mutations = 3000;                 // in `make test`; a slow target takes fewer
};

std::vector<Target>& targets();  // those that are linked in; of a libFuzzer binary one

struct Registered {
    explicit Registered(Target target) { targets().push_back(target); }
};

// A property does not hold. Nothing catches it in a libFuzzer binary, which makes it a finding.
class Broken : public std::logic_error {
  public:
    using std::logic_error::logic_error;
};
void require(bool holds, std::string_view property);

// What every message to a person promises: it says something, on one line, briefly, in whole UTF-8.
inline constexpr std::size_t message_bytes_max = 4000;
void require_clear(std::string_view message);
void require_clear(const Error& error);

// Takes small decisions off the end of the input, so that its beginning stays text that a seed can show.
class Choices {
  public:
    explicit Choices(std::string_view bytes) : rest_(bytes) {}
    std::uint8_t byte();  // 0 when there is none left
    std::size_t below(std::size_t limit) { return byte() % limit; }
    std::string_view rest() const { return rest_; }

  private:
    std::string_view rest_;
};

// "name: value" lines up to the first empty one, and what stands behind it.
struct HeadAndBody {
    std::vector<std::pair<std::string, std::string>> fields;
    std::string_view body;
};
HeadAndBody cut_head(std::string_view bytes);

}  // namespace galleryd::fuzz
