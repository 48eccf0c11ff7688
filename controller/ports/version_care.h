#pragma once
#include <string>
#include <vector>

#include "controller/core/desired.h"
#include "controller/core/resource_id.h"
#include "controller/core/time.h"
#include "controller/ports/gallery_api.h"

// What a person does to one image version beside every plan. Each call changes the one thing that it names: whatever
// somebody else changes on the version at the same time stays as they wrote it.
namespace galleryd {

struct SoftDeletedVersion {
    ResourceId version;                   // where it stood, and stands again when it is restored
    std::optional<TimePoint> deleted_at;  // nullopt: Azure did not say it readably
    std::optional<TimePoint> gone_at;     // when it can no longer be restored; from api-version 2026-03-03 on
};

class VersionCare {
  public:
    virtual ~VersionCare() = default;

    // Adds these tags, or gives them these values. Every other tag, region and count stays as it is in Azure.
    virtual Task<WriteOutcome> merge_tags(ResourceId version, Tags tags) = 0;
    // Takes off those of these tags that still have that value.
    virtual Task<WriteOutcome> delete_tags(ResourceId version, Tags tags) = 0;
    // The whole map at once, for who may write versions and not tags. A tag that somebody else changes between their read
    // and this is lost; regions, counts and everything else stay.
    virtual Task<WriteOutcome> replace_tags(ResourceId version, Tags tags) = 0;
    // Of one definition, all of them or an error; empty also where soft delete is off.
    virtual Task<std::vector<SoftDeletedVersion>> list_soft_deleted(ResourceId definition) = 0;
    // Brings a soft-deleted version back, as it was. `not_ready` NotFoundInAzure when there is none.
    virtual Task<WriteOutcome> restore_version(ResourceId version) = 0;
};

}  // namespace galleryd
