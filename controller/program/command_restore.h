#pragma once
#include <iosfwd>
#include <string>

#include "controller/ports/journal.h"
#include "controller/ports/version_care.h"
#include "controller/program/options.h"

namespace galleryd {

struct RestoreOptions {
    CommonOptions common;
    std::string version;  // an Azure id, or GALLERY/DEFINITION/VERSION
    std::string reason;   // of the hold; "" = who asked
    std::string until;    // of the hold: a date or RFC 3339; "" = seven days
    std::string timeout = "1h";
};

// `galleryd restore VERSION` brings a soft-deleted version back as it was (azure-facts §5). It comes back with the mark
// that it was deleted by: the version is held, the mark is taken off, and our own record of the deletion is lifted, so
// that nothing deletes it again before a person had time to look.
int run_restore(const RestoreOptions& options, std::ostream& out, std::ostream& err);

inline constexpr std::chrono::days hold_after_restore{7};
// Before api-version 2026-03-03 Azure names no end; the window was fixed at seven days (azure-facts §5).
inline constexpr std::chrono::days soft_delete_window{7};

// Our own record of a version that is back: "retention removed it; it is not made again" is no longer so, and a mark of
// before counts for nothing, whoever reads the record next. A daemon that runs beside this finds it out by itself. True
// when there was a tombstone.
Result<bool> lift_tombstone(Journal& journal, const ResourceId& version, TimePoint deleted_at);

// "2d ago; Azure keeps it for 4d23h more": when it went, and how long it can still be brought back.
std::string soft_deleted_text(const SoftDeletedVersion& deleted, TimePoint now);

}  // namespace galleryd
