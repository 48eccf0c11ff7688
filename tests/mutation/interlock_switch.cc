#include "tests/mutation/interlock_switch.h"

#include <stdexcept>
#include <string>

#include "controller/core/interlock_switch.h"

namespace galleryd {
namespace {

int switched_off = 0;  // 0: the interlock is whole

}  // namespace

inline namespace interlock_switch {
bool is_switched_off(int point) { return point == switched_off; }
}  // namespace interlock_switch

PointOff::PointOff(int point) {
    // The words are looked for in what ships (tests/integration/test_no_interlock_switch.py).
    if (point < 1 || point > 12 || switched_off != 0)
        throw std::logic_error("galleryd interlock switch: no point " + std::to_string(point));
    switched_off = point;
}

PointOff::~PointOff() { switched_off = 0; }

}  // namespace galleryd
