#pragma once
#include <optional>
#include <string>
#include <vector>

#include "controller/core/desired.h"

// YAML and JSON manifests to domain objects and back. The schema's only source is crds/*.yaml: the files that
// Kubernetes validates with are embedded and walked here, so that both give the same messages.
namespace galleryd {

struct DocumentFile {
    std::string file;         // path relative to the source root, for messages
    std::string content;      // UTF-8; one or more YAML documents, or JSON
    std::string digest = {};  // sha256_hex of the content, where somebody has computed it already
};

class ParsedCache;

struct ReadOptions {
    int regions_per_version_max = 50;        // a local guard; Azure publishes no number (azure-facts §1)
    int versions_per_definition_max = 1000;  // the same
    int threads = 1;                         // at least 1; more only pays for many files
    ParsedCache* cache = nullptr;            // what earlier looks read, and will be told this one (parsed_cache.h)
    std::optional<TimePoint> now =
        std::nullopt;  // for the warning about an end of life in the past; nullopt: not given
};

struct ReadResult {
    DesiredObjects objects;  // the valid ones only, references resolved
    std::vector<DocumentRecord>
        documents;  // every document of galleryd.io and every unreadable piece, in order of file and line
};

// Parses, validates one by one (schema, rules), then across all documents (references, uniqueness, limits: behaviour
// §2). Documents of other API groups are not recorded. Never throws; never reads anything but the arguments and the
// cache, which changes nothing but the time. Any single input of at most 1 MiB costs bounded time and memory (depth 64,
// 50,000 values, no aliases); larger files are refused unread.
ReadResult read_documents(std::vector<DocumentFile> files, const ReadOptions& options);

// One object as canonical JSON after defaults: {apiVersion, kind, metadata, spec}. "" when the key is not there.
// Reading it back (together with what it refers to) yields an equal object with an equal digest.
std::string to_json_text(const DesiredObjects& objects, const ObjectKey& key);

// A change that Kubernetes would refuse by a transition rule (immutable fields), for two versions of one document. Both
// are one-document texts; problems point into `after`. Empty when there is none, or when either text is not valid by
// itself.
std::vector<Diagnostic> check_change(const DocumentFile& before, const DocumentFile& after);

}  // namespace galleryd
