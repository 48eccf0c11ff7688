#pragma once
#include <iosfwd>
#include <vector>

#include "controller/core/plan.h"
#include "controller/program/options.h"
#include "controller/program/plan_text.h"
#include "controller/program/session.h"

namespace galleryd {

int run_plan(const PlanOptions& options, std::ostream& out, std::ostream& err);

// Looks at every scope and plans it, eight scopes at a time; in scope order. A scope that cannot be looked at is an
// error of that scope: the others are planned. `err` is told when Azure takes its time; it must outlive the task.
struct PlannedScopes {
    std::vector<Plan> plans;
    std::vector<std::pair<std::string, Error>> failures;  // scope, why
};
Task<PlannedScopes> plan_every_scope(Session& session, std::ostream* err);

bool sees_nothing(const PlannedScopes& planned);  // not one scope could be looked at

// What does what the plan shows, with every flag that it depends on; can be pasted.
std::string next_command(const PlanOptions& options);

PlanHeader plan_header(Session& session);
bool has_changes(const std::vector<Plan>& plans);
bool has_errors(const std::vector<Diagnostic>& problems);
// Stands for documents that could not be read: what was not compared is not "no changes".
Plan unread_documents();
// Scopes and why, one message for all that failed alike.
void print_failures(std::ostream& err, const std::vector<std::pair<std::string, Error>>& failures,
                    const std::string& what = "could not be looked at; nothing is planned there");
int deletions_in(const std::vector<Plan>& plans);  // deletions and region removals

}  // namespace galleryd
