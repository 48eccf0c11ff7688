#pragma once
#include <iosfwd>
#include <optional>
#include <string>

#include "controller/core/observed.h"
#include "controller/core/plan.h"
#include "controller/core/result.h"
#include "controller/program/options.h"

namespace galleryd {

struct HoldOptions {
    CommonOptions common;
    std::string version;  // an Azure id, or GALLERY/DEFINITION/VERSION
    std::string reason;   // hold: the tag's value; "" = who asked
    std::string timeout = "10m";
};

// `galleryd hold VERSION` puts the tag galleryd-hold on the live version, `galleryd release VERSION` takes it off
// (behaviour §6, point 6). The rest of the version is sent back as it was read right before. Whose the version is does
// not matter: a hold only protects, and a person asks with their own rights.
int run_hold(const HoldOptions& options, std::ostream& out, std::ostream& err);
int run_release(const HoldOptions& options, std::ostream& out, std::ostream& err);

inline constexpr std::size_t hold_reason_max = 256;  // Azure's limit of a tag's value, in characters

// What a hold says on the live version; nullopt: it carries none. A tag without a value holds as well: "".
std::optional<std::string> hold_on(const ObservedVersion& version);

// The version as it is, with the tag put on or (`reason` unset) taken off in whatever spelling it has. Every other
// field, region and tag as read.
VersionWrite hold_write(const ObservedVersion& version, const std::optional<std::string>& reason);

// Not longer than a tag's value, nothing that garbles a terminal. `invalid` with GD5034.
Status check_hold_reason(const std::string& reason);

}  // namespace galleryd
