#pragma once
#include <string>

#include "controller/core/desired.h"

namespace galleryd {

// How much a rendered document says: everything after defaults, or only what differs from the defaults (for `import`).
enum class RenderStyle : std::uint8_t { complete, without_defaults };

// One object as a YAML document in the contract's order of fields, without "---"; "" when the key is not there. Reading
// it back (together with what it refers to) gives an equal object. Text that YAML 1.1 or 1.2 could take for something
// else is quoted.
std::string render_object(const DesiredObjects& objects, const ObjectKey& key,
                          RenderStyle style = RenderStyle::complete);

// Policies, galleries, definitions, versions, each document behind "---".
std::string render_all(const DesiredObjects& objects, RenderStyle style = RenderStyle::complete);

// Versions without target regions of their own take those of their policy's tier, ranked newest first among the
// versions declared here. The daemon also counts versions that are only in Azure, so its ranks may be higher (policy:
// governs All).
void apply_declared_tiers(DesiredObjects& objects);

}  // namespace galleryd
