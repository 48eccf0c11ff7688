#include "controller/core/version_name.h"

namespace galleryd {

std::string name_for_people(const ResourceId& version) {
    const auto definition = version.parent();
    const auto gallery = definition ? definition->parent() : std::nullopt;
    return (gallery ? gallery->name() + "/" : "") + (definition ? definition->name() + "/" : "") + version.name();
}

}  // namespace galleryd
