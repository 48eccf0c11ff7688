#include "reconcilers/image_version/immutable.h"

#include <algorithm>

namespace galleryd::image_version {
namespace {

std::string print(const ImageSource& source) {
    std::string text = !source.id.empty() ? source.id.text() : source.vhd_uri;
    for (const DataDiskSource& disk : source.data_disks) {
        text += ", lun " + std::to_string(disk.lun) + " " + (!disk.source.empty() ? disk.source.text() : disk.vhd_uri);
    }
    return text.empty() ? "none" : text;
}

std::string print(const Boxed<DiskEncryption>& encryption) {
    if (!encryption) return "none";
    std::string text = encryption->os_disk_encryption_set_id;
    if (!encryption->cvm_encryption_type.empty())
        text += " " + encryption->cvm_encryption_type + " " + encryption->cvm_disk_encryption_set_id;
    for (const auto& [lun, set] : encryption->data_disk_encryption_set_ids)
        text += ", lun " + std::to_string(lun) + " " + set;
    return text;
}

bool same_disks(const std::vector<DataDiskSource>& wanted, const std::vector<DataDiskSource>& observed) {
    if (wanted.size() != observed.size()) return false;
    return std::ranges::all_of(wanted, [&](const DataDiskSource& disk) {
        const auto other = std::ranges::find(observed, disk.lun, &DataDiskSource::lun);
        return other != observed.end() && disk.source == other->source &&
               fold_case(disk.vhd_uri) == fold_case(other->vhd_uri);
    });
}

// Two spellings of one source are one source: a virtual machine comes back as source.id from older api-versions
// (azure-facts §3.3), so the id decides and not the member it came in. What Azure does not report is not a difference.
bool same_source(const ImageSource& wanted, const ImageSource& observed) {
    if (observed.type == SourceType::none || wanted.type == SourceType::none) return true;
    if (!(wanted.id == observed.id) || fold_case(wanted.vhd_uri) != fold_case(observed.vhd_uri)) return false;
    if (!wanted.storage_account.empty() && !observed.storage_account.empty() &&
        !(wanted.storage_account == observed.storage_account))
        return false;
    return wanted.type != SourceType::os_disk || same_disks(wanted.data_disks, observed.data_disks);
}

bool same_encryption(const DiskEncryption& a, const DiskEncryption& b) {
    if (fold_case(a.os_disk_encryption_set_id) != fold_case(b.os_disk_encryption_set_id)) return false;
    if (fold_case(a.cvm_encryption_type) != fold_case(b.cvm_encryption_type)) return false;
    if (fold_case(a.cvm_disk_encryption_set_id) != fold_case(b.cvm_disk_encryption_set_id)) return false;
    return std::ranges::equal(
        a.data_disk_encryption_set_ids, b.data_disk_encryption_set_ids,
        [](const auto& x, const auto& y) { return x.first == y.first && fold_case(x.second) == fold_case(y.second); });
}

class Finder {
  public:
    Finder(const Facts& facts, const VersionFacts& version) : facts_(facts), version_(version) {}

    void report(std::string code, std::string path, std::string before, std::string after, const std::string& what) {
        Conflict conflict = conflict_about(facts_, version_, std::move(code), "ImmutableFieldChanged", std::move(path));
        conflict.before = std::move(before);
        conflict.after = std::move(after);
        conflict.message = what + " cannot change after creation";
        conflict.ways_out = {"publish a new version with what is declared", "set it back to " + conflict.before};
        findings.conflicts.push_back(std::move(conflict));
    }

    void whole_version(const ImageVersion& desired, const ObservedVersion& observed) {
        if (!same_source(desired.source, observed.source)) {
            report("GD2101", "/source", print(observed.source), print(desired.source),
                   "the source of an image version");
        }
        if (!desired.location.empty() && desired.location != observed.location) {
            report("GD2102", "/location", observed.location, desired.location, "the source region of an image version");
        }
        if (desired.replication_mode != observed.replication_mode) {
            report("GD2104", "/replicationMode", observed.replication_mode, desired.replication_mode,
                   "replicationMode");
        }
        findings.all_regions_frozen = !findings.conflicts.empty();
    }

    void region(const WantedRegion& wanted, const TargetRegion& observed) {
        const std::string path = "/targetRegions/" + observed.name;
        if (wanted.storage_type_counts && wanted.region.storage_account_type != observed.storage_account_type) {
            report("GD2103", path + "/storageAccountType", observed.storage_account_type,
                   wanted.region.storage_account_type, "storageAccountType of a region");
            findings.frozen_regions.insert(observed.name);
        }
        // Encryption that is not declared is left as it is.
        if (wanted.region.encryption &&
            !same_encryption(*wanted.region.encryption, observed.encryption.value_or(DiskEncryption{}))) {
            report("GD2105", path + "/encryption", print(observed.encryption), print(wanted.region.encryption),
                   "encryption of a region");
            findings.frozen_regions.insert(observed.name);
        }
    }

    void shallow(const Wanted& wanted, const ObservedVersion& observed) {
        for (const auto& [name, entry] : wanted.regions) {
            const auto there = std::ranges::find(observed.target_regions, name, &TargetRegion::name);
            const bool is_there = there != observed.target_regions.end();
            if (is_there && there->replicas == entry.region.replicas) continue;
            report("GD2106", "/targetRegions/" + name, is_there ? "x" + std::to_string(there->replicas) : "none",
                   "x" + std::to_string(entry.region.replicas), "regions and replicas of a Shallow version");
        }
        findings.all_regions_frozen = true;
    }

    ImmutableFindings findings;

  private:
    const Facts& facts_;
    const VersionFacts& version_;
};

}  // namespace

Conflict conflict_about(const Facts& facts, const VersionFacts& version, std::string code, std::string reason,
                        std::string path) {
    Conflict conflict;
    conflict.address = version.address;
    conflict.kind = "ImageVersion";
    conflict.arm_id = version.id;
    conflict.object = version.object();
    conflict.manifest = version.manifest(facts.input);
    if (version.desired != nullptr && path.size() > 1) {
        const auto line = version.desired->meta.field_lines.line_of(path.substr(1, path.find('/', 1) - 1));
        if (line) conflict.manifest.line = *line;
    }
    conflict.code = std::move(code);
    conflict.reason = std::move(reason);
    conflict.path = std::move(path);
    return conflict;
}

ImmutableFindings find_immutable_differences(const Facts& facts, const VersionFacts& version, const Wanted& wanted) {
    Finder finder(facts, version);
    const ObservedVersion& observed = *version.observed;
    if (version.desired != nullptr) finder.whole_version(*version.desired, observed);
    if (observed.replication_mode != "Full") {
        if (!finder.findings.all_regions_frozen && version.desired != nullptr && !wanted.regions_from_azure)
            finder.shallow(wanted, observed);
        finder.findings.all_regions_frozen = true;
    }
    for (const TargetRegion& region : observed.target_regions) {
        const auto entry = wanted.regions.find(region.name);
        if (entry != wanted.regions.end()) finder.region(entry->second, region);
    }
    return std::move(finder.findings);
}

}  // namespace galleryd::image_version
