#include "tests/fuzz/mutator.h"

#include <algorithm>
#include <charconv>

namespace galleryd::fuzz {

std::string Mutator::next() {
    std::string text = corpus_.empty() ? std::string() : corpus_[below(corpus_.size())];
    for (std::size_t i = 1 + below(6); i-- > 0;) text = change(std::move(text));
    if (text.size() > bytes_max) text.resize(bytes_max);
    return text;
}

std::string Mutator::change(std::string text) {
    const std::size_t at = below(text.size() + 1);
    const std::size_t length = std::min(text.size() - at, 1 + below(8));
    switch (below(9)) {
        case 0: return text.erase(at, length);
        case 1: return text.insert(at, 1, static_cast<char>(random_()));
        case 2:
            if (at < text.size()) text[at] = static_cast<char>(text[at] ^ static_cast<char>(1U << below(8)));
            return text;
        case 3:
            if (at < text.size()) text[at] = static_cast<char>(random_());
            return text;
        case 4: return text.insert(below(text.size() + 1), text.substr(at, std::min(text.size() - at, below(200))));
        case 5: return text.substr(0, at);  // cut off, as a half-written file is
        case 6: {
            if (corpus_.empty()) return text;
            const std::string& other = corpus_[below(corpus_.size())];
            return text.substr(0, at) + other.substr(below(other.size() + 1));
        }
        default:
            if (words_.empty()) return text.insert(at, std::to_string(random_()));
            return below(2) == 0 ? text.insert(at, words_[below(words_.size())])
                                 : text.replace(at, length, words_[below(words_.size())]);
    }
}

std::vector<std::string> read_dictionary(const std::string& text) {
    std::vector<std::string> words;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string line = text.substr(at, end - at);
        at = end + 1;
        const std::size_t open = line.find('"'), close = line.rfind('"');
        if (line.starts_with('#') || open == std::string::npos || close <= open) continue;
        std::string word;
        for (std::size_t i = open + 1; i < close; ++i) {
            if (line[i] != '\\') {
                word += line[i];
            } else if (line[i + 1] == 'x' && i + 3 < close) {
                int byte = 0;
                std::from_chars(line.data() + i + 2, line.data() + i + 4, byte, 16);
                word += static_cast<char>(byte);
                i += 3;
            } else {
                word += line[++i];
            }
        }
        if (!word.empty()) words.push_back(std::move(word));
    }
    return words;
}

}  // namespace galleryd::fuzz
