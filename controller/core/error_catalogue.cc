#include "controller/core/error_catalogue.h"

#include "controller/core/resource_id.h"

namespace galleryd {

std::vector<const CatalogueEntry*> all_errors() {
    std::vector<const CatalogueEntry*> all;
    for (const auto table : {document_errors(), planning_errors(), azure_errors(), source_errors(), command_errors()}) {
        for (const auto& entry : table) {
            all.push_back(&entry);
        }
    }
    return all;
}

const CatalogueEntry* find_error(std::string_view code) {
    const std::string wanted = fold_case(code);
    for (const CatalogueEntry* entry : all_errors()) {
        if (fold_case(entry->code) == wanted) return entry;
    }
    return nullptr;
}

}  // namespace galleryd
