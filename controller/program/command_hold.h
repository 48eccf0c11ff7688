#pragma once
#include <iosfwd>
#include <optional>
#include <string>

#include "controller/core/observed.h"
#include "controller/core/result.h"
#include "controller/program/options.h"
#include "controller/program/version_errand.h"

namespace galleryd {

struct HoldOptions {
    CommonOptions common;
    std::string version;  // an Azure id, or GALLERY/DEFINITION/VERSION
    std::string reason;   // hold: why; "" = who asked
    std::string until;    // hold: a date or RFC 3339; "" = without end
    std::string timeout = "10m";
};

// `galleryd hold VERSION` puts the tag galleryd-hold on the live version, `galleryd release VERSION` takes it off
// (behaviour §6, point 6). One tag is written and nothing else is sent. Whose the version is does not matter: a hold
// only protects, and a person asks with their own rights.
int run_hold(const HoldOptions& options, std::ostream& out, std::ostream& err);
int run_release(const HoldOptions& options, std::ostream& out, std::ostream& err);

inline constexpr std::size_t hold_value_max = 256;  // Azure's limit of a tag's value, in characters

// What a hold says on the live version; nullopt: it carries none. A tag without a value holds as well: "".
std::optional<std::string> hold_on(const ObservedVersion& version);
std::string hold_spelling(const ObservedVersion& version);  // of the tag's name

struct HoldWish {
    std::string reason;      // "" = none was given
    std::string until_text;  // "" = without end
    std::string asked_by;    // stands for a reason where none was given
};
// The tag's value after the wish. nullopt: what is there lasts as long, or longer, and stays: somebody relies on it. A
// hold that lasts less long is made longer, and keeps its reason beside the new one; one that is over at `certain` is
// replaced. `invalid` with GD5034 when the value would be too long.
Result<std::optional<std::string>> value_after(const ObservedVersion& version, const HoldWish& wish,
                                               const std::optional<TimePoint>& certain);
// Past for our clock and for Azure's.
std::optional<TimePoint> certain_time_of(const ObservedVersion& version, TimePoint now);

// Not longer than a tag's value, nothing that garbles a terminal. `invalid` with GD5034.
// Also that it is read as it was meant: a reason that begins like an end would let go of what it should hold.
Status check_hold_value(const std::string& value, const std::string& until_text);
// A date that a hold can end with: readable, and ahead. `invalid` with GD5036.
Status check_hold_end(const std::string& until_text, TimePoint now);

}  // namespace galleryd
