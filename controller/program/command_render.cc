#include "controller/program/command_render.h"

#include <ostream>

#include "controller/adapters/documents/render.h"
#include "controller/program/diagnostic_text.h"
#include "controller/program/read_paths.h"

namespace galleryd {

int run_render(const RenderOptions& options, std::ostream& out, std::ostream& err) {
    if (options.paths.empty()) {
        err << "galleryd render: give at least one PATH.\n";
        return 64;
    }
    const auto files = read_paths(options.paths);
    if (!files) {
        err << "galleryd render: " << files.error().message << " (" << files.error().code << ").\n";
        return 1;
    }
    ReadResult result = read_documents(*files, {.threads = options.threads});
    DiagnosticLines lines(err);
    for (const DocumentRecord& document : result.documents) {
        for (const Diagnostic& problem : document.problems) lines.tell(problem);
    }
    lines.finish();
    if (!all_valid(result.documents)) return 1;
    apply_declared_tiers(result.objects);
    out << render_all(result.objects);
    return 0;
}

}  // namespace galleryd
