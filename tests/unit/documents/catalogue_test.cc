#include <doctest/doctest.h>

#include <filesystem>
#include <set>

#include "controller/core/error_catalogue.h"
#include "tests/unit/documents/samples.h"

using namespace galleryd;
using namespace galleryd::test;

namespace {

std::set<std::string> codes_in(const std::string& folder, const std::string& suffix) {
    std::set<std::string> codes;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(std::string(GALLERYD_SOURCE_DIR) + "/" + folder)) {
        const std::string name = entry.path().string();
        if (!name.ends_with(suffix) || name.ends_with("catalogue_test.cc")) continue;
        const std::string text = file_text(std::filesystem::relative(entry.path(), GALLERYD_SOURCE_DIR).string());
        for (std::size_t at = text.find("GD1"); at != std::string::npos; at = text.find("GD1", at + 1)) {
            if (text.substr(at + 2, 4).find_first_not_of("0123456789") == std::string::npos && text.size() > at + 6)
                codes.insert(text.substr(at, 6));
        }
    }
    return codes;
}

}  // namespace

TEST_CASE("every code that the source raises has a row, and every row is raised by the source and by a test") {
    std::set<std::string> rows;
    for (const CatalogueEntry& entry : document_errors()) {
        CAPTURE(entry.code);
        CHECK(rows.insert(std::string(entry.code)).second);
        CHECK(entry.title.size() > 10);
        CHECK(entry.cause.size() > 20);
        CHECK(entry.remedy.size() > 10);
    }
    std::set<std::string> raised = codes_in("controller/adapters/documents", ".cc");
    raised.merge(codes_in("controller/adapters/documents", ".h"));
    for (const char* file : {"read_paths.cc", "command_explain.cc"}) raised.merge(codes_in("controller/program", file));
    std::set<std::string> tested = codes_in("tests/unit/documents", ".cc");
    for (const std::string& example_code : codes_in("crds/examples/invalid", ".yaml")) tested.insert(example_code);
    for (const std::string& code : raised) {
        CAPTURE(code);
        CHECK(rows.contains(code));
    }
    for (const std::string& code : rows) {
        CAPTURE(code);
        CHECK(raised.contains(code));
        CHECK(tested.contains(code));
    }
    CHECK(find_error("gd1012")->code == "GD1012");
}
