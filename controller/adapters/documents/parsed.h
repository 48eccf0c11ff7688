#pragma once
#include <optional>
#include <string>
#include <vector>

#include "controller/adapters/documents/mapping.h"
#include "controller/adapters/documents/places.h"
#include "controller/adapters/documents/reader.h"
#include "controller/adapters/documents/text.h"

namespace galleryd::documents {

// One document after everything that can be checked without the others. The JSON tree is gone. So are the places of a
// document that nothing was to be said about: ten thousand of them would be half of what is read (restore_places).
struct ParsedDocument {
    std::optional<ObjectKey> key;
    const DocumentFile* file = nullptr;
    std::uint32_t line = 0;  // where it begins
    DesiredObject object;    // monostate: invalid
    Places places;
    std::vector<Diagnostic> problems;
    bool valid() const { return object.index() != 0; }
};

// The documents of a file, in its order; one that is invalid when the file cannot be read at all.
std::vector<ParsedDocument> parse_file(const DocumentFile& file);
void drop_places(std::vector<ParsedDocument>& of_a_file);  // of those without problems
// Reads the file once more for the places of its documents. `of_a_file`: all of them, in its order.
void restore_places(std::vector<ParsedDocument>& of_a_file);

// Everything that needs more than one document (behaviour §2). Invalidates what is wrong or depends on what is wrong,
// resolves references into ids, sorts target regions. `files`: the documents of each.
void check_across(std::vector<std::vector<ParsedDocument>>& files, const ReadOptions& options);

}  // namespace galleryd::documents
