#pragma once
#include <map>
#include <ranges>
#include <set>
#include <string>
#include <vector>

#include "controller/adapters/documents/parsed.h"

namespace galleryd::documents {

// One pass over all documents, kind by kind from policies down to versions, so that what is refused drags along what
// depends on it.
class CrossChecker {
  public:
    CrossChecker(std::vector<std::vector<ParsedDocument>>& files, const ReadOptions& options)
        : files_(files), options_(options) {}
    void run();

  private:
    struct Claim {
        ParsedDocument* document;
        std::string pointer;
    };
    using Claims = std::map<std::string, std::vector<Claim>>;

    void index();
    void check_policy(ParsedDocument& document);
    void check_gallery(ParsedDocument& document);
    void check_definition(ParsedDocument& document);
    void check_version(ParsedDocument& document);

    // Where a reference leads, or null after a problem was added. T: the kind's object.
    template <class T>
    const T* resolve(ParsedDocument& document, const ObjectKey& target, const char* pointer);
    const LifecyclePolicy* resolve_policy(ParsedDocument& document, const std::string& name);
    const Gallery* gallery_of(const ImageDefinition& definition) const;
    template <class T>
    const T* find(const ObjectKey& key) const;

    void check_definition_in_gallery(ParsedDocument& document, const ImageDefinition& definition,
                                     const Gallery& gallery);
    void check_policy_regions(ParsedDocument& document, const LifecyclePolicy& policy,
                              const std::vector<std::string>& allowed, const char* pointer);
    void check_allowed(ParsedDocument& document, const std::vector<std::string>& allowed, const std::string& region,
                       const std::string& pointer);
    void check_version_regions(ParsedDocument& document, const ImageVersion& version);
    void check_version_tiers(ParsedDocument& document, const ImageVersion& version, const LifecyclePolicy& policy);
    void check_version_encryption(ParsedDocument& document, const ImageVersion& version, const Gallery* gallery);
    void check_total(ParsedDocument& document, const std::vector<TargetRegion>& regions, const std::string& pointer);
    void check_end_of_life(ParsedDocument& document, const std::optional<TimePoint>& time);

    // Two documents that want the same thing: both are refused (behaviour §2).
    void refuse_shared(Claims& claims, const char* code, const char* remedy, const std::string& what);
    void claim_ids(Kind kind);
    void check_gallery_names();
    void check_triples();
    void check_limits(Kind kind);
    void check_versions_per_definition();

    void add(ParsedDocument& document, const char* code, std::string pointer, std::string message, std::string remedy,
             Severity severity = Severity::error);
    void find_places(const ParsedDocument& document);  // of it and of the others in its file
    static std::string place_of(const ParsedDocument& document);

    std::vector<std::vector<ParsedDocument>>& files_;
    const ReadOptions& options_;
    std::map<ObjectKey, ParsedDocument*> by_key_;
    std::string unread_;  // "a.yaml:7": the first document that does not say what it declares
    int suggestions_left_ = 100;
};

}  // namespace galleryd::documents
