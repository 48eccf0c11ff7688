#pragma once
#include <string>

#include "controller/core/plan.h"

// Questions about what a change would send.
namespace galleryd {

template <class Wanted>
bool is(const Step& step) {
    return std::holds_alternative<Wanted>(step);
}

bool is_create(const Step& step);  // of a gallery, a definition or a version
bool is_delete(const Step& step);  // the same

// It takes something away, or raises the flag that a later step of it needs: what a person confirms by number.
bool takes_away(const Change& change);

std::string step_name(const Step& step);       // "UpdateVersion"
std::string change_key(const Change& change);  // resource key and step: the same request, in whichever plan it stands

}  // namespace galleryd
