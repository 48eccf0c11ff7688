#include "controller/program/packing.h"

#include "controller/core/archive.h"

namespace galleryd {
namespace {

template <class T>
T unpacked(const std::string& bytes) {
    auto value = unpack<T>(bytes);
    GALLERYD_CHECK(value, "what was packed here can be unpacked");
    return std::move(*value);
}

}  // namespace

template <>
std::string Packing<Plan>::pack(const Plan& value) {
    return galleryd::pack(value);
}
template <>
Plan Packing<Plan>::unpack(const std::string& bytes) {
    return unpacked<Plan>(bytes);
}
template <>
std::string Packing<std::vector<ObjectStatus>>::pack(const std::vector<ObjectStatus>& value) {
    return galleryd::pack(value);
}
template <>
std::vector<ObjectStatus> Packing<std::vector<ObjectStatus>>::unpack(const std::string& bytes) {
    return unpacked<std::vector<ObjectStatus>>(bytes);
}
template <>
std::string Packing<std::vector<VersionGlance>>::pack(const std::vector<VersionGlance>& value) {
    return galleryd::pack(value);
}
template <>
std::vector<VersionGlance> Packing<std::vector<VersionGlance>>::unpack(const std::string& bytes) {
    return unpacked<std::vector<VersionGlance>>(bytes);
}
template <>
std::string Packing<DesiredObjects>::pack(const DesiredObjects& value) {
    return galleryd::pack(value);
}
template <>
DesiredObjects Packing<DesiredObjects>::unpack(const std::string& bytes) {
    return unpacked<DesiredObjects>(bytes);
}
template <>
std::string Packing<std::vector<GoodDocument>>::pack(const std::vector<GoodDocument>& value) {
    return galleryd::pack(value);
}
template <>
std::vector<GoodDocument> Packing<std::vector<GoodDocument>>::unpack(const std::string& bytes) {
    return unpacked<std::vector<GoodDocument>>(bytes);
}

}  // namespace galleryd
