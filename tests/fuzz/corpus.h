#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace galleryd::fuzz {

struct CorpusFile {
    std::string name, content;
};
std::vector<CorpusFile> read_corpus(std::string_view target);  // sorted by name
std::string read_dictionary_file(std::string_view target);     // "" when the target has none

}  // namespace galleryd::fuzz
