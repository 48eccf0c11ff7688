#include "reconcilers/lifecycle/destruction.h"

#include <algorithm>
#include <utility>

#include "controller/core/hold.h"
#include "controller/core/tags.h"
#include "controller/core/utf8.h"
#include "reconcilers/lifecycle/interlock.h"
#include "reconcilers/lifecycle/ownership.h"

namespace galleryd {
namespace {

// Every step on the way to a deletion (a shared gallery is unshared first) asks what the deletion asks.
Destruction kind_of(const Subject& subject, const DestructionFacts& facts) {
    if (facts.removed == nullptr) return Destruction::remove_access;
    return subject.kind == "ImageDefinition" ? Destruction::delete_definition : Destruction::delete_gallery;
}

// Point 2: the tag on the live resource and our own record have to say the same.
void prove_ownership(InterlockQuestion& question, const Subject& subject, const DestructionFacts& facts,
                     const Policy& policy) {
    if (facts.live == nullptr || (subject.meta == nullptr && facts.removed == nullptr)) {
        question.ownership_problem = "the resource was not read";
        return;
    }
    const ObjectKey& key = subject.meta != nullptr ? subject.meta->key : facts.removed->key;
    if (!is_tagged_for(facts.live->tags, key, policy)) {
        question.ownership_problem = "the tag galleryd-owner on the resource does not name this instance and document";
        return;
    }
    const ResourceRecord* record = policy.find_record(subject.id);
    if (record == nullptr || !record->written_by_us || record->document != to_string(key)) {
        question.ownership_problem =
            "this daemon has no record of having written it (the state directory is new, or was lost)";
        return;
    }
    question.ownership = OwnershipProof::document;
}

void add_hold(InterlockQuestion& question, const std::optional<std::string>& value, const std::string& of,
              std::string way_out) {
    if (!value || is_hold_over(value, certain_time(*question.policy, question.now))) return;
    question.holds.push_back("annotation galleryd.io/hold" + of + ": " + *value);
    question.hold_ways_out.push_back(std::move(way_out));
}

std::string of_document(const SourceLocation& where) {
    return "take the annotation galleryd.io/hold out of " +
           (where.file.empty() ? std::string("the document")
                               : where.file + (where.line > 0 ? ":" + std::to_string(where.line) : ""));
}

// For a shell: what stands in a tag was written by anybody.
std::string quoted(const std::string& text) {
    std::string made = "'";
    for (const char c : printable(text, text.size())) made += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return made + "'";
}

// `galleryd release` is about versions alone.
void add_hold_tag(InterlockQuestion& question, const ObservedBase& live) {
    const auto tag = find_tag_any_case(live.tags, hold_tag);
    if (tag == live.tags.end() || is_hold_over(tag->second, certain_time(*question.policy, question.now))) return;
    question.holds.push_back("tag galleryd-hold: " + tag->second.value_or("null"));
    question.hold_ways_out.push_back("az tag update --operation Delete --resource-id " + live.id.text() + " --tags " +
                                     quoted(tag->first + "=" + tag->second.value_or("")));
}

InterlockQuestion question_of(const Subject& subject, const Change& change, const DestructionFacts& facts,
                              const Policy& policy, TimePoint now) {
    InterlockQuestion question;
    question.destruction = kind_of(subject, facts);
    question.policy = &policy;
    question.now = now;
    question.mode = facts.above != nullptr ? std::max(subject.mode, facts.above->governance.mode) : subject.mode;
    question.removed = facts.removed;
    question.positive_reason = facts.removed != nullptr          ? "document removed"
                               : change.kind == "RoleAssignment" ? "spec.access"
                                                                 : "spec.sharing";
    prove_ownership(question, subject, facts, policy);
    question.view_complete = true;  // nothing is planned from an incomplete view
    if (facts.live != nullptr) {
        question.state = facts.live->state;
        question.identity_known = true;  // no published date here: the fingerprint tells a re-created one apart
        add_hold_tag(question, *facts.live);
    }
    const ResourceRecord* record = policy.find_record(subject.id);
    question.operation_in_flight = record != nullptr && record->operation_in_flight;
    if (record != nullptr && record->failures > 0) question.refused_at = record->last_failure_at;
    if (subject.meta != nullptr) add_hold(question, subject.meta->hold, "", of_document(subject.meta->where));
    if (facts.removed != nullptr) {
        add_hold(question, facts.removed->hold, "",
                 "put the document back without the annotation galleryd.io/hold, then remove it again");
    }
    if (facts.above != nullptr)
        add_hold(question, facts.above->meta.hold, " of the gallery", of_document(facts.above->meta.where));
    question.locked = policy.locked.contains(subject.id.key());
    if (facts.children.empty()) {  // nothing is in it, so nothing in it can be in use or worth keeping
        question.usage = VersionUsage{UsageState::not_in_use, ""};
        question.keep_text.clear();
    } else {
        question.keep_rule = facts.children.front().reason;
        question.keep_text = facts.children.front().message;
    }
    question.end_of_life_counts = false;  // end of life of a definition is a notice to people (azure-facts §3.4)
    question.brakes.deletions = 1;
    question.brakes.per_pass_max = 1;
    question.brakes.hourly_left = policy.deletes_per_hour_max - policy.deletes_last_hour;
    question.brakes.approval_required = false;  // deletionPolicy: Delete in the document was the decision of a person
    return question;
}

}  // namespace

void propose_destruction(Plan& plan, const Subject& subject, Change change, const DestructionFacts& facts,
                         const Policy& policy, TimePoint now) {
    std::vector<BlockReason> reasons = interlock(question_of(subject, change, facts, policy, now));
    if (!facts.children.empty()) {
        // Points 7 and 9 follow from the children; one reason that counts them says it better.
        std::erase_if(reasons, [](const BlockReason& reason) {
            return reason.interlock_point == 7 || reason.interlock_point == 9;
        });
        reasons.insert(reasons.begin(), facts.children.begin(), facts.children.end());
    }
    if (reasons.empty()) {
        plan.changes.push_back(std::move(change));
        return;
    }
    Blocked blocked = blocked_of(subject, change.action, reasons.front());
    blocked.reasons = std::move(reasons);
    blocked.address = change.address;
    blocked.kind = change.kind;
    blocked.arm_id = change.arm_id;
    blocked.manifest = change.manifest;
    blocked.rule = change.rule;
    blocked.evidence = facts.evidence;
    for (const FieldChange& field : change.fields) blocked.evidence[field.path] = field.before + " -> " + field.after;
    plan.blocked.push_back(std::move(blocked));
}

}  // namespace galleryd
