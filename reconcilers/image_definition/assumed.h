#pragma once
#include <map>
#include <string>

#include "controller/core/observed.h"
#include "controller/core/plan.h"
#include "controller/core/policy.h"

// What a definition looks like once a plan has been carried out and every copy has arrived: for looking ahead, never
// for deciding what is sent. It takes a plan's steps as they are and knows no rule of its own.
namespace galleryd {

// Records by ResourceId::key(), as Policy has them.
using Records = std::map<std::string, ResourceRecord>;

// Carries out creations, updates and deletions of the definition and its versions, at that time. False: nothing of the
// view or the records is other than before.
bool assume_done(const Plan& plan, TimePoint at, DefinitionView& view, Records& records);

// Operations that Azure or galleryd had begun have ended well: what was being made or changed is Succeeded, with every
// copy Completed, and what was being deleted is gone. False: there was none.
bool assume_ended(DefinitionView& view, Records& records);

}  // namespace galleryd
