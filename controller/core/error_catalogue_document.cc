#include "controller/core/error_catalogue.h"

namespace galleryd {

std::span<const CatalogueEntry> document_errors() {
    static constexpr CatalogueEntry table[] = {
        {"GD0000", "", "", "", ""},
    };
    return table;
}

}  // namespace galleryd
