#include "controller/program/command_reference.h"

#include <doctest/doctest.h>

#include <filesystem>
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

TEST_CASE("a reference folder that is not there is an error") {
    const TemporaryDirectory directory;
    std::ostringstream err;
    CHECK(run_reference(directory.file("missing"), err) == exit_error);
    CHECK(err.str().find(directory.file("missing")) != std::string::npos);
}
