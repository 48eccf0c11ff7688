#pragma once
#include <vector>

#include "controller/core/observed.h"
#include "reconcilers/lifecycle/subject.h"

// Field by field, on normalised values (azure-facts §3.2 says which fields Azure lets change).
namespace galleryd {

// One conflict per immutable field that the document declares and Azure has otherwise.
std::vector<Conflict> immutable_conflicts(const Subject& subject, const ImageDefinition& wanted,
                                          const ObservedDefinition& live);

// The body of the creation: everything declared, with generation, architecture and security features said explicitly,
// because their defaults move between api-versions (azure-facts §2).
DefinitionWrite creation_body(const ImageDefinition& wanted);

// The complete writable set: the live values with the declared mutable ones laid over. Fixed fields are sent back as
// they were read, because Azure refuses even a change of tags when one of them is missing (azure-facts §3.2).
DefinitionWrite update_body(const ImageDefinition& wanted, const ObservedDefinition& live);

// The mutable fields that differ between body and live.
std::vector<FieldChange> mutable_changes(const DefinitionWrite& body, const ObservedDefinition& live);

// For people and golden files: "min 2, max 64", "SecurityType=TrustedLaunchSupported".
std::string text_of(const std::optional<RecommendedRange>& range);
std::string text_of(const std::map<std::string, std::string>& features);

}  // namespace galleryd
