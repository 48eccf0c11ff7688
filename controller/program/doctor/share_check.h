#pragma once
#include <functional>
#include <vector>

#include "controller/adapters/azure/arm_channel.h"
#include "controller/program/doctor/finding.h"
#include "controller/program/doctor/needs.h"
#include "controller/program/doctor/shares.h"
#include "controller/program/gallery_token.h"

namespace galleryd::doctor {

struct ShareCheck {
    Share share;  // of a credential that galleries name
    Cloud cloud;
    SignInParts sign_in;
    azure::ArmOptions arm;
    NeedOptions options;
    std::function<void(Finding&)> on_finding;
};

// The checkup of galleries with a credential of their own, made with that credential alone: its sign-in, its rights and
// whatever else their documents need. Nothing is asked about endpoint and clock. What `check` refers to outlives it.
Task<std::vector<Finding>> check_share(ShareCheck check);

}  // namespace galleryd::doctor
