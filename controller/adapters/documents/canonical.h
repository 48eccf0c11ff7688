#pragma once
#include <optional>

#include "controller/adapters/documents/json_text.h"
#include "controller/core/desired.h"

namespace galleryd::documents {

// Domain objects as documents, in the contract's order of fields: {apiVersion, kind, metadata {name, namespace, our
// annotations}, spec}. Everything after defaults is written out; what is not declared stays away. Reading it back gives
// an equal object.
JsonText canonical(const Gallery& gallery);
JsonText canonical(const ImageDefinition& definition);
JsonText canonical(const ImageVersion& version);
JsonText canonical(const LifecyclePolicy& policy);

// Nullopt when the key is not there.
std::optional<JsonText> canonical(const DesiredObjects& objects, const ObjectKey& key);
std::string digest_of(const JsonText& document);

}  // namespace galleryd::documents
