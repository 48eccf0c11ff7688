#include "controller/core/error_catalogue.h"

namespace galleryd {

std::span<const CatalogueEntry> command_errors() {
    static constexpr CatalogueEntry table[] = {
        // ---- GD5040 to GD5049: plan files and prices ----
        {"GD5040", "not a saved plan",
         "The file given to apply cannot be read, is not JSON, or was not written by galleryd plan --out of this major format.",
         "Make a new one.", "galleryd plan ./manifests --out plan.json && galleryd apply plan.json"},
        {"GD5042", "the price list cannot be used",
         "The file given to --prices cannot be read or does not say what a price list says.",
         "Correct the line that the message names. Without --prices the list inside the binary is used.",
         "date: 2026-11-01\ncurrency: USD\nsnapshotGBMonth: {Standard_LRS: 0.05}\negressGB: 0.02"},
        {"GD5043", "the plan cannot be saved",
         "The file named by --out cannot be written: the directory is missing, not writable, or full.",
         "Name a path that this user may write.", ""},
        // ---- end of GD5040 to GD5049 ----
    };
    return table;
}

}  // namespace galleryd
