#include "controller/program/config_file.h"

#include <doctest/doctest.h>

#include <iostream>
#include <sstream>
#include <vector>

#include "controller/program/cli.h"
#include "controller/program/options.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/program/scoped_variable.h"

using namespace galleryd;

namespace {

struct Arguments {
    explicit Arguments(std::vector<std::string> given) : words(std::move(given)) {
        for (std::string& word : words) pointers.push_back(word.data());
        pointers.push_back(nullptr);
    }
    int count() const { return static_cast<int>(words.size()); }
    std::vector<std::string> words;
    std::vector<char*> pointers;
};

Status apply_file(const TemporaryDirectory& directory, const std::string& yaml) {
    directory.write("galleryd.yaml", yaml);
    Arguments arguments({"galleryd", "run", "--config", directory.file("galleryd.yaml")});
    return apply_config_file(arguments.count(), arguments.pointers.data());
}

struct Said {
    int exit = 0;
    std::string err;
};

// The whole command line, with what it writes to the standard error stream.
Said command_line(std::vector<std::string> words) {
    Arguments arguments(std::move(words));
    std::ostringstream err;
    std::streambuf* const before = std::cerr.rdbuf(err.rdbuf());
    const int exit = run_cli(arguments.count(), arguments.pointers.data());
    std::cerr.rdbuf(before);
    return {exit, err.str()};
}

}  // namespace

TEST_CASE("values of the configuration file become variables, lists joined by blanks") {
    const TemporaryDirectory directory;
    const ScopedVariable source("GALLERYD_SOURCE", std::nullopt), interval("GALLERYD_INTERVAL", std::nullopt),
        prune("GALLERYD_PRUNE", std::nullopt), share("GALLERYD_ARM_SHARE", std::nullopt),
        directory_flag("GALLERYD_STATE_DIR", std::nullopt);
    REQUIRE(apply_file(directory,
                       "source: [dir:a, dir:b]\ninterval: 5m\nprune: true\narm-share: 0.25\nstate-dir: /var/lib/x\n")
                .has_value());
    CHECK(source.value() == "dir:a dir:b");
    CHECK(interval.value() == "5m");
    CHECK(prune.value() == "true");
    CHECK(share.value() == "0.25");
    CHECK(directory_flag.value() == "/var/lib/x");
}

TEST_CASE("the environment wins over the configuration file") {
    const TemporaryDirectory directory;
    const ScopedVariable interval("GALLERYD_INTERVAL", "30s"), level("GALLERYD_LOG_LEVEL", std::nullopt);
    REQUIRE(apply_file(directory, "interval: 5m\nlog-level: debug\n").has_value());
    CHECK(interval.value() == "30s");
    CHECK(level.value() == "debug");
}

TEST_CASE("a flag wins over the environment, and the environment over the file, on the command line") {
    const TemporaryDirectory directory;
    directory.write("galleryd.yaml", "log-level: from-file\n");
    const std::string file = directory.file("galleryd.yaml");
    const std::vector<std::string> plan{"galleryd", "plan",      directory.path(),
                                        "--azure",  "simulator", "--config=" + file};
    {
        const ScopedVariable level("GALLERYD_LOG_LEVEL", std::nullopt);
        const Said said = command_line(plan);
        CHECK(said.exit != exit_done);
        CHECK(said.err.find("--log-level from-file: ") != std::string::npos);
    }
    const ScopedVariable level("GALLERYD_LOG_LEVEL", "from-environment");
    CHECK(command_line(plan).err.find("--log-level from-environment: ") != std::string::npos);
    std::vector<std::string> with_flag = plan;
    with_flag.insert(with_flag.end(), {"--log-level", "from-flag"});
    CHECK(command_line(with_flag).err.find("--log-level from-flag: ") != std::string::npos);
}

TEST_CASE("a name that is no flag, or a value that is no scalar, is refused with its name") {
    const TemporaryDirectory directory;
    const ScopedVariable interval("GALLERYD_INTERVAL", std::nullopt), source("GALLERYD_SOURCE", std::nullopt);
    for (const auto& [yaml, named] :
         std::vector<std::pair<std::string, std::string>>{{"intervall: 5m\n", "`intervall`"},
                                                          {"config: other.yaml\n", "`config`"},
                                                          {"interval: {minutes: 5}\n", "`interval`"},
                                                          {"source: [{dir: a}]\n", "`source`"},
                                                          {"- interval\n", "name: value"},
                                                          {"interval: 5m\n---\ninterval: 6m\n", "one YAML document"},
                                                          {"interval: [5m\n", "galleryd.yaml"}}) {
        CAPTURE(yaml);
        const Status applied = apply_file(directory, yaml);
        REQUIRE_FALSE(applied.has_value());
        CHECK(applied.error().code == "GD5020");
        CHECK(applied.error().message.find(named) != std::string::npos);
    }
    CHECK_FALSE(source.value().has_value());
}

TEST_CASE("a configuration file that is not there is an error; none named is not") {
    Arguments missing({"galleryd", "run", "--config=/nowhere/galleryd.yaml"});
    const Status applied = apply_config_file(missing.count(), missing.pointers.data());
    REQUIRE_FALSE(applied.has_value());
    CHECK(applied.error().code == "GD5020");
    CHECK(applied.error().message.find("/nowhere/galleryd.yaml") != std::string::npos);
    Arguments none({"galleryd", "run"});
    CHECK(apply_config_file(none.count(), none.pointers.data()).has_value());
}

TEST_CASE("a configuration file that has no end is refused after 64 KiB") {
    Arguments endless({"galleryd", "run", "--config", "/dev/zero"});
    const Status applied = apply_config_file(endless.count(), endless.pointers.data());
    REQUIRE_FALSE(applied.has_value());
    CHECK(applied.error().message == "--config /dev/zero: the file is larger than 64 KiB");
    Arguments folder({"galleryd", "run", "--config", "/"});
    const Status refused = apply_config_file(folder.count(), folder.pointers.data());
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().message == "--config /: the file cannot be read");
}
