#pragma once
#include <cstdint>
#include <string>

#include "controller/core/observed.h"
#include "controller/core/plan.h"

// Is it still the resource that the plan was made from? Azure has no ETag on gallery resources (azure-facts §3), so a
// digest of the normalised state stands in for one. Left out: when it was read, the body as received, replication
// progress and sizes (they move without anybody writing), and tag order and region order. A list row and a GET of one
// unchanged resource give the same digest.
namespace galleryd {

std::string fingerprint(const ObservedGallery& gallery);  // "sha256:…"
std::string fingerprint(const ObservedDefinition& definition);
std::string fingerprint(const ObservedVersion& version);

// The same in 64 bits, for comparing two states within one process: no proof of anything, and another number elsewhere.
std::uint64_t quick_print(const ObservedGallery& gallery);
std::uint64_t quick_print(const ObservedDefinition& definition);
std::uint64_t quick_print(const ObservedVersion& version);

Fingerprint fingerprint_of(const ObservedVersion& version);  // for Change::seen; published and source filled in
Fingerprint fingerprint_of(const ObservedDefinition& definition);
Fingerprint fingerprint_of(const ObservedGallery& gallery);

}  // namespace galleryd
