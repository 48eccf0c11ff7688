#include "controller/program/command_validate.h"

#include <nlohmann/json.hpp>
#include <ostream>

#include "controller/program/diagnostic_text.h"
#include "controller/program/read_paths.h"

namespace galleryd {
namespace {

using Json = nlohmann::ordered_json;

void print(const Json& document, std::ostream& out) {
    out << document.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
}

void print_json(const std::vector<DocumentRecord>& documents, std::ostream& out) {
    Json diagnostics = Json::array();
    for (const DocumentRecord& document : documents) {
        for (const Diagnostic& problem : document.problems) diagnostics.push_back(diagnostic_json(problem));
    }
    print({{"format_version", "1.0"},
           {"kind", "Validation"},
           {"valid", all_valid(documents)},
           {"documents", documents.size()},
           {"diagnostics", std::move(diagnostics)}},
          out);
}

void print_text(const std::vector<DocumentRecord>& documents, std::ostream& out, std::ostream& err) {
    std::size_t invalid = 0, warnings = 0;
    DiagnosticLines lines(out);
    for (const DocumentRecord& document : documents) {
        invalid += document.state == DocumentState::present ? 0 : 1;
        for (const Diagnostic& problem : document.problems) {
            lines.tell(problem);
            warnings += problem.severity == Severity::warning ? 1 : 0;
        }
    }
    lines.finish();
    const std::string count = std::to_string(documents.size()) + (documents.size() == 1 ? " document" : " documents");
    const std::string warned =
        warnings == 0 ? "" : ", " + std::to_string(warnings) + (warnings == 1 ? " warning" : " warnings");
    if (invalid == 0) {
        err << count << ", all valid" << warned << ".\n";
    } else {
        err << count << ", " << invalid << " invalid" << warned
            << ". `galleryd explain CODE` says more about a code.\n";
    }
}

}  // namespace

int run_validate(const ValidateOptions& options, std::ostream& out, std::ostream& err) {
    if (options.paths.empty() || (options.output != "text" && options.output != "json")) {
        err << "galleryd validate: give at least one PATH; -o is text or json.\n";
        return 64;
    }
    auto files = read_paths(options.paths);
    if (!files) {
        const Diagnostic problem{.code = files.error().code,
                                 .severity = Severity::error,
                                 .where = {},
                                 .field = "",
                                 .message = files.error().message,
                                 .remedy = ""};
        if (options.output == "json") {
            print({{"format_version", "1.0"},
                   {"kind", "Validation"},
                   {"valid", false},
                   {"documents", 0},
                   {"diagnostics", Json::array({diagnostic_json(problem)})}},
                  out);
        } else {
            err << "galleryd validate: " << problem.message << " (" << problem.code << ").\n";
        }
        return 1;
    }
    const ReadResult result =
        read_documents(std::move(*files), {.regions_per_version_max = options.regions_per_version_max,
                                           .versions_per_definition_max = options.versions_per_definition_max,
                                           .threads = options.threads,
                                           .now = options.now});
    if (result.documents.empty()) {
        err << "galleryd validate: no document of galleryd.io/v1alpha1 in what was named; check the path and each "
               "document's "
               "apiVersion (GD1094).\n";
        return 1;
    }
    if (options.output == "json") {
        print_json(result.documents, out);
    } else {
        print_text(result.documents, out, err);
    }
    return all_valid(result.documents) ? 0 : 1;
}

}  // namespace galleryd
