#include "controller/program/saved_plan.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/temporary_directory.h"
#include "tests/unit/output/sample_plan.h"

using namespace galleryd;

TEST_CASE("a saved plan comes back, private to its user") {
    const TemporaryDirectory directory;
    const std::string path = directory.file("plan.json");
    const std::vector<Plan> plans{sample::ubuntu(), sample::windows()};
    REQUIRE(write_saved_plan(path, plans, sample::header()).has_value());
    struct stat facts {};
    REQUIRE(::stat(path.c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777) == 0600);
    const auto saved = read_saved_plan(path);
    REQUIRE(saved.has_value());
    CHECK(saved->header.sources == std::vector<std::string>{"dir:./manifests"});
    CHECK(saved->header.azure == "public");
    CHECK(saved->observed_at == "2026-11-21T04:10:12Z");
    CHECK(saved->deletions == 1);
    CHECK(compare(*saved, plans).empty());
    CHECK(compare(*saved, {plans[1], plans[0]}).empty());
}

TEST_CASE("an older file is replaced as a whole, and nothing is left beside it") {
    const TemporaryDirectory directory;
    const std::string path = directory.file("plan.json");
    std::ofstream(path) << std::string(1 << 20, 'x');
    REQUIRE(write_saved_plan(path, {sample::windows()}, sample::header()).has_value());
    CHECK(read_saved_plan(path).has_value());
    CHECK(std::distance(std::filesystem::directory_iterator(std::filesystem::path(path).parent_path()),
                        std::filesystem::directory_iterator{}) == 1);
    const auto refused = write_saved_plan(directory.file("missing/plan.json"), {}, sample::header());
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == "GD5043");
    CHECK(refused.error().kind == ErrorKind::denied);
}

TEST_CASE("what moved since the plan was saved is named") {
    const TemporaryDirectory directory;
    const std::string path = directory.file("plan.json");
    std::vector<Plan> plans{sample::ubuntu(), sample::windows()};
    REQUIRE(write_saved_plan(path, plans, sample::header()).has_value());
    const auto saved = read_saved_plan(path);
    REQUIRE(saved.has_value());

    SUBCASE("Azure, without other steps") {
        plans[0].observed_digest = "sha256:cccc";
        plans[0].id = "sha256:3333";
        CHECK(compare(*saved, plans) ==
              std::vector<std::string>{"corp/golden/ubuntu-2404: its state in Azure changed"});
    }
    SUBCASE("a step that is gone, one that differs, one that is new") {
        plans[0].id = "sha256:3333";
        plans[0].changes.erase(plans[0].changes.begin());
        plans[0].changes[0].fields.pop_back();
        plans[0].changes.push_back(sample::deletion());
        plans[0].changes.back().address = "corp/golden/ubuntu-2404/1.1.0";
        const auto moved = compare(*saved, plans);
        REQUIRE(moved.size() == 3);
        CHECK(moved[0] == "ImageVersion corp/golden/ubuntu-2404/1.1.0: delete is planned now");
        CHECK(moved[1].starts_with(
            "ImageVersion corp/golden/ubuntu-2404/1.7.2: update is planned otherwise (/targetRegions/southeastasia"));
        CHECK(moved[2] == "ImageVersion corp/golden/ubuntu-2404/1.8.0: create is no longer planned");
    }
    SUBCASE("only what is allowed") {
        plans[1].id = "sha256:4444";
        CHECK(compare(*saved, plans) ==
              std::vector<std::string>{"corp/golden/win-2022: what is declared or allowed changed"});
    }
    SUBCASE("scopes come and go") {
        plans[1].scope = "corp/golden/win-2025";
        CHECK(compare(*saved, plans) ==
              std::vector<std::string>{"corp/golden/win-2022: is no longer declared",
                                       "corp/golden/win-2025: is declared now and was not when the plan was saved"});
    }
    SUBCASE("an incomplete look") {
        plans[1].complete = false;
        CHECK(compare(*saved, plans) ==
              std::vector<std::string>{"corp/golden/win-2022: the look at Azure was not complete"});
    }
}

TEST_CASE("a file that is no saved plan is refused with what to do") {
    const TemporaryDirectory directory;
    const std::string path = directory.file("plan.json");
    REQUIRE(write_saved_plan(path, {sample::ubuntu()}, sample::header()).has_value());
    std::ifstream file(path);
    const auto good = nlohmann::ordered_json::parse(file);
    const auto refused = [&](const std::string& content) {
        std::ofstream(path, std::ios::trunc) << content;
        const auto plan = read_saved_plan(path);
        REQUIRE_FALSE(plan.has_value());
        CHECK(plan.error().kind == ErrorKind::invalid);
        CHECK(plan.error().code == "GD5040");
        CHECK(plan.error().message.find("galleryd plan --out") != std::string::npos);
    };
    refused("");
    refused("{");
    refused("[]");
    refused(R"({"kind": "Plan"})");
    refused(R"({"kind": 3, "saved": {}})");
    for (const char* field : {"id", "source", "observed", "mode", "galleryd_version", "format_version"}) {
        CAPTURE(field);
        auto broken = good;
        broken.erase(field);
        refused(broken.dump());
        broken[field] = 7;
        refused(broken.dump());
    }
    auto newer = good;
    newer["format_version"] = "2.0";
    refused(newer.dump());
    std::filesystem::remove(path);
    CHECK(read_saved_plan(path).error().code == "GD5040");
    CHECK(read_saved_plan(std::filesystem::path(path).parent_path().string()).error().code == "GD5040");
    auto extra = good;  // a minor version adds fields
    extra["format_version"] = "1.7";
    extra["new_field"] = {1, 2};
    std::ofstream(path, std::ios::trunc) << extra.dump();
    CHECK(read_saved_plan(path).has_value());
}

TEST_CASE("a plan file that is nested a million deep is refused like any other that is no plan") {
    const std::string deep(1'000'000, '[');
    const std::string shut(1'000'000, ']');
    for (const char* field : {"format_version", "kind", "source", "mode"}) {
        CAPTURE(field);
        const auto saved = parse_saved_plan(
            R"({"saved":{},"kind":"Plan","format_version":"1.0",")" + std::string(field) + R"(":)" + deep + shut + "}",
            "plan.json");
        REQUIRE_FALSE(saved.has_value());
        CHECK(saved.error().code == "GD5040");
        CHECK(saved.error().message.size() < 300);
    }
}

TEST_CASE("the version of another format is told, when it can be told in a word") {
    const auto message = [](const std::string& version) {
        const auto saved = parse_saved_plan(R"({"saved":{},"kind":"Plan","format_version":)" + version + "}", "p");
        return saved ? std::string() : saved.error().message;
    };
    CHECK(message(R"("2.0")").contains("its format_version is \"2.0\", this galleryd reads 1.x"));
    CHECK(message("2").contains("its format_version is no text"));
    CHECK(message("\"" + std::string(100'000, '2') + "\"").size() < 200);
    CHECK_FALSE(message(R"("\u001b[31m")").contains('\x1b'));
}

TEST_CASE("a plan file of a hundred thousand fields is read in one pass") {
    std::string file = R"({"saved":{},"kind":"Plan","format_version":"1.0")";
    for (int i = 0; i < 100'000; ++i) file += ",\"f" + std::to_string(i) + "\":1";
    CHECK_FALSE(parse_saved_plan(file + "}", "plan.json").has_value());  // "id" is missing; it took half a minute
}
