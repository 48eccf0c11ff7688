#include "controller/adapters/documents/plain_yaml.h"

#include <utility>

#include "controller/adapters/documents/tree.h"

namespace galleryd::documents {
namespace {

PlainYaml refused(const TextProblem& why) {
    PlainYaml result;
    result.problem = why.problem.message;
    result.line = static_cast<int>(why.place.line);
    return result;
}

}  // namespace

PlainYaml read_plain_yaml(std::string_view text) {
    PlainYaml result;
    if (text.size() > file_bytes_max) {
        result.problem = "the file is larger than 1 MiB";
        return result;
    }
    if (const auto unreadable = find_text_problem(text)) return refused(*unreadable);
    int documents = 0;
    for (const Piece& piece : cut_documents(without_bom(text))) {
        ReadTree read = read_yaml(piece);
        if (read.failure) return refused(*read.failure);
        if (read.empty) continue;
        if (++documents > 1) break;  // a mebibyte has room for 150,000 of them
        result.json = read.tree.value.dump();
        result.places = std::move(read.tree.places);
    }
    if (documents == 1) return result;
    result.json.clear();
    result.problem = std::string("one YAML document is expected, this file has ") + (documents == 0 ? "none" : "more");
    return result;
}

}  // namespace galleryd::documents
