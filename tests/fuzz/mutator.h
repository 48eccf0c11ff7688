#pragma once
#include <random>
#include <string>
#include <vector>

namespace galleryd::fuzz {

// Blind mutations from a seed, the same on every machine: bytes change, go, come twice, come from another seed of the
// corpus or from the words that the target's dictionary lists.
class Mutator {
  public:
    Mutator(unsigned seed, std::vector<std::string> corpus, std::vector<std::string> words)
        : random_(seed), corpus_(std::move(corpus)), words_(std::move(words)) {}

    std::string next();  // a seed of the corpus with one to six changes; at most bytes_max long

    static constexpr std::size_t bytes_max = 16 * 1024;

  private:
    std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }
    std::string change(std::string text);

    std::mt19937 random_;
    std::vector<std::string> corpus_, words_;
};

// "word" lines of a libFuzzer dictionary: \xAB, \\ and \" are understood.
std::vector<std::string> read_dictionary(const std::string& text);

}  // namespace galleryd::fuzz
