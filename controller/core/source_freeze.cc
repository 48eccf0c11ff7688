#include "controller/core/source_freeze.h"

namespace galleryd {

std::optional<std::string> freeze_reason(std::size_t known_before, std::size_t still_there, std::size_t objects_now) {
    if (known_before == 0 || still_there >= known_before) return std::nullopt;
    const std::size_t gone = known_before - still_there;
    // Divided, not multiplied: no count can overflow. Exactly 20 % still passes.
    const std::size_t allowed = known_before / 100 * shrink_percent_max + known_before % 100 * shrink_percent_max / 100;
    if (gone <= allowed) return std::nullopt;
    const std::string before = std::to_string(known_before);
    if (still_there == 0 && objects_now == 0) {
        return "the source is empty and declared " + before + (known_before == 1 ? " object" : " objects") +
               " before (GD4009)";
    }
    if (still_there == 0) {
        return "none of the " + before + (known_before == 1 ? " object" : " objects") +
               " declared before is there any more (" + std::to_string(objects_now) + " others are; GD4010)";
    }
    return std::to_string(gone) + " of " + before + " objects declared before are gone, more than " +
           std::to_string(shrink_percent_max) + " % (GD4010)";
}

}  // namespace galleryd
