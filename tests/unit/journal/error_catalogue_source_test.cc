#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "controller/core/error_catalogue.h"

using namespace galleryd;

TEST_CASE("every source and state error has a cause and a way out, once, in order") {
    std::string last;
    for (const CatalogueEntry& entry : source_errors()) {
        CAPTURE(entry.code);
        CHECK(entry.code.size() == 6);
        CHECK(entry.code.starts_with("GD4"));
        CHECK(std::string(entry.code) > last);
        CHECK_FALSE(entry.title.empty());
        CHECK_FALSE(entry.cause.empty());
        CHECK_FALSE(entry.remedy.empty());
        CHECK(entry.title.find('\n') == std::string_view::npos);
        last = entry.code;
    }
    REQUIRE(find_error("gd4009") != nullptr);
    CHECK(find_error("GD4009")->example.find("galleryd approve") != std::string_view::npos);
}

TEST_CASE("every code that the journal and the folder source use is in the catalogue") {
    std::set<std::string> used;
    for (const char* folder : {"controller/adapters/journal", "controller/adapters/folder"}) {
        for (const auto& entry :
             std::filesystem::directory_iterator(std::filesystem::path(GALLERYD_SOURCE_DIR) / folder)) {
            std::ifstream file(entry.path());
            const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
            for (std::size_t at = text.find("\"GD4"); at != std::string::npos; at = text.find("\"GD4", at + 1))
                used.insert(text.substr(at + 1, 6));
        }
    }
    CHECK(used.size() >= 15);
    for (const std::string& code : used) {
        CAPTURE(code);
        CHECK(find_error(code) != nullptr);
    }
}
