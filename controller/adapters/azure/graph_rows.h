#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "controller/adapters/azure/decode.h"
#include "controller/core/result.h"
#include "controller/ports/inventory.h"

// Pages of Resource Graph and their rows; internal to this folder. A page is scanned once for where its rows begin and
// end, and each row is parsed, normalised, handed on and forgotten: at no time does the JSON of more than one row
// exist.
namespace galleryd::azure {

struct GraphPage {
    std::vector<std::string_view> rows;  // JSON objects, into the text that was scanned
    std::uint64_t total = 0;             // rows of the whole result
    std::uint64_t count = 0;             // rows of this page, as the answer says
    bool truncated = false;              // cut off without a way to ask for the rest
    std::string skip_token;              // "" on the last page
};

// `transient` with GD3001 or GD3002 when the text is not one whole JSON object (nested 64 deep at most), GD3003 when it
// is not a page of rows (no `data` list, no totalRecords).
Result<GraphPage> scan_graph_page(std::string_view text);

// Parses a row with columns id, location, tags, properties and hands it to the sink, by the same readers as a GET.
// Returns the case-folded id's hash. `transient` with GD3001 or GD3005 for a row that cannot be read.
Result<std::uint64_t> deliver_row(std::string_view row, const DecodeContext& context, InventorySink& sink);

Result<std::string> read_subscription_row(std::string_view row);  // column subscriptionId, lower case
// Columns target, change, at, by. nullopt inside: a change of something that is not ours.
Result<std::optional<ResourceChange>> read_change_row(std::string_view row);
Result<ResourceFacts> read_facts_row(std::string_view row);  // columns id, tags, properties

// By the number of segments; the readers check the type. nullopt: neither of the three.
std::optional<ResourceKind> gallery_kind_of(const ResourceId& id);

}  // namespace galleryd::azure
