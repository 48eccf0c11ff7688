#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "controller/core/observed.h"
#include "controller/core/result.h"
#include "controller/core/version_name.h"
#include "controller/ports/journal.h"
#include "controller/program/command_usage.h"
#include "controller/program/options.h"
#include "controller/program/session.h"

// What `hold`, `release` and `restore` share: one image version, one request after the other, each in the journal
// before it leaves.
namespace galleryd {

struct Errand {
    VersionName name;
    std::string asked_by;  // "hold by root"
    std::chrono::seconds timeout{0};
};
// From the flags; the errors are those of wrong usage. `verb` is its name.
Result<Errand> errand_of(const CommonOptions& common, const std::string& version, const std::string& timeout,
                         const std::string& verb);
std::string user_name();  // who asks, from USER

std::string tag_text(const ObservedVersion& version, const char* name);  // "" when there is none
Error errand_error(ErrorKind kind, std::string code, std::string reason, std::string message);

struct ErrandSite {
    Session& session;
    Session::Eyes eyes;
    ResourceId version;
    std::chrono::nanoseconds deadline;  // monotonic
};

// A strong read of the version at rest. Azure refuses a write while another one is under way (azure-facts §3.4); one
// that is being deleted cannot be saved by a tag. GD5023, GD5033.
Task<ObservedVersion> look_at_rest(ErrandSite& site);

// Intent, request, outcome: the journal knows of it before Azure does. `request` has not begun yet; `meanwhile` is run
// once Azure has accepted it, before its end is waited for, and may fail. True: Azure has accepted it, and the time ran
// out before it was done.
Task<bool> write_down_and_send(ErrandSite& site, Intent intent, Task<WriteOutcome> request,
                               std::optional<Task<bool>> meanwhile = std::nullopt);
// Puts tags on (`set`), or takes those off that have the value that was read (`unset`): by the service for tags, which
// touches nothing else. An identity that may write versions and not tags (Compute Gallery Artifacts Publisher) writes
// the whole map as it was read, in the version's own PATCH. `as_read` is a fresh look.
struct TagChange {
    Tags set = {}, unset = {};   // with both, `set` is there already and only has to stay
    std::string reason, detail;  // for the journal
};
Task<bool> change_tags(ErrandSite& site, ObservedVersion as_read, TagChange change, Errand errand);
Intent intent_of(const ErrandSite& site, std::string reason, std::string detail, const Errand& errand);

}  // namespace galleryd
