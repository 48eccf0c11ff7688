#include "controller/core/fingerprint.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <functional>

#include "controller/core/digest.h"

namespace galleryd {
namespace {

// Every value is written with its length, so that no two states can print the same text.
class Writer {
  public:
    Writer() { out_.reserve(1024); }
    void text(std::string_view value) {
        digits(value.size());
        out_ += ':';
        out_ += value;
        out_ += ';';
    }
    void flag(bool value) { out_ += value ? "t;" : "f;"; }
    template <std::integral T>
    void number(T value) {
        digits(value);
        out_ += ';';
    }
    void time(const std::optional<TimePoint>& value) { text(value ? format_rfc3339(*value) : ""); }
    void id(const ResourceId& value) { text(value.key()); }
    void tags(const ObservedTags& values) {
        number(values.size());
        for (const auto& [name, value] : values) {
            text(name);
            flag(value.has_value());
            text(value ? std::string_view(*value) : std::string_view());
        }
    }
    void list(std::vector<std::string> values) {
        std::ranges::sort(values);
        number(values.size());
        for (const std::string& value : values) text(value);
    }
    void range(const std::optional<RecommendedRange>& value) {
        const RecommendedRange range = value.value_or(RecommendedRange{});
        number(range.min.value_or(-1));
        number(range.max.value_or(-1));
    }
    void base(const ObservedBase& value) {
        id(value.id);
        text(value.location);
        text(to_string(value.state));
        tags(value.tags);
    }
    std::string digest() const { return sha256_label(out_); }
    std::uint64_t print() const { return std::hash<std::string>{}(out_); }

  private:
    template <std::integral T>
    void digits(T value) {
        std::array<char, 24> buffer{};
        const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
        out_.append(buffer.data(), end);
    }

    std::string out_;
};

// Most lists come sorted; then nothing is copied.
template <class T, class Projection>
void visit_sorted(const std::vector<T>& values, Projection by, const auto& visit) {
    if (std::ranges::is_sorted(values, {}, by)) {
        for (const T& value : values) visit(value);
        return;
    }
    std::vector<const T*> order;
    for (const T& value : values) order.push_back(&value);
    std::ranges::sort(order, [by](const T* a, const T* b) { return std::invoke(by, *a) < std::invoke(by, *b); });
    for (const T* value : order) visit(*value);
}

void write_source(Writer& out, const ImageSource& source) {
    out.number(static_cast<int>(source.type));
    out.id(source.id);
    out.text(source.vhd_uri);
    out.id(source.storage_account);
    out.number(source.data_disks.size());
    visit_sorted(source.data_disks, &DataDiskSource::lun, [&out](const DataDiskSource& disk) {
        out.number(disk.lun);
        out.id(disk.source);
        out.text(disk.vhd_uri);
        out.id(disk.storage_account);
    });
}

void write_region(Writer& out, const TargetRegion& region) {
    out.text(region.name);
    out.number(region.replicas);
    out.text(region.storage_account_type);
    out.flag(region.exclude_from_latest.value_or(false));
    static const DiskEncryption none;
    const DiskEncryption& encryption = region.encryption ? *region.encryption : none;
    out.text(fold_case(encryption.os_disk_encryption_set_id));
    out.text(encryption.cvm_encryption_type);
    out.text(fold_case(encryption.cvm_disk_encryption_set_id));
    out.number(encryption.data_disk_encryption_set_ids.size());
    for (const auto& [lun, set] : encryption.data_disk_encryption_set_ids) {
        out.number(lun);
        out.text(fold_case(set));
    }
}

void write(Writer& out, const ObservedGallery& gallery) {
    out.base(gallery);
    out.text(gallery.description);
    out.flag(gallery.soft_delete_enabled.value_or(false));
    out.text(to_string(gallery.permissions));
    out.flag(gallery.community_enabled);
    const CommunityGallery community = gallery.community.value_or(CommunityGallery{});
    out.text(community.public_name_prefix);
    out.text(community.publisher_uri);
    out.text(community.publisher_contact);
    out.text(community.eula);
}

void write(Writer& out, const ObservedDefinition& definition) {
    out.base(definition);
    for (const std::string& value :
         {definition.publisher, definition.offer, definition.sku, definition.os_type, definition.os_state,
          definition.hyper_v_generation, definition.architecture, definition.description, definition.eula,
          definition.privacy_statement_uri, definition.release_note_uri}) {
        out.text(value);
    }
    out.time(definition.end_of_life);
    out.range(definition.recommended_vcpus);
    out.range(definition.recommended_memory_gb);
    out.list(definition.disallowed_disk_types);
    const PurchasePlan purchase = definition.purchase_plan.value_or(PurchasePlan{});
    out.text(purchase.name);
    out.text(purchase.publisher);
    out.text(purchase.product);
    out.number(definition.features.size());
    for (const auto& [name, value] : definition.features) {
        out.text(name);
        out.text(value);
    }
}

void write(Writer& out, const ObservedVersion& version) {
    out.base(version);
    out.number(version.target_regions.size());
    visit_sorted(version.target_regions, &TargetRegion::name,
                 [&out](const TargetRegion& region) { write_region(out, region); });
    out.number(version.replica_count);
    out.text(version.storage_account_type);
    out.text(version.replication_mode);
    out.flag(version.exclude_from_latest);
    out.time(version.published);
    out.time(version.end_of_life);
    out.flag(version.end_of_life_unparsable);
    write_source(out, version.source);
    // A list served by an index may not carry the safety profile: absent reads as false, and a fresh true then differs,
    // which stops.
    out.flag(version.block_deletion_before_end_of_life.value_or(false));
    out.flag(version.allow_deletion_of_replicated_locations);
}

template <class Observed>
std::string digest_of(const Observed& observed) {
    Writer out;
    write(out, observed);
    return out.digest();
}

template <class Observed>
std::uint64_t print_of(const Observed& observed) {
    Writer out;
    write(out, observed);
    return out.print();
}

}  // namespace

std::string fingerprint(const ObservedGallery& gallery) { return digest_of(gallery); }
std::string fingerprint(const ObservedDefinition& definition) { return digest_of(definition); }
std::string fingerprint(const ObservedVersion& version) { return digest_of(version); }

std::uint64_t quick_print(const ObservedGallery& gallery) { return print_of(gallery); }
std::uint64_t quick_print(const ObservedDefinition& definition) { return print_of(definition); }
std::uint64_t quick_print(const ObservedVersion& version) { return print_of(version); }

Fingerprint fingerprint_of(const ObservedVersion& version) {
    return {.existed = true, .published = version.published, .source = version.source, .etag = fingerprint(version)};
}

Fingerprint fingerprint_of(const ObservedDefinition& definition) {
    return {.existed = true, .published = std::nullopt, .source = {}, .etag = fingerprint(definition)};
}

Fingerprint fingerprint_of(const ObservedGallery& gallery) {
    return {.existed = true, .published = std::nullopt, .source = {}, .etag = fingerprint(gallery)};
}

}  // namespace galleryd
