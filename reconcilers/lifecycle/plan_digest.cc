#include "reconcilers/lifecycle/plan_digest.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "controller/core/digest.h"
#include "controller/core/policy.h"
#include "reconcilers/lifecycle/interlock.h"

namespace galleryd {
namespace {

constexpr const char* separator = "\x1f";

// Position in the order of application; deletions count up from children to parents after everything else.
struct Position {
    int operator()(const EnsureResourceGroup&) const { return 0; }
    int operator()(const CreateGallery&) const { return 1; }
    int operator()(const UpdateGallery&) const { return 1; }
    int operator()(const EnsureStorage&) const { return 2; }
    int operator()(const ShareGallery&) const { return 3; }
    // At a definition that this plan may create first: with it, and planned after it.
    int operator()(const AssignRole& step) const { return step.scope.parent() ? 4 : 3; }
    int operator()(const CreateDefinition&) const { return 4; }
    int operator()(const UpdateDefinition&) const { return 4; }
    int operator()(const CreateVersion&) const { return 5; }
    int operator()(const UpdateVersion&) const { return 6; }
    int operator()(const UnassignRole&) const { return 8; }
    int operator()(const DeleteVersion&) const { return 9; }
    int operator()(const DeleteDefinition&) const { return 10; }
    int operator()(const DeleteGallery&) const { return 11; }
};

int position(const Change& change) {
    const int place = std::visit(Position{}, change.step);
    return place == 6 && change.destructive ? 7 : place;  // additions before removals
}

bool is_computed_from_now(const Change& change, const FieldChange& field) {
    if (field.path == std::string("/tags/") + delete_after_tag) return true;
    return field.path == "/endOfLifeDate" && change.action == Action::create;
}

std::string lines_of(const Change& change) {
    std::string text;
    for (const std::string& part :
         {change.address, change.kind, change.arm_id.key(), std::string(to_string(change.action)), change.reason,
          change.rule, change.seen.etag}) {
        text += part + separator;
    }
    for (const FieldChange& field : change.fields) {
        text +=
            field.path + separator + std::to_string(static_cast<int>(field.op)) + separator + field.before + separator;
        text += (is_computed_from_now(change, field) ? "" : field.after) + separator;
    }
    return text + "\n";
}

}  // namespace

std::string deletions_digest(std::vector<DeletionItem> items) {
    if (items.empty()) return {};
    std::vector<std::string> lines;
    for (const DeletionItem& item : items) {
        lines.push_back(item.address + separator + (item.published ? format_rfc3339(*item.published) : "") + separator +
                        item.rule + separator + item.step + "\n");
    }
    std::ranges::sort(lines);
    std::string text = "deletions\n";
    for (const std::string& line : lines) text += line;
    return sha256_label(text);
}

void finish_plan(Plan& plan, std::vector<std::string> observed) {
    std::map<int, std::vector<Change>> ordered;  // by position, each in the order in which it was planned
    for (Change& change : plan.changes) ordered[position(change)].push_back(std::move(change));
    plan.changes.clear();
    for (auto& [place, changes] : ordered) std::ranges::move(changes, std::back_inserter(plan.changes));
    std::ranges::sort(observed);
    std::string text = "observed\n" + plan.scope + "\n";
    for (const std::string& print : observed) text += print + "\n";
    plan.observed_digest = sha256_label(text);

    if (plan.deletions_digest.empty()) {
        std::vector<DeletionItem> items;
        for (const Blocked& blocked : plan.blocked) {
            if (blocked.reasons.empty() || !waits_only_for_release(blocked.reasons)) continue;
            items.push_back({blocked.address, std::nullopt, blocked.rule, std::string(to_string(blocked.action))});
        }
        plan.deletions_digest = deletions_digest(std::move(items));
    }
    for (Blocked& blocked : plan.blocked) {  // asked before the digest was known
        for (BlockReason& reason : blocked.reasons) {
            if (reason.way_out == approve_unnamed && !plan.deletions_digest.empty())
                reason.way_out = "galleryd approve " + plan.deletions_digest;
        }
    }
    std::string steps = "plan\n" + plan.scope + "\n" + plan.observed_digest + "\n" + plan.deletions_digest + "\n";
    for (const Change& change : plan.changes) steps += lines_of(change);
    plan.id = sha256_label(steps);
}

void finish_plan(Plan& plan) {
    std::vector<std::string> observed;
    for (const Change& change : plan.changes) {
        if (!change.seen.etag.empty()) observed.push_back(change.arm_id.key() + " " + change.seen.etag);
    }
    finish_plan(plan, std::move(observed));
}

}  // namespace galleryd
