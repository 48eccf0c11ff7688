#include "reconcilers/lifecycle/report.h"

#include <doctest/doctest.h>

using namespace galleryd;

namespace {

// One definition with one version, and what is told about the version in each situation.
struct Situation {
    ObjectKey definition_key{Kind::image_definition, "images", "ubuntu"};
    ObjectKey version_key{Kind::image_version, "images", "ubuntu-1.0.0"};
    DesiredObjects objects;
    Scope scope;
    Plan plan;
    ApplyReport applied;
    std::optional<Error> look_error;
    std::map<ObjectKey, std::string> problems;
    std::optional<DefinitionView> view;
    std::map<ObjectKey, std::string> notes;
    const std::string address = "images/golden/ubuntu/1.0.0";

    Situation() {
        ImageDefinition definition;
        definition.meta.key = definition_key;
        definition.id = definition_id(gallery_id("s", "g", "golden"), "ubuntu");
        ImageVersion version;
        version.meta.key = version_key;
        version.number = *parse_image_version_number("1.0.0");
        version.id = version_id(definition.id, "1.0.0");
        objects.definitions.emplace(definition_key, definition);
        objects.versions.emplace(version_key, version);
        scope.name = "images/golden/ubuntu";
        scope.kind = ScopeKind::definition;
        scope.definition = definition_key;
        scope.versions = {version_key};
        RegionStatus home;
        home.name = "canadacentral";
        home.wanted = home.observed = 1;
        home.state = ReplicationState::completed;
        home.present = true;
        plan.regions[address] = {home};
    }
    ObjectStatus version() {
        const ReportInput input{.scope = &scope,
                                .objects = &objects,
                                .plan = look_error ? nullptr : &plan,
                                .applied = &applied,
                                .look_error = look_error,
                                .definition_view = view ? &*view : nullptr,
                                .document_problems = problems,
                                .document_notes = notes,
                                .overdue = {},
                                .now = *parse_rfc3339("2026-11-21T00:00:00Z")};
        auto all = report_scope(input);
        REQUIRE(all.size() == 2);
        return all[1];
    }
    // "Ready=False/Reason Reconciling=True/Reason …" of the three that kstatus knows.
    std::string ready() {
        const ObjectStatus status = version();
        std::string text;
        for (const char* type : {"Ready", "Reconciling", "Stalled"}) {
            const Condition* condition = status.find(type);
            if (condition == nullptr) continue;
            text += (text.empty() ? "" : " ") + std::string(type) + "=" + std::string(to_string(condition->status)) +
                    "/" + condition->reason;
        }
        return text;
    }
    Change change(const std::string& reason = "manifest_changed") {
        Change made;
        made.address = address;
        made.object = version_key;
        made.reason = reason;
        made.why = "the document asks for it";
        return made;
    }
    void failed(ErrorKind kind, const std::string& reason) {
        ChangeOutcome outcome;
        outcome.address = address;
        outcome.result = ChangeResult::failed;
        outcome.error = Error{.kind = kind, .reason = reason, .message = "it did not work"};
        applied.outcomes = {outcome};
    }
};

}  // namespace

TEST_CASE("report: in order") {
    Situation all;
    CHECK(all.ready() == "Ready=True/Reconciled");
    CHECK(all.version().kstatus() == KStatus::current);
    CHECK(all.version().find("InSync")->status == ConditionStatus::true_);
    CHECK(all.version().find("Available")->status == ConditionStatus::true_);
    CHECK(all.version().summary.at("regions") == "1/1");
    CHECK(all.version().address == all.address);
}

TEST_CASE("report: what stands on its last good content through no fault of its own is in order, and says so") {
    Situation all;
    all.notes[all.version_key] = "v.yaml:3: GD1033 it depends on an invalid document";
    CHECK(all.ready() == "Ready=True/Reconciled");
    CHECK(all.version().find("Ready")->message ==
          "Azure matches the last good content, which stays in force: v.yaml:3: GD1033 it depends on an invalid "
          "document");
}

TEST_CASE("report: under way") {
    Situation all;
    SUBCASE("a change is due") {
        all.plan.changes.push_back(all.change());
        CHECK(all.ready() == "Ready=False/ReplicationInProgress Reconciling=True/ReplicationInProgress");
        CHECK(all.version().find("InSync")->reason == "ChangesPending");
    }
    SUBCASE("drift") {
        all.plan.changes.push_back(all.change("drift"));
        CHECK(all.version().find("InSync")->reason == "DriftDetected");
        CHECK(all.version().find("InSync")->status == ConditionStatus::false_);
    }
    SUBCASE("Azure works") {
        all.plan.waiting.push_back(all.address);
        CHECK(all.ready() == "Ready=False/ReplicationInProgress Reconciling=True/ReplicationInProgress");
    }
    SUBCASE("its parent is not there yet") {
        all.plan.waiting.push_back(all.address);
        all.plan.regions.clear();
        CHECK(all.ready() == "Ready=False/DependencyNotReady Reconciling=True/DependencyNotReady");
        CHECK(all.version().find("Available")->status == ConditionStatus::false_);
    }
    SUBCASE("its definition is gone from Azure: Azure is not at work on it") {
        all.plan.waiting.push_back(all.address);
        all.view.emplace();
        all.view->gallery_exists = true;
        CHECK(all.ready() == "Ready=False/DependencyNotReady Reconciling=True/DependencyNotReady");
        CHECK(all.version().find("Ready")->message == "Waits for its definition, which Azure does not have.");
        all.view->gallery_exists = false;
        CHECK(all.version().find("Ready")->message == "Waits for its gallery, which is not there or is being changed.");
    }
    SUBCASE("gone, and reads have to agree before it is made anew") {
        all.plan.changes.push_back(all.change("not_found"));
        all.failed(ErrorKind::not_ready, "NotFoundInAzure");
        all.applied.outcomes.front().result = ChangeResult::unconfirmed;
        CHECK(all.ready() == "Ready=False/NotFoundInAzure Reconciling=True/NotFoundInAzure");
        CHECK(all.version().find("Ready")->message == "it did not work");
    }
    SUBCASE("a region failed") {
        all.plan.regions[all.address].front().state = ReplicationState::failed;
        CHECK(all.ready() == "Ready=False/ReplicationFailed Reconciling=True/ReplicationFailed");
    }
    SUBCASE("throttled") {
        all.failed(ErrorKind::throttled, "TooManyRequests");
        CHECK(all.ready() == "Ready=False/Throttled Reconciling=True/Throttled");
    }
    SUBCASE("an error of Azure that has no word of its own") {
        all.failed(ErrorKind::transient, "InternalServerError");
        CHECK(all.ready() == "Ready=False/AzureError Reconciling=True/AzureError");
    }
    SUBCASE("the look failed for a while") {
        all.look_error = Error{.kind = ErrorKind::transient, .reason = "NetworkError", .message = "cut"};
        CHECK(all.ready() == "Ready=False/AzureError Reconciling=True/AzureError");
    }
    CHECK(all.version().kstatus() == KStatus::in_progress);
}

TEST_CASE("report: stuck until a person acts") {
    Situation all;
    std::string reason;
    SUBCASE("the document is invalid") {
        all.problems[all.version_key] = "GD1012 replicas: 0 is too small";
        reason = "InvalidSpec";
        CHECK(all.version().find("Ready")->message.find("GD1012") != std::string::npos);
    }
    SUBCASE("a conflict") {
        Conflict conflict;
        conflict.address = all.address;
        conflict.object = all.version_key;
        conflict.code = "GD2103";
        conflict.reason = "ImmutableFieldChanged";
        conflict.ways_out = {"one", "two"};
        all.plan.conflicts.push_back(conflict);
        reason = "ImmutableFieldChanged";
        CHECK(all.version().find("Ready")->message.find("Either one, or two.") != std::string::npos);
    }
    SUBCASE("no permission to write") {
        all.failed(ErrorKind::denied, "AuthorizationFailed");
        reason = "AuthorizationFailed";
    }
    SUBCASE("no permission to look") {
        all.look_error = Error{.kind = ErrorKind::denied, .reason = "AuthorizationFailed", .message = "no"};
        reason = "AuthorizationFailed";
    }
    SUBCASE("Azure calls it wrong") {
        all.failed(ErrorKind::invalid, "InvalidParameter");
        reason = "AzureError";
    }
    CHECK(all.ready() == "Ready=False/" + reason + " Stalled=True/" + reason);
    CHECK(all.version().kstatus() == KStatus::failed);
}

TEST_CASE("report: not managed, and deletions that wait") {
    Situation all;
    SUBCASE("suspended") {
        all.objects.versions.at(all.version_key).governance.mode = Mode::suspend;
        CHECK(all.ready() == "Ready=False/Suspended");
    }
    SUBCASE("observed") {
        Blocked blocked;
        blocked.address = all.address;
        blocked.action = Action::update;
        blocked.reasons.push_back({.interlock_point = 0,
                                   .reason = "observing",
                                   .condition = "Observing",
                                   .message = "spec.mode is Observe",
                                   .way_out = ""});
        all.plan.blocked.push_back(blocked);
        CHECK(all.ready() == "Ready=False/Observing");
    }
    SUBCASE("a deletion that is blocked does not make it unready") {
        Blocked blocked;
        blocked.address = all.address;
        blocked.action = Action::remove;
        blocked.reasons.push_back({.interlock_point = 6,
                                   .reason = "held",
                                   .condition = "Held",
                                   .message = "held",
                                   .way_out = "galleryd release"});
        all.plan.blocked.push_back(blocked);
        VersionVerdict verdict;
        verdict.arm_id = all.objects.versions.at(all.version_key).id;
        verdict.candidate = true;
        verdict.rule = "standard/olderThan";
        verdict.blocked_by = blocked.reasons;
        verdict.delete_after = *parse_rfc3339("2026-12-01T00:00:00Z");
        all.plan.verdicts.push_back(verdict);
        CHECK(all.ready() == "Ready=True/Reconciled");
        CHECK(all.version().find("DeletionBlocked")->reason == "Held");
        CHECK(all.version().find("DeletionScheduled")->status == ConditionStatus::true_);
    }
}

TEST_CASE("report: the text of a condition is the same as long as the situation is") {
    Situation all;
    all.plan.regions[all.address].front().state = ReplicationState::replicating;
    all.plan.waiting.push_back(all.address);
    all.plan.regions[all.address].front().progress = 10;
    const std::string before = all.version().find("Ready")->message;
    all.plan.regions[all.address].front().progress = 70;
    CHECK(all.version().find("Ready")->message == before);
    CHECK(all.version().summary.at("progress") == "70%");
}
