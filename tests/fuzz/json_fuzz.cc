#include <nlohmann/json.hpp>

#include "controller/adapters/azure/json_plain.h"
#include "controller/adapters/azure/json_read.h"
#include "controller/adapters/documents/json_text.h"
#include "controller/adapters/documents/scalar.h"
#include "controller/adapters/documents/tree.h"
#include "tests/fuzz/target.h"

// Our two JSON readers (documents with places, plain answers of Azure) beside nlohmann's parser, and our writer beside
// nlohmann's.
namespace galleryd::fuzz {
namespace {

using nlohmann::json;

void check_document(std::string_view bytes, const json& reference) {
    if (documents::find_text_problem(bytes) || bytes.starts_with("\xef\xbb\xbf")) return;
    const documents::ReadTree read = documents::read_json({bytes, 1});
    if (!read.failure) {
        require(!reference.is_discarded(), "what our reader takes is JSON");
        require(read.tree.value == reference, "our reader and the library's see the same values");
        return;
    }
    const std::string& code = read.failure->problem.code;
    require_clear(read.failure->problem.message);
    // A byte string of JSON may still be no manifest: fields twice, merge keys, no name, too much, control characters.
    const bool is_stricter =
        documents::is_one_of(code, {"GD1002", "GD1003", "GD1005", "GD1006", "GD1007", "GD1009", "GD1026"});
    require(reference.is_discarded() || is_stricter, "what is JSON is not called no JSON");
}

void check_answer(std::string_view bytes, const json& reference) {
    const auto parsed = azure::parse_json(bytes, "answer");
    if (!parsed) {
        require_clear(parsed.error());
        require(parsed.error().kind == ErrorKind::transient, "a bad answer says nothing about the resource");
        return;
    }
    require(*parsed == reference, "an answer is read as the library reads it");
    const json plain = azure::parse_plain_json(bytes);
    require(plain == reference, "the quick parser and the library's give the same tree");
    const auto print = [](const json& tree) { return tree.dump(-1, ' ', false, json::error_handler_t::replace); };
    require(print(plain) == print(reference), "the quick parser keeps the kinds of numbers");
}

void check_writer(std::string_view bytes, const json& reference) {
    if (documents::find_text_problem(bytes)) return;
    const documents::JsonText text(bytes);
    require(text.dump() == json(std::string(bytes)).dump(), "a text is written as the library writes it");
    if (!reference.is_object()) return;
    std::map<std::string, std::string> members;
    for (const auto& [name, value] : reference.items()) {
        if (value.is_string()) members[name] = value.get<std::string>();
    }
    require(documents::JsonText(members).dump() == json(members).dump(), "so is a map");
}

void run(std::string_view bytes) {
    const json reference = json::parse(bytes, nullptr, false);
    check_document(bytes, reference);
    check_answer(bytes, reference);
    check_writer(bytes, reference);
}

const Registered registered({.name = "json", .run = run});

}  // namespace
}  // namespace galleryd::fuzz
