#include "reconcilers/lifecycle/interlock.h"

#include <algorithm>
#include <utility>

#include "controller/core/interlock_switch.h"

namespace galleryd {
namespace {

class Points {
  public:
    explicit Points(const InterlockQuestion& question) : question_(question) {}

    void stop(int point, std::string reason, std::string condition, std::string message, std::string way_out) {
        if (!asks(question_.destruction, point) || is_switched_off(point)) return;
        reasons_.push_back({.interlock_point = point,
                            .reason = std::move(reason),
                            .condition = std::move(condition),
                            .message = std::move(message),
                            .way_out = std::move(way_out)});
    }
    std::vector<BlockReason> take() { return std::move(reasons_); }

  private:
    const InterlockQuestion& question_;
    std::vector<BlockReason> reasons_;
};

std::string join(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : "; ") + part;
    return text;
}

void ask_permission(Points& points, const InterlockQuestion& q) {
    if (!q.policy->allow_deletes) {
        points.stop(1, "deletes_not_allowed", "ApprovalRequired", "this daemon runs without --allow-deletes",
                    "start galleryd with --allow-deletes");
    }
    if (q.policy->observe) {
        points.stop(1, "observing", "ApprovalRequired", "this daemon runs with --observe",
                    "start galleryd without --observe");
    }
    if (q.mode != Mode::manage) {
        points.stop(1, q.mode == Mode::observe ? "observing" : "suspended", "Held",
                    "spec.mode is " + std::string(to_string(q.mode)) + " for this object or for what it belongs to",
                    "set spec.mode: Manage");
    }
}

void ask_ownership(Points& points, const InterlockQuestion& q) {
    if (q.ownership != OwnershipProof::none) return;
    points.stop(2, "not_ours", "Held",
                q.ownership_problem.empty() ? "nothing proves that this daemon owns it" : q.ownership_problem,
                "see galleryd explain GD2302; delete it by hand if it has to go");
}

void ask_positive_reason(Points& points, const InterlockQuestion& q) {
    if (q.positive_reason.empty()) {
        points.stop(3, "no_reason", "Held", "no removed document and no retention rule asks for it",
                    "remove its document with deletionPolicy: Delete, or write a retention rule that names it");
    }
    if (q.removed == nullptr) return;
    if (q.removed->deletion_policy != DeletionPolicy::remove) {
        points.stop(3, "orphaned", "Held", "the document is gone and its deletionPolicy was Orphan",
                    "put the document back with deletionPolicy: Delete, then remove it again");
    }
    if (!q.policy->prune) {
        points.stop(3, "prune_off", "ApprovalRequired", "the document is gone, but this daemon runs without --prune",
                    "start galleryd with --prune");
    }
    const bool is_old_enough = q.removed->first_missing <= q.now && q.now - q.removed->first_missing >= removed_age_min;
    if (q.removed->snapshots_missing < removed_snapshots_min || !is_old_enough) {
        points.stop(3, "removal_not_settled", "ApprovalRequired",
                    "the document must be gone in two complete snapshots at least 15 minutes apart",
                    "none needed: time does it");
    }
}

void ask_source(Points& points, const InterlockQuestion& q) {
    const SourceHealth& source = q.policy->source;
    if (!source.complete) {
        points.stop(
            4, "source_incomplete", "BrakeEngaged",
            "not every source is readable and every document of the scope valid" +
                (source.problems.empty() ? std::string() : ": " + join(source.problems)),
            "correct the documents named (galleryd validate PATH); galleryd get sources tells which source cannot "
            "be read");
    }
    if (source.empty) {
        points.stop(4, "source_empty", "BrakeEngaged", "a source declares nothing at all",
                    "check its path, branch and mount; if it is meant: galleryd approve " +
                        (source.revision.empty() ? "REVISION" : source.revision));
    }
    if (source.frozen) {  // an approval lifts it where the source is accepted, for that source alone
        points.stop(
            4, "source_frozen", "BrakeEngaged", "deletions are frozen: " + *source.frozen,
            "look at the change, then galleryd approve " + (source.revision.empty() ? "REVISION" : source.revision));
    }
}

void ask_resource(Points& points, const InterlockQuestion& q) {
    if (!q.view_complete) {
        points.stop(5, "view_incomplete", "BrakeEngaged", "the look at Azure was not complete",
                    "none needed: the next complete look decides");
    }
    if (q.operation_in_flight) {
        points.stop(5, "in_transition", "BrakeEngaged", "an operation is in flight on it",
                    "none needed: it is looked at again when that ends");
    }
    if (q.state != ProvisioningState::succeeded && q.state != ProvisioningState::failed && !is_in_transition(q.state)) {
        points.stop(
            5, "unknown_state", "BrakeEngaged", "Azure does not say that its state is Succeeded or Failed",
            "none needed if that passes; else look at it in Azure (az resource show) and delete it by hand if it has "
            "to go");
    }
    if (is_in_transition(q.state) && !q.operation_in_flight) {
        points.stop(5, "in_transition", "BrakeEngaged", "its state is " + std::string(to_string(q.state)),
                    "none needed: it is looked at again when that ends");
    }
    if (!q.identity_known) {
        points.stop(5, "unknown_published_date", "Held",
                    "Azure reports no readable published date, so it cannot be told from a re-created one",
                    "delete it by hand if it has to go");
    }
    if (q.refused_at && q.now - *q.refused_at < refused_removal_pause) {
        points.stop(5, "refused_lately", "BrakeEngaged", "Azure refused or failed this removal less than an hour ago",
                    "none needed: it is tried again after an hour; galleryd events tells what Azure answered");
    }
}

void ask_holds(Points& points, const InterlockQuestion& q) {
    if (!q.holds.empty()) {
        points.stop(6, "held", "Held", "held: " + join(q.holds),
                    q.hold_ways_out.empty() ? "take that annotation or tag off" : join(q.hold_ways_out));
    }
    if (q.locked) {
        points.stop(6, "locked", "ResourceLocked", "an Azure lock forbids deletion (galleryd never removes locks)",
                    "if it has to go, remove the lock in Azure: az lock list, then az lock delete");
    }
    if (q.blocked_until_end_of_life && (!q.end_of_life || *q.end_of_life >= q.now || q.end_of_life_unknown)) {
        points.stop(
            6, "blocked_until_eol", "BeforeEndOfLife",
            "blockDeletionBeforeEndOfLife is set and " + (q.end_of_life
                                                              ? "end of life is " + format_rfc3339(*q.end_of_life)
                                                              : std::string("no end of life is known")),
            "wait, or clear the flag yourself: safety.blockDeletionBeforeEndOfLife: false in its document, without "
            "one az sig image-version update --set safetyProfile.blockDeletionBeforeEndOfLife=false. galleryd "
            "never does that in order to delete");
    }
}

void ask_usage(Points& points, const InterlockQuestion& q) {
    if (q.usage_ignored) return;
    const std::string detail = q.usage.detail.empty() ? "" : ": " + q.usage.detail;
    if (q.usage.state == UsageState::in_use) {
        points.stop(7, "in_use", "InUse", "in use" + detail,
                    "move its users to a newer version; galleryd usage " + q.name + " lists them all");
    } else if (q.usage.state == UsageState::unknown) {
        points.stop(7, "usage_unknown", "UsageUnknown",
                    "whether it is in use cannot be told, which counts as in use" + detail,
                    !q.usage.way_out.empty()
                        ? q.usage.way_out
                        : "let this identity read the subscriptions (Reader), or set retention.inUse: Ignore");
    }
}

void ask_time(Points& points, const InterlockQuestion& q) {
    const auto skew = q.policy->clock_skew;
    if (!skew || *skew < Duration{0} || *skew >= clock_skew_max) {
        points.stop(8, "clock_skew", "BrakeEngaged",
                    skew ? "our clock and Azure's differ by five minutes or more" : "Azure's clock is not known yet",
                    skew ? "set this machine's clock" : "none needed: the next answer of Azure tells it");
    }
    // Passed by both clocks: Azure's may be behind ours by the skew.
    const TimePoint certain = q.now - skew.value_or(Duration{0});
    if (q.grace_until && *q.grace_until >= certain) {
        points.stop(8, "grace", "BeforeEndOfLife", "marked, and its grace ends at " + format_rfc3339(*q.grace_until),
                    "none needed: time does it; galleryd hold " + q.name + " stops it");
    }
    if (!q.end_of_life_counts) return;
    if (q.end_of_life_unknown) {
        points.stop(8, "eol_unknown", "BeforeEndOfLife", "its end of life cannot be read",
                    "set a readable endOfLifeDate in its document or in Azure");
    } else if (q.end_of_life && *q.end_of_life >= certain) {
        points.stop(8, "eol_not_reached", "BeforeEndOfLife",
                    "its end of life is " + format_rfc3339(*q.end_of_life) + ", which has not passed",
                    "none needed: time does it; or bring endOfLifeDate forward");
    }
}

std::string way_past_keep_rule(const InterlockQuestion& q) {
    if (q.destruction == Destruction::remove_region) return "wait until a wanted region is Completed";
    if (q.keep_rule.ends_with("/keepNewest")) return "publish a newer version, or lower retention.keepNewest";
    if (q.keep_rule.ends_with("/minimumAge")) return "none needed: time does it; or lower retention.minimumAge";
    return "none needed: it may go once a newer version is usable in every region";
}

void ask_keep_rules(Points& points, const InterlockQuestion& q) {
    if (q.keep_rule.empty() && q.keep_text.empty()) return;
    points.stop(9, "min_keep", "MinimumKeep", (q.keep_rule.empty() ? "" : q.keep_rule + ": ") + q.keep_text,
                way_past_keep_rule(q));
}

void ask_brakes(Points& points, const InterlockQuestion& q) {
    const BrakeQuestion& brakes = q.brakes;
    const std::string approve = brakes.digest.empty() ? approve_unnamed : "galleryd approve " + brakes.digest;
    if (brakes.window && !window_offset(*brakes.window, q.now, *q.policy)) {
        points.stop(10, "window", "BrakeEngaged",
                    "the time zone " + brakes.window->time_zone +
                        " of the deletion window is not known here, so the window stays shut",
                    "correct window.timeZone, or install tzdata where galleryd runs; an offset like Etc/GMT+5 (that is "
                    "UTC-5) needs no file");
    } else if (brakes.window && !is_in_window(*brakes.window, q.now, *q.policy)) {
        points.stop(10, "window", "BrakeEngaged", "outside the policy's deletion window",
                    "none needed: it goes on in the window");
    }
    if (brakes.approval_required && !brakes.approved) {
        points.stop(10, "approval_required", "ApprovalRequired", "retention.approval is Required", approve);
    }
    const int limit = brake_limit(brakes);
    if (brakes.deletions > limit && !brakes.approved) {
        points.stop(10, "brake", "BrakeEngaged",
                    "the plan takes away " + std::to_string(brakes.deletions) + ", the brake allows " +
                        std::to_string(limit) + " at once, so nothing of it goes before a person approves it",
                    approve);
    }
    if (brakes.hourly_left <= 0) {
        points.stop(
            10, "brake_hourly", "BrakeEngaged",
            "the hourly limit of deletions in this subscription is reached, or nobody knows how many there were",
            "none needed: it goes on later");
    }
}

}  // namespace

std::string_view to_string(Destruction destruction) {
    switch (destruction) {
        case Destruction::delete_version: return "delete version";
        case Destruction::delete_definition: return "delete definition";
        case Destruction::delete_gallery: return "delete gallery";
        case Destruction::remove_region: return "remove region";
        case Destruction::remove_failed_region: return "remove failed region";
        case Destruction::lower_replicas: return "lower replicas";
        case Destruction::remove_access: return "remove access";
    }
    return "";
}

bool asks(Destruction destruction, int point) {
    switch (destruction) {
        case Destruction::delete_version:
        case Destruction::delete_definition:
        case Destruction::delete_gallery: return true;
        case Destruction::remove_region: return point != 8;
        case Destruction::remove_failed_region:
        case Destruction::lower_replicas: return point <= 6 || point >= 11;
        case Destruction::remove_access: return point <= 4 || point >= 11;
    }
    return true;
}

int brake_limit(const BrakeQuestion& brakes) {
    const int per_pass = std::max(brakes.per_pass_max, 0);
    if (!brakes.percent_max) return per_pass;
    const long long share =
        static_cast<long long>(std::max(*brakes.percent_max, 0)) * std::max(brakes.versions_total, 0) / 100;
    if (*brakes.percent_max <= 0) return 0;
    return std::min(per_pass, std::max(1, static_cast<int>(std::min<long long>(share, per_pass))));
}

std::vector<BlockReason> interlock(const InterlockQuestion& question) {
    static const Policy nothing_known = [] {
        Policy policy;
        policy.source.complete = false;
        policy.leader = false;
        policy.journal_writable = false;
        return policy;
    }();
    InterlockQuestion q = question;
    if (q.policy == nullptr) q.policy = &nothing_known;
    Points points(q);
    ask_permission(points, q);
    ask_ownership(points, q);
    ask_positive_reason(points, q);
    ask_source(points, q);
    ask_resource(points, q);
    ask_holds(points, q);
    ask_usage(points, q);
    ask_time(points, q);
    ask_keep_rules(points, q);
    ask_brakes(points, q);
    if (!q.policy->leader) {
        points.stop(11, "not_leader", "BrakeEngaged", "this process does not hold the lease",
                    "none needed: the leader does it");
    }
    if (!q.policy->journal_writable) {
        points.stop(12, "journal_not_writable", "BrakeEngaged",
                    "the journal cannot be written, and nothing is taken away without a record",
                    "make the state directory writable and restart");
    }
    return points.take();
}

bool waits_only_for_release(const std::vector<BlockReason>& reasons) {
    return std::ranges::all_of(reasons, [](const BlockReason& reason) { return reason.interlock_point == 10; });
}

}  // namespace galleryd
