#pragma once
#include <optional>
#include <string>
#include <vector>

#include "controller/adapters/documents/mapping.h"
#include "controller/adapters/documents/places.h"
#include "controller/adapters/documents/reader.h"
#include "controller/adapters/documents/text.h"

namespace galleryd::documents {

// One document after everything that can be checked without the others. The JSON tree is gone; places stay for
// messages.
struct ParsedDocument {
    std::optional<ObjectKey> key;
    const std::string* file = nullptr;
    DesiredObject object;  // monostate: invalid
    Places places;
    std::vector<Diagnostic> problems;
    bool valid() const { return object.index() != 0; }
};

// The documents of one piece: none (comments, other API groups), one, or the items of a List.
std::vector<ParsedDocument> parse_piece(const std::string& file, const Piece& piece);

// Everything that needs more than one document (behaviour §2). Invalidates what is wrong or depends on what is wrong,
// resolves references into ids, sorts target regions.
void check_across(std::vector<ParsedDocument>& documents, const ReadOptions& options);

}  // namespace galleryd::documents
