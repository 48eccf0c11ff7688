#include <algorithm>

#include "controller/core/fingerprint.h"
#include "controller/core/hold.h"
#include "controller/core/interlock_switch.h"
#include "controller/core/tags.h"
#include "reconcilers/lifecycle/interlock.h"

namespace galleryd {
namespace {

std::unexpected<Error> changed(const ObservedVersion& fresh, const std::string& what) {
    return fail(ErrorKind::conflict, "ChangedSincePlan",
                "version " + fresh.name + ": " + what + "; it is looked at and planned again");
}

// Point 5: the resource that the plan saw, at rest, as it is now.
Status check_resource(const Fingerprint& seen, const ObservedVersion& fresh, TimePoint now) {
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
    return {};
}

bool has_end(const ObservedVersion& fresh) { return fresh.end_of_life.has_value() || fresh.end_of_life_unparsable; }

bool is_past_end(const ObservedVersion& fresh, TimePoint now) {
    return fresh.end_of_life && fresh.server_date && *fresh.end_of_life < *fresh.server_date &&
           *fresh.end_of_life < now;
}

// A hold that has an end is over by both clocks, or it holds.
bool is_held(const ObservedVersion& fresh, TimePoint now) {
    const auto tag = find_tag_any_case(fresh.tags, hold_tag);
    if (tag == fresh.tags.end()) return false;
    return !fresh.server_date || !is_hold_over(tag->second, std::min(now, *fresh.server_date));
}

// Point 6.
Status check_holds(const ObservedVersion& fresh, TimePoint now) {
    if (is_held(fresh, now))
        return fail(ErrorKind::denied, "Held", "version " + fresh.name + ": it carries the tag galleryd-hold");
    if (fresh.block_deletion_before_end_of_life.value_or(false) && !is_past_end(fresh, now)) {
        return fail(ErrorKind::denied, "BeforeEndOfLife",
                    "version " + fresh.name + ": Azure blocks its deletion before its end of life");
    }
    return {};
}

// Point 8, by both clocks.
Status check_time(const ObservedVersion& fresh, TimePoint now) {
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
    if (fresh.state == ProvisioningState::succeeded && has_end(fresh) && !is_past_end(fresh, now))
        return changed(fresh, "its end of life has not passed by both clocks");
    return {};
}

}  // namespace

Status check_fresh(const Fingerprint& seen, const ObservedVersion& fresh, TimePoint now) {
    const Status same = is_switched_off(5) ? Status{} : check_resource(seen, fresh, now);
    if (!same) return same;
    const Status free = is_switched_off(6) ? Status{} : check_holds(fresh, now);
    if (!free) return free;
    if (!is_switched_off(5) && (seen.etag.empty() || seen.etag != fingerprint(fresh)))
        return changed(fresh, "somebody changed it after the plan was made");
    return is_switched_off(8) ? Status{} : check_time(fresh, now);
}

}  // namespace galleryd
