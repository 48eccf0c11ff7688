#include "tests/fuzz/corpus.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace galleryd::fuzz {
namespace {

std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream content;
    content << file.rdbuf();
    return content.str();
}

}  // namespace

std::vector<CorpusFile> read_corpus(std::string_view target) {
    const std::filesystem::path folder =
        std::filesystem::path(GALLERYD_SOURCE_DIR) / "tests/fuzz/corpus" / std::string(target);
    std::vector<CorpusFile> files;
    if (!std::filesystem::exists(folder)) return files;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        files.push_back({.name = entry.path().filename().string(), .content = read_file(entry.path())});
    std::ranges::sort(files, {}, &CorpusFile::name);
    return files;
}

std::string read_dictionary_file(std::string_view target) {
    return read_file(std::filesystem::path(GALLERYD_SOURCE_DIR) / "tests/fuzz/dictionaries" /
                     (std::string(target) + ".dict"));
}

}  // namespace galleryd::fuzz
