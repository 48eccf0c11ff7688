#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "reconcilers/image_version/facts.h"

// Which version `latest` means in a region: the highest number among those not excluded (neither as a whole nor in that
// region) that are Completed there (azure-facts §3.4, §4.1). Being a target region, or Succeeded, is not enough.
namespace galleryd::image_version {

struct LatestEntry {
    ImageVersionNumber number;
    bool excluded = false;
    std::map<std::string, bool> regions;  // Completed ones -> excluded in that region
};
using LatestByRegion = std::map<std::string, ImageVersionNumber>;

// What the version offers now; nullopt for one that offers nothing (no number, being deleted, replication not known).
std::optional<LatestEntry> latest_entry(const VersionFacts& version);
// The same once a write has been carried out and everything it names is Completed.
LatestEntry latest_entry_after(const ImageVersionNumber& number, const VersionWrite& write);

LatestByRegion latest_by_region(const std::vector<LatestEntry>& entries);

class Latest {
  public:
    explicit Latest(const Facts& facts);
    const LatestByRegion& now() const { return now_; }
    bool is_latest_anywhere(const VersionFacts& version) const;
    // What `latest` becomes when this version is as `after` (nullopt: gone) and nothing else changes.
    LatestByRegion after(const VersionFacts& version, const std::optional<LatestEntry>& after) const;

  private:
    std::map<std::string, LatestEntry> entries_;  // by version key
    LatestByRegion now_;
};

// The effect on `latest` as FieldChange::effect and ::detail: "latest_moves" to a newer version or from nothing,
// "latest_falls_back" to an older one or to nothing. Only regions in `regions` count, all of them when it is empty.
struct LatestEffect {
    std::string effect, detail;  // detail "1.6.9", or "eastus: 1.6.9, westeurope: none" when regions differ
};
LatestEffect latest_effect(const LatestByRegion& before, const LatestByRegion& after,
                           const std::set<std::string>& regions = {});

}  // namespace galleryd::image_version
