#pragma once
#include <iosfwd>
#include <string>
#include <vector>

#include "controller/program/doctor/finding.h"

namespace galleryd::doctor {

// Verdict, check, what it is about, what was measured, code; below it each command that mends it after "fix: ". Texts
// of Azure are printed without control characters.
void print_line(std::ostream& out, const Finding& finding);
void print_counts(std::ostream& out, const std::vector<Finding>& findings);  // comes last

// {"format_version": "1.0", "kind": "Checkup", "galleryd_version", "azure", "checks": [{"check", "about", "verdict",
// "measured", "fix": […], "code"}], "summary": {…}}.
void print_json(std::ostream& out, const std::vector<Finding>& findings, const std::string& azure);

}  // namespace galleryd::doctor
