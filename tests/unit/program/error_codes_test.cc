#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>

#include "controller/core/error_catalogue.h"

using namespace galleryd;

namespace {

// Code -> a file that mentions it. The catalogue's own tables are left out: they would prove nothing.
std::map<std::string, std::string> codes_in_sources() {
    std::map<std::string, std::string> codes;
    const std::filesystem::path root(GALLERYD_SOURCE_DIR);
    const std::regex code("GD[0-9]{4}");
    for (const char* folder : {"controller", "reconcilers"}) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
            const std::string extension = entry.path().extension();
            if ((extension != ".cc" && extension != ".h") ||
                entry.path().filename().string().starts_with("error_catalogue"))
                continue;
            std::ifstream file(entry.path(), std::ios::binary);
            const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
            for (std::sregex_iterator match(text.begin(), text.end(), code), end; match != end; ++match) {
                codes.emplace(match->str(), std::filesystem::relative(entry.path(), root).string());
            }
        }
    }
    return codes;
}

}  // namespace

TEST_CASE("every code that the sources mention can be explained") {
    const auto codes = codes_in_sources();
    CHECK(codes.size() > 100);
    CHECK(codes.contains("GD5007"));
    for (const auto& [code, file] : codes) {
        CAPTURE(code);
        CAPTURE(file);
        CHECK(find_error(code) != nullptr);
    }
}

TEST_CASE("every command-line error of the catalogue is raised somewhere") {
    const auto codes = codes_in_sources();
    for (const CatalogueEntry& entry : command_errors()) {
        CAPTURE(entry.code);
        CHECK(codes.contains(std::string(entry.code)));
    }
}

TEST_CASE("every command-line error says what happened, why, and what to do, in order") {
    std::string last;
    for (const CatalogueEntry& entry : command_errors()) {
        CAPTURE(entry.code);
        CHECK(entry.code.size() == 6);
        CHECK(entry.code.starts_with("GD5"));
        CHECK(std::string(entry.code) > last);
        CHECK_FALSE(entry.title.empty());
        CHECK_FALSE(entry.cause.empty());
        CHECK_FALSE(entry.remedy.empty());
        CHECK_FALSE(entry.example.empty());
        CHECK(entry.title.find('\n') == std::string_view::npos);
        last = entry.code;
    }
}

TEST_CASE("no code has two meanings, and none is a placeholder") {
    std::set<std::string_view> seen;
    for (const auto table : {document_errors(), planning_errors(), azure_errors(), source_errors(), command_errors()}) {
        for (const CatalogueEntry& entry : table) {
            CAPTURE(entry.code);
            CHECK(entry.code != "GD0000");
            CHECK(seen.insert(entry.code).second);
        }
    }
    CHECK(seen.size() == all_errors().size());
}
