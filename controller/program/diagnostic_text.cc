#include "controller/program/diagnostic_text.h"

#include <nlohmann/json.hpp>
#include <ostream>

#include "controller/adapters/documents/places.h"

namespace galleryd {

std::string diagnostic_line(const Diagnostic& diagnostic) {
    std::string text = diagnostic.where.file;
    if (diagnostic.where.line > 0)
        text += ":" + std::to_string(diagnostic.where.line) + ":" + std::to_string(diagnostic.where.column);
    text += diagnostic.severity == Severity::error ? ": error " : ": warning ";
    text += diagnostic.code + ": ";
    if (!diagnostic.field.empty()) text += documents::dotted(diagnostic.field) + ": ";
    text += diagnostic.message;
    if (!diagnostic.message.ends_with('.')) text += ".";
    if (!diagnostic.remedy.empty()) text += " " + diagnostic.remedy;
    return text;
}

nlohmann::ordered_json diagnostic_json(const Diagnostic& diagnostic) {
    return {
        {"code", diagnostic.code},           {"severity", diagnostic.severity == Severity::error ? "error" : "warning"},
        {"file", diagnostic.where.file},     {"line", diagnostic.where.line},
        {"column", diagnostic.where.column}, {"field", diagnostic.field},
        {"message", diagnostic.message},     {"remedy", diagnostic.remedy}};
}

void DiagnosticLines::tell(const Diagnostic& diagnostic) {
    if (++count_by_code_[diagnostic.code] <= lines_of_a_code_max) out_ << diagnostic_line(diagnostic) << "\n";
}

void DiagnosticLines::finish() const {
    for (const auto& [code, count] : count_by_code_) {
        if (count <= lines_of_a_code_max) continue;
        out_ << "… and " << count - lines_of_a_code_max << " more like " << code
             << "; `galleryd validate -o json` has them all.\n";
    }
}

void print_diagnostics(const std::vector<Diagnostic>& diagnostics, std::ostream& out) {
    DiagnosticLines lines(out);
    for (const Diagnostic& diagnostic : diagnostics) lines.tell(diagnostic);
    lines.finish();
}

bool all_valid(const std::vector<DocumentRecord>& documents) {
    return std::ranges::all_of(documents,
                               [](const DocumentRecord& document) { return document.state == DocumentState::present; });
}

}  // namespace galleryd
