#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "controller/core/desired.h"
#include "controller/core/plan.h"
#include "controller/core/status.h"
#include "reconcilers/lifecycle/desired_store.h"
#include "reconcilers/lifecycle/executor.h"
#include "reconcilers/lifecycle/scope.h"

namespace galleryd {

struct ReportInput {
    const Scope* scope = nullptr;
    const DesiredObjects* objects = nullptr;
    const Plan* plan = nullptr;            // nullptr: the look at Azure failed, `look_error` says why
    const ApplyReport* applied = nullptr;  // nullptr: nothing was applied
    std::optional<Error> look_error;
    const DefinitionView* definition_view = nullptr;     // for published dates and provisioning states
    std::map<ObjectKey, std::string> document_problems;  // invalid documents that stand on their last good content
    std::map<ObjectKey, std::string> document_notes;     // others on their last good content: what they wait for
    std::map<std::string, std::string> overdue;          // by address: operations past their deadline
    TimePoint now{};
};

// Status of every declared object of the scope. Pure; transitions are carried over by the caller.
std::vector<ObjectStatus> report_scope(const ReportInput& input);

// What is in conflict, and the ways out: "osState cannot change … Either …, or ….".
std::string text_of(const Conflict& conflict);

// Address of a declared object as plans print it.
std::string address_of(const Scope& scope, const ObjectKey& key, const DesiredObjects& objects);

}  // namespace galleryd
