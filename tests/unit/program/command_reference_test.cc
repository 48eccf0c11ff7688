#include "controller/program/command_reference.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "controller/adapters/documents/schema.h"
#include "controller/core/error_catalogue.h"
#include "controller/program/options.h"
#include "tests/support/temporary_directory.h"

using namespace galleryd;

namespace {

// Every path of the schema the validator uses must have its row: compared by another route than the one that wrote it.
int count_fields(const documents::Schema& schema) {
    int count = 0;
    for (const auto& [name, field] : schema.properties) count += 1 + count_fields(*field);
    if (schema.items) count += count_fields(*schema.items);
    if (schema.additional) count += count_fields(*schema.additional);
    return count;
}

std::size_t count_text(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
    return count;
}

}  // namespace

TEST_CASE("the reference has a row for every field of every kind and a section for every error") {
    const TemporaryDirectory directory;
    std::ostringstream err;
    REQUIRE(run_reference(directory.path(), err) == exit_done);
    CHECK(err.str().empty());

    const std::string fields = directory.read("fields.md");
    int wanted = 0;
    for (const Kind kind : {Kind::gallery, Kind::image_definition, Kind::image_version, Kind::lifecycle_policy}) {
        CHECK(fields.find("\n## " + std::string(to_string(kind)) + " (galleryd.io/v1alpha1)\n") != std::string::npos);
        wanted += count_fields(documents::schema_of(kind));
    }
    CHECK(count_text(fields, "\n| `") == static_cast<std::size_t>(wanted));
    CHECK(fields.find("| `spec.governs` | one of `All` `Declared` | `Declared` |") != std::string::npos);
    CHECK(fields.find("| `spec.tiers[].targetRegions[].replicas` | integer or string, 1 to 100 |") !=
          std::string::npos);
    CHECK(fields.find("| `spec.tiers[].targetRegions[].name` | string, 1 to 64 characters | required |") !=
          std::string::npos);

    const std::string errors = directory.read("errors.md");
    for (const CatalogueEntry* entry : all_errors())
        CHECK(errors.find("\n## " + std::string(entry->code) + ": ") != std::string::npos);
    CHECK(directory.read("metrics.md").find("galleryd_plan_changes") != std::string::npos);
}

TEST_CASE("the reference has every command with its flags, defaults and environment variables") {
    const TemporaryDirectory directory;
    std::ostringstream err;
    REQUIRE(run_reference(directory.path(), err) == exit_done);
    const std::string text = directory.read("cli.md");
    for (const char* verb : {"run", "demo", "plan", "apply", "validate", "render", "get", "events", "wait", "usage",
                             "approve", "simulate", "doctor", "explain", "crds", "version"}) {
        CAPTURE(verb);
        CHECK(count_text(text, "\n## galleryd " + std::string(verb) + "\n") == 1);
    }
    CHECK_FALSE(text.contains("galleryd reference\n"));  // for `make docs`
    CHECK(text.contains("\n```\ngalleryd plan [PATH…] [flags]\n```\n"));
    CHECK(text.contains("\n```\ngalleryd usage VERSION [flags]\n```\n"));
    CHECK(text.contains("\n| `--interval VALUE` | `60s` | `GALLERYD_INTERVAL` | "));
    CHECK(text.contains("\n| `--allow-deletes` |  | `GALLERYD_ALLOW_DELETES` | "));
    CHECK(text.contains("\n| `-o, --output VALUE` | `text` |  | "));
    const std::string run =
        text.substr(text.find("## galleryd run"), text.find("## galleryd plan") - text.find("## galleryd run"));
    for (const char* flag :
         {"--source", "--azure", "--credential", "--http", "--state-dir", "--full-interval", "--config"}) {
        CAPTURE(flag);
        CHECK(run.contains("`" + std::string(flag) + " VALUE"));
    }
}

TEST_CASE("docs/reference is what this binary writes") {  // `make docs` mends it
    const TemporaryDirectory directory;
    std::ostringstream err;
    REQUIRE(run_reference(directory.path(), err) == exit_done);
    for (const char* page : {"cli.md", "errors.md", "azure-errors.md", "fields.md", "metrics.md"}) {
        CAPTURE(page);
        std::ifstream file(std::filesystem::path(GALLERYD_SOURCE_DIR) / "docs" / "reference" / page, std::ios::binary);
        const std::string kept{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
        CHECK((kept == directory.read(page)));
    }
}

TEST_CASE("a reference folder that is not there is an error") {
    const TemporaryDirectory directory;
    std::ostringstream err;
    CHECK(run_reference(directory.file("missing"), err) == exit_error);
    CHECK(err.str().find(directory.file("missing")) != std::string::npos);
}
