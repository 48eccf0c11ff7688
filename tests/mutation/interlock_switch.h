#pragma once

namespace galleryd {

// Switches one point of the interlock (1..12) off for as long as it lives, in every place that asks it
// (controller/core/interlock_switch.h). One at a time.
class PointOff {
  public:
    explicit PointOff(int point);
    ~PointOff();
    PointOff(const PointOff&) = delete;
    PointOff& operator=(const PointOff&) = delete;
};

}  // namespace galleryd
