#include <algorithm>

#include "controller/core/fingerprint.h"
#include "controller/core/tags.h"
#include "reconcilers/lifecycle/interlock.h"

namespace galleryd {
namespace {

std::unexpected<Error> changed(const ObservedVersion& fresh, const std::string& what) {
    return fail(ErrorKind::conflict, "ChangedSincePlan",
                "version " + fresh.name + ": " + what + "; it is looked at and planned again");
}

}  // namespace

Status check_fresh(const Fingerprint& seen, const ObservedVersion& fresh, TimePoint now) {
    if (!seen.existed) return changed(fresh, "the plan was made when it did not exist");
    if (now < fresh.read_at || now - fresh.read_at > fresh_look_age_max) {
        return fail(ErrorKind::not_ready, "LookTooOld",
                    "version " + fresh.name + ": the last strong look is older than 30 seconds");
    }
    if (fresh.state != ProvisioningState::succeeded && fresh.state != ProvisioningState::failed) {
        return changed(fresh, "its state is " + std::string(to_string(fresh.state)));
    }
    if (!seen.published || !fresh.published || *seen.published != *fresh.published) {
        return changed(fresh,
                       "its published date is not the one the plan saw, so it is another version under the same name");
    }
    if (!(seen.source == fresh.source)) return changed(fresh, "its source is not the one the plan saw");
    if (has_tag(fresh.tags, hold_tag))
        return fail(ErrorKind::denied, "Held", "version " + fresh.name + ": it carries the tag galleryd-hold");
    if (seen.etag.empty() || seen.etag != fingerprint(fresh))
        return changed(fresh, "somebody changed it after the plan was made");
    if (!fresh.server_date)
        return fail(ErrorKind::not_ready, "ClockUnknown", "version " + fresh.name + ": the answer carried no Date");
    if (std::chrono::abs(fresh.read_at - *fresh.server_date) >= clock_skew_max) {
        return fail(ErrorKind::denied, "ClockSkew",
                    "our clock and Azure's differ by five minutes or more; set this machine's clock");
    }
    if (const auto mark = find_tag_any_case(fresh.tags, delete_after_tag); mark != fresh.tags.end()) {
        const auto until = mark->second ? parse_rfc3339(*mark->second) : std::nullopt;
        if (!until || *until >= *fresh.server_date) return changed(fresh, "its grace has not ended by Azure's clock");
    }
    const bool has_end = fresh.end_of_life.has_value() || fresh.end_of_life_unparsable;
    const bool is_past = fresh.end_of_life && *fresh.end_of_life < *fresh.server_date && *fresh.end_of_life < now;
    if (fresh.block_deletion_before_end_of_life.value_or(false) && !(has_end && is_past)) {
        return fail(ErrorKind::denied, "BeforeEndOfLife",
                    "version " + fresh.name + ": Azure blocks its deletion before its end of life");
    }
    if (fresh.state == ProvisioningState::succeeded && has_end && !is_past)
        return changed(fresh, "its end of life has not passed by both clocks");
    return {};
}

}  // namespace galleryd
