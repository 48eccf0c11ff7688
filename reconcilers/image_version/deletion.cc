#include "reconcilers/image_version/deletion.h"

#include <algorithm>

#include "reconcilers/lifecycle/plan_digest.h"

namespace galleryd::image_version {
namespace {

// A version that may go as far as everything but the brakes is concerned.
struct Ready {
    std::size_t index = 0;
    InterlockQuestion question;
    std::string reason, rule, why;
};

bool has_point(const std::vector<BlockReason>& reasons, int point) {
    return std::ranges::find(reasons, point, &BlockReason::interlock_point) != reasons.end();
}

bool has_reason(const std::vector<BlockReason>& reasons, std::string_view reason) {
    return std::ranges::find(reasons, reason, &BlockReason::reason) != reasons.end();
}

// Without point 10 (it needs the whole plan): brakes that are wide open.
InterlockQuestion without_brakes(InterlockQuestion question) {
    question.brakes = BrakeQuestion{.deletions = 0,
                                    .per_pass_max = 0,
                                    .percent_max = std::nullopt,
                                    .versions_total = 0,
                                    .hourly_left = 1,
                                    .window = std::nullopt,
                                    .approval_required = false,
                                    .approved = false,
                                    .digest = {}};
    return question;
}

class Deletions {
  public:
    Deletions(const Facts& facts, const std::vector<Standing>& standings, const Latest& latest, Plan& plan)
        : facts_(facts), standings_(standings), latest_(latest), plan_(plan), fates_(facts.versions.size()) {}

    std::vector<Fate> take() {
        for (std::size_t i = 0; i < facts_.versions.size(); ++i) {
            const VersionFacts& version = facts_.versions[i];
            fates_[i].judgement = judge(facts_, version, standings_[i], latest_);
            if (version.mode == Mode::suspend && version.removed == nullptr) {
                fates_[i].judgement = {.candidate = false,
                                       .rule = "suspended",
                                       .text = "spec.mode is Suspend: nothing is decided",
                                       .matching = {}};
            } else if (version.ownership == Ownership::removed) {
                weigh_removed(i);
            } else if (fates_[i].judgement.candidate) {
                weigh_candidate(i);
            } else if (may_unmark(version, fates_[i].judgement) &&
                       mark_of(facts_, version, fates_[i].judgement).any_tag) {
                fates_[i].mark = MarkStep::unmark;
            }
        }
        apply_brakes();
        return std::move(fates_);
    }

  private:
    // Also where the policy is gone: a mark that nothing stands behind any more is taken off.
    static bool may_unmark(const VersionFacts& version, const Judgement& judgement) {
        if (version.in_transition || version.observed == nullptr || judgement.rule == "deletedLately") return false;
        if (!version.governed && version.ownership != Ownership::ours) return false;
        return version.observed->state == ProvisioningState::succeeded ||
               version.observed->state == ProvisioningState::failed;
    }

    InterlockQuestion deletion_question(std::size_t i) const {
        InterlockQuestion question = question_about(facts_, facts_.versions[i], Destruction::delete_version);
        const KeepRule kept = keep_rule(facts_, facts_.versions[i], standings_[i], latest_, KeepCount::certain);
        question.keep_rule = kept.rule;
        question.keep_text = kept.text;
        return question;
    }

    // For people everything at once, so the brakes that stand by themselves (window, hour, approval) are asked too; how
    // many go together is only known of those that are ready.
    void block_early(std::size_t i, InterlockQuestion question, bool by_retention) {
        const Retention& retention = brakes_of(facts_);
        question.brakes =
            BrakeQuestion{.deletions = 0,
                          .per_pass_max = 0,
                          .percent_max = std::nullopt,
                          .versions_total = 0,
                          .hourly_left = facts_.policy.deletes_per_hour_max - facts_.policy.deletes_last_hour,
                          .window = retention.window,
                          .approval_required = by_retention && retention.approval_required,
                          .approved = false,
                          .digest = {}};
        block(i, interlock(question));
    }

    void block(std::size_t i, std::vector<BlockReason> reasons) {
        fates_[i].blocked_by = reasons;
        plan_.blocked.push_back(
            blocked_about(facts_, facts_.versions[i], Action::remove, fates_[i].judgement.rule, std::move(reasons)));
    }

    void weigh_removed(std::size_t i) {
        const VersionFacts& version = facts_.versions[i];
        if (version.removed->deletion_policy == DeletionPolicy::orphan) {
            plan_.notices.push_back(version.address +
                                    ": orphaned: its document is gone and its deletionPolicy was Orphan; it stays in "
                                    "Azure and nothing is written to it");
            return;
        }
        const bool was_done = version.record != nullptr && version.record->gone_at &&
                              version.removed->first_missing <= *version.record->gone_at;
        if (was_done) {
            fates_[i].judgement.text += "; that was carried out once, and somebody restored the version";
            plan_.notices.push_back(version.address +
                                    ": its document is gone, galleryd deleted it, and somebody restored it: it stays "
                                    "until somebody deletes it by hand");
            return;
        }
        fates_[i].judgement.candidate = true;
        InterlockQuestion question = deletion_question(i);
        question.positive_reason = "document removed";
        question.removed = version.removed;
        if (!interlock(without_brakes(question)).empty()) return block_early(i, question, false);
        ready_.push_back({i, std::move(question), "removed", "removedDocument",
                          "its document was removed with deletionPolicy: Delete"});
    }

    void weigh_candidate(std::size_t i) {
        const VersionFacts& version = facts_.versions[i];
        Fate& fate = fates_[i];
        const Retention& retention = *facts_.retention();
        const Mark mark = mark_of(facts_, version, fate.judgement);
        if (retention.action != RetentionAction::remove) {
            fate.judgement.text += "; retention.action is Report, so it is only named";
            if (mark.any_tag) fate.mark = MarkStep::unmark;
            return;
        }
        InterlockQuestion question = deletion_question(i);
        question.positive_reason = fate.judgement.rule;
        question.grace_until = mark.delete_after;
        question.end_of_life_counts = fate.judgement.rule != facts_.rule("failedAfter");
        const std::vector<BlockReason> reasons = interlock(without_brakes(question));
        if (!mark.delete_after) return weigh_unmarked(i, mark, question, reasons);
        fate.delete_after = mark.delete_after;
        if (has_reason(reasons, "in_use")) {  // grace has to be a whole one once it is out of use
            fate.mark = MarkStep::unmark;
            fate.mark_why = "it is in use; the grace starts anew when it no longer is";
            fate.delete_after.reset();
        }
        if (reasons.size() == 1 && reasons.front().reason == "grace")
            return;  // marked and on its way: nothing to report
        if (!reasons.empty()) return block_early(i, question, true);
        ready_.push_back({i, std::move(question), "retention", fate.judgement.rule, fate.judgement.text});
    }

    // Marked only when nothing but time, permission and brakes stands in the way: a mark is an announcement that should
    // come true.
    void weigh_unmarked(std::size_t i, const Mark& mark, const InterlockQuestion& question,
                        const std::vector<BlockReason>& reasons) {
        Fate& fate = fates_[i];
        for (const int point : {2, 3, 4, 5, 6, 7, 8, 9}) {
            if (!has_point(reasons, point)) continue;
            if (mark.any_tag) fate.mark = MarkStep::unmark;
            fate.mark_why = "something stands in the way of its deletion";
            return block_early(i, question, true);
        }
        if (facts_.versions[i].strict_mode != Mode::manage) return block_early(i, question, true);
        fate.mark = MarkStep::mark;
        fate.delete_after = std::chrono::ceil<std::chrono::seconds>(facts_.now) + facts_.retention()->grace;
    }

    BrakeQuestion brakes(const Ready& ready, const std::string& digest, int done) const {
        const Retention& retention = brakes_of(facts_);
        return {.deletions = static_cast<int>(ready_.size()),
                .per_pass_max = retention.deletes_per_pass_max,
                .percent_max = retention.percent_per_pass_max,
                .versions_total = static_cast<int>(facts_.input.view->versions.size()),
                .hourly_left = facts_.policy.deletes_per_hour_max - facts_.policy.deletes_last_hour - done,
                .window = retention.window,
                .approval_required = ready.reason == "retention" && retention.approval_required,
                .approved = is_approved_digest(facts_, &facts_.versions[ready.index], digest),
                .digest = digest};
    }

    // The digest names everything that is ready, whether or not it was approved, whatever the time of day: it stays the
    // same until the set changes.
    void apply_brakes() {
        std::ranges::reverse(ready_);  // oldest number first
        std::vector<DeletionItem> items;
        for (const Ready& ready : ready_) {
            const VersionFacts& version = facts_.versions[ready.index];
            items.push_back({version.address, version.observed->published, ready.rule,
                             std::string(to_string(Destruction::delete_version))});
        }
        const std::string digest = deletions_digest(items);
        int done = 0;
        for (Ready& ready : ready_) {
            ready.question.brakes = brakes(ready, digest, done);
            std::vector<BlockReason> reasons = interlock(ready.question);
            const BrakeQuestion& asked = ready.question.brakes;
            if (asked.approval_required || asked.deletions > brake_limit(asked)) plan_.deletions_digest = digest;
            if (!reasons.empty()) {
                block(ready.index, std::move(reasons));
                plan_.blocked.back().evidence["digest"] = digest;
                continue;
            }
            ++done;
            remove(ready);
        }
    }

    void remove(const Ready& ready) {
        const VersionFacts& version = facts_.versions[ready.index];
        Change change = change_about(facts_, version, Action::remove, DeleteVersion{});
        change.reason = ready.reason;
        change.rule = ready.rule;
        change.why = ready.why;
        change.risk = Risk::data_deleted;
        change.reversible = false;  // soft delete may still bring it back; the plan does not promise it
        change.destructive = true;
        change.usage_asked = !ready.question.usage_ignored;
        const LatestEffect effect = latest_effect(latest_.now(), latest_.after(version, std::nullopt));
        change.fields.push_back({.path = "",
                                 .op = FieldOp::remove,
                                 .before = version.name(),
                                 .after = "",
                                 .effect = effect.effect,
                                 .detail = effect.detail,
                                 .cause = ready.rule});
        fates_[ready.index].deleted_now = true;
        plan_.changes.push_back(
            std::move(change));  // the interlock let it pass: mode and leadership are among its points
    }

    const Facts& facts_;
    const std::vector<Standing>& standings_;
    const Latest& latest_;
    Plan& plan_;
    std::vector<Fate> fates_;
    std::vector<Ready> ready_;
};

}  // namespace

std::vector<Fate> plan_deletions(const Facts& facts, const std::vector<Standing>& standings, const Latest& latest,
                                 Plan& plan) {
    return Deletions(facts, standings, latest, plan).take();
}

}  // namespace galleryd::image_version
