#pragma once
#include <nlohmann/json.hpp>

#include "controller/core/desired.h"

namespace galleryd::documents {

// Domain objects as documents, in the contract's order of fields: {apiVersion, kind, metadata {name, namespace, our
// annotations}, spec}. Everything after defaults is written out; what is not declared stays away. Reading it back gives
// an equal object.
using OrderedJson = nlohmann::ordered_json;
OrderedJson canonical(const Gallery& gallery);
OrderedJson canonical(const ImageDefinition& definition);
OrderedJson canonical(const ImageVersion& version);
OrderedJson canonical(const LifecyclePolicy& policy);

// Nullopt when the key is not there.
std::optional<OrderedJson> canonical(const DesiredObjects& objects, const ObjectKey& key);
std::string digest_of(const OrderedJson& document);

}  // namespace galleryd::documents
