#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "controller/adapters/documents/mapping.h"

// Pieces that several kinds share. All take validated JSON: a field that is there has the right type.
namespace galleryd::documents {

using nlohmann::json;

class Mapper {
  public:
    Mapper(const json& document, const Metadata& meta, std::vector<Problem>& problems)
        : spec_(document.at("spec")), meta_(meta), problems_(problems) {}
    Gallery gallery();
    ImageDefinition definition();
    ImageVersion version();
    LifecyclePolicy policy();

  private:
    Governance governance();
    Tags tags(const json& source, const std::string& pointer);
    std::vector<RoleAccess> access();
    std::optional<Sharing> sharing();
    std::optional<TimePoint> deadline(const char* field);
    std::optional<std::chrono::seconds> duration(const json& source, const char* field, const std::string& pointer);
    std::string region(const json& value, const std::string& pointer);
    std::vector<TargetRegion> target_regions(const json& list, const std::string& pointer, int replicas,
                                             const std::string& storage_account_type);
    DiskEncryption encryption(const json& source, const std::string& pointer);
    void merge_encryption(std::vector<TargetRegion>& regions);
    // The id in a field, checked to be of `type` (lower case, "microsoft.compute/images").
    ResourceId id(const json& source, const char* field, const std::string& pointer, std::string_view type);
    std::string encryption_set(const json& source, const std::string& pointer);
    ImageSource source();
    Retention retention(const json& source);
    std::optional<DeletionWindow> window(const json& retention);
    void check_tiers(const std::vector<Tier>& tiers);
    void add(const char* code, std::string pointer, std::string message, std::string remedy,
             Severity severity = Severity::error);

    const json& spec_;
    const Metadata& meta_;
    std::vector<Problem>& problems_;
};

inline std::string text_of(const json& source, const char* field) {
    const auto found = source.find(field);
    return found == source.end() ? std::string() : found->get<std::string>();
}
inline bool flag_of(const json& source, const char* field) {
    const auto found = source.find(field);
    return found != source.end() && found->get<bool>();
}
inline int number_of(const json& source, const char* field, int otherwise) {
    const auto found = source.find(field);
    return found == source.end() ? otherwise : found->get<int>();
}
inline std::optional<int> optional_number(const json& source, const char* field) {
    const auto found = source.find(field);
    return found == source.end() ? std::nullopt : std::optional(found->get<int>());
}
inline const json* child_of(const json& source, const char* field) {
    const auto found = source.find(field);
    return found == source.end() ? nullptr : &*found;
}
std::vector<std::string> sorted_texts(const json& source, const char* field, bool lower_case);

}  // namespace galleryd::documents
