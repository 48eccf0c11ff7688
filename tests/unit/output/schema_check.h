#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

// Enough of JSON Schema (2020-12) for docs/reference/plan.schema.json: type, const, enum, pattern, required,
// properties, items, minimum, maximum, minItems, $ref into $defs. An unknown keyword is a problem, so that the schema
// cannot promise what is not checked.
namespace galleryd {

// Every problem as "/pointer: what is wrong"; also a property that the schema does not name (ours are all documented).
std::vector<std::string> check_schema(const nlohmann::ordered_json& schema, const nlohmann::ordered_json& value);

}  // namespace galleryd
