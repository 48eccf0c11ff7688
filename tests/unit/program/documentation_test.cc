#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

namespace {

const std::filesystem::path root(GALLERYD_SOURCE_DIR);

std::string read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::filesystem::path> pages() {
    std::vector<std::filesystem::path> found{root / "README.md"};
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / "docs")) {
        if (entry.path().extension() == ".md") found.push_back(entry.path());
    }
    return found;
}

}  // namespace

TEST_CASE("every link of README and docs to a file of the repository leads somewhere") {
    const std::regex link(R"(\]\(([^)#\s]+)[^)]*\))");
    int links = 0;
    for (const auto& page : pages()) {
        const std::string text = read(page);
        for (std::sregex_iterator match(text.begin(), text.end(), link), end; match != end; ++match) {
            const std::string target = (*match)[1];
            if (target.find("://") != std::string::npos) continue;
            CAPTURE(page.string());
            CAPTURE(target);
            CHECK(std::filesystem::exists(page.parent_path() / target));
            ++links;
        }
    }
    CHECK(links >= 15);
}

TEST_CASE("every page below docs can be reached from its index") {
    const std::string index = read(root / "docs" / "index.md");
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / "docs")) {
        if (!entry.is_regular_file() || entry.path().filename() == "index.md" || entry.path().filename() == ".gitkeep")
            continue;
        const std::string name = std::filesystem::relative(entry.path(), root / "docs").string();
        CAPTURE(name);
        CHECK(index.find("](" + name + ")") != std::string::npos);
    }
}
