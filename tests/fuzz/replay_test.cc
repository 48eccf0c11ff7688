#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/fuzz/corpus.h"
#include "tests/fuzz/mutator.h"
#include "tests/fuzz/target.h"

// FUZZ_TARGET=NAME picks one, FUZZ_RUNS=N sets the number of mutations of each, FUZZ_SEED=N another sequence of them.

using namespace galleryd::fuzz;

namespace {

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr int share = 10;  // everything is twenty times slower, and `make fuzz` does more of it
#else
constexpr int share = 1;
#endif

std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
}

// Runs one input; what breaks is told with a file that holds it, for `make fuzz TARGET=… INPUT=…`.
bool holds(const Target& target, const std::string& input, const std::string& origin) {
    std::string broken;
    try {
        target.run(input);
        return true;
    } catch (const std::exception& problem) {
        broken = problem.what();
    }
    const auto kept = std::filesystem::temp_directory_path() / ("galleryd-fuzz-" + std::string(target.name) + "-" +
                                                                std::to_string(std::hash<std::string>{}(input)));
    std::ofstream(kept, std::ios::binary) << input;
    FAIL_CHECK(std::string(target.name) << ", " << origin << ": " << broken << "; the input is in " << kept.string());
    return false;
}

void replay(const Target& target) {
    std::vector<std::string> seeds;
    for (const CorpusFile& file : read_corpus(target.name)) {
        holds(target, file.content, "corpus file " + file.name);
        if (file.content.size() <= Mutator::bytes_max) seeds.push_back(file.content);
    }
    INFO("tests/fuzz/corpus/" << std::string(target.name) << " holds the seeds of this target");
    CHECK(seeds.size() >= 3);
    const std::string runs = variable("FUZZ_RUNS"), first = variable("FUZZ_SEED");
    const long count = runs.empty() ? target.mutations / share : std::strtol(runs.c_str(), nullptr, 10);
    const auto seed = first.empty() ? 1U : static_cast<unsigned>(std::strtoul(first.c_str(), nullptr, 10));
    Mutator mutator(seed, std::move(seeds), read_dictionary(read_dictionary_file(target.name)));
    for (long i = 0; i < count; ++i) {
        if (!holds(target, mutator.next(), "mutation " + std::to_string(i))) break;  // one of a kind is enough
    }
}

}  // namespace

TEST_CASE("every fuzz target holds on its corpus and on mutations of it") {
    const std::string wanted = variable("FUZZ_TARGET");
    std::size_t replayed = 0;
    for (const Target& target : targets()) {
        if (!wanted.empty() && target.name != wanted) continue;
        replay(target);
        ++replayed;
    }
    CHECK(replayed >= (wanted.empty() ? 23 : 1));
}

TEST_CASE("every corpus and every dictionary belongs to a target") {
    for (const char* folder : {"corpus", "dictionaries"}) {
        for (const auto& entry :
             std::filesystem::directory_iterator(std::string(GALLERYD_SOURCE_DIR) + "/tests/fuzz/" + folder)) {
            const std::string name = entry.path().stem().string();
            CAPTURE(name);
            CHECK(std::ranges::find(targets(), name, &Target::name) != targets().end());
        }
    }
}

TEST_CASE("a mutation from a seed is the same on every machine") {
    Mutator first(7, {"alpha: 1\n", "beta: [2]\n"}, {"---", "null"}),
        second(7, {"alpha: 1\n", "beta: [2]\n"}, {"---", "null"});
    std::size_t changed = 0;
    for (int i = 0; i < 100; ++i) {
        const std::string text = first.next();
        CHECK(text == second.next());
        changed += text == "alpha: 1\n" || text == "beta: [2]\n" ? 0 : 1;
    }
    CHECK(changed > 90);
    CHECK(read_dictionary("# a remark\na=\"x\\x0Ay\"\n\"\\\"\\\\\"\nno word\n") ==
          std::vector<std::string>{"x\ny", "\"\\"});
}

TEST_CASE("a property that does not hold is a finding") {
    CHECK_THROWS_AS(require(false, "something"), Broken);
    CHECK_NOTHROW(require(true, "something"));
    CHECK_THROWS_AS(require_clear("two\nlines"), Broken);
    CHECK_THROWS_AS(require_clear(std::string(message_bytes_max + 1, 'x')), Broken);
    CHECK_THROWS_AS(require_clear("\xff"), Broken);
    CHECK_NOTHROW(require_clear("plan.json is not a saved plan"));
}
