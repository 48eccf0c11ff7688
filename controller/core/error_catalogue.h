#pragma once
#include <span>
#include <string_view>
#include <vector>

// The stable codes GDnnnn: what happened, why, what to do. `galleryd explain CODE` and docs/reference/errors.md print
// this table.
//   GD1xxx documents   GD2xxx planning: conflicts, refusals, blocks   GD3xxx Azure   GD4xxx sources and state   GD5xxx
//   command line
namespace galleryd {

struct CatalogueEntry {
    std::string_view code;     // "GD1012"
    std::string_view title;    // one line
    std::string_view cause;    // why it happens
    std::string_view remedy;   // what to do
    std::string_view example;  // wrong and right, or a command; may be ""
};

// One table per area, each in its own file error_catalogue_<area>.cc, sorted by code.
std::span<const CatalogueEntry> document_errors();
std::span<const CatalogueEntry> planning_errors();
std::span<const CatalogueEntry> azure_errors();
std::span<const CatalogueEntry> source_errors();
std::span<const CatalogueEntry> command_errors();

const CatalogueEntry* find_error(std::string_view code);  // any area; case-insensitive
std::vector<const CatalogueEntry*> all_errors();

}  // namespace galleryd
