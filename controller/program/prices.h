#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "controller/core/policy.h"
#include "controller/core/result.h"

// Prices for estimates: a dated YAML file (`--prices FILE`), or the list that ships inside the binary.
namespace galleryd {

inline constexpr const char* prices_asset = "controller/program/assets/prices.yaml";

// Fields: date (YYYY-MM-DD), currency (three capital letters), snapshotGBMonth (storage account type -> price, at least
// Standard_LRS), egressGB, basis (text). Prices are 0 to 1000. Errors: `invalid`, GD5042, with file, line and what to
// write instead.
Result<Prices> parse_prices(std::string_view yaml, const std::string& file);

// The named file (at most 1 MiB), or the embedded list without a path.
Result<Prices> load_prices(const std::optional<std::string>& path);

}  // namespace galleryd
