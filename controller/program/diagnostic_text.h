#pragma once
#include <iosfwd>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "controller/core/desired.h"

namespace galleryd {

// "versions.yaml:12:15: error GD1012: spec.replicas: 0 is below the minimum 1. Write a number from 1 to 100."
std::string diagnostic_line(const Diagnostic& diagnostic);
nlohmann::ordered_json diagnostic_json(const Diagnostic& diagnostic);

// Problems for people, one a line: of each code the first hundred, then how many more there are. One wrong gallery
// makes all its ten thousand versions wrong, and the one line that matters would be lost among theirs. Whoever counts,
// counts the problems themselves, never the lines.
class DiagnosticLines {
  public:
    static constexpr std::size_t lines_of_a_code_max = 100;
    explicit DiagnosticLines(std::ostream& out) : out_(out) {}
    void tell(const Diagnostic& diagnostic);
    void finish() const;  // once, after the last

  private:
    std::ostream& out_;
    std::map<std::string, std::size_t> count_by_code_;
};
void print_diagnostics(const std::vector<Diagnostic>& diagnostics, std::ostream& out);

bool all_valid(const std::vector<DocumentRecord>& documents);  // warnings are fine

}  // namespace galleryd
