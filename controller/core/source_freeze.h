#pragma once
#include <cstddef>
#include <optional>
#include <string>

namespace galleryd {

inline constexpr std::size_t shrink_percent_max = 20;

// Why a source's deletions are frozen until a person releases its revision (behaviour §2), or nullopt. Counts are of
// objects: `known_before` were declared at the last accepted look, `still_there` of those are there now (also when they
// no longer parse: broken is not gone), `objects_now` are declared now. What counts is what disappeared, not the
// difference of the totals: a wrong branch may hold as many objects as the right one.
//   everything gone                       -> frozen ("emptied" or "replaced")
//   more than 20 % of what was there gone -> frozen
//   nothing was there before              -> not frozen: there is nothing to lose
std::optional<std::string> freeze_reason(std::size_t known_before, std::size_t still_there, std::size_t objects_now);

}  // namespace galleryd
