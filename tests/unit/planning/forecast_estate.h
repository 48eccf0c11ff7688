#pragma once
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "reconcilers/image_definition/forecast.h"

// One definition with versions of four months, and what a forecast says of them.
namespace galleryd::test {

inline const ResourceId gallery = gallery_id("00000000-0000-0000-0000-000000000001", "rg", "golden");
inline const ResourceId definition_resource = definition_id(gallery, "ubuntu");

inline TimePoint date(const std::string& text) { return *parse_rfc3339(text); }

inline std::string text_of(const std::optional<TimePoint>& time) { return time ? format_rfc3339(*time) : "never"; }

// A definition of ours with versions that a pipeline published, each month one: 1.1.0 on 1 January 2026, and so on.
struct Estate {
    Estate() {
        definition.meta.key = {Kind::image_definition, "images", "ubuntu"};
        definition.id = definition_resource;
        definition.gallery_id = gallery;
        definition.location = "eastus";
        lifecycle.meta.key = {Kind::lifecycle_policy, "images", "standard"};
        lifecycle.governs = Governs::all;
        Retention retention;
        retention.action = RetentionAction::remove;
        retention.older_than = std::chrono::days{100};
        retention.grace = std::chrono::days{7};
        retention.approval_required = false;
        retention.deletes_per_pass_max = 10;
        retention.percent_per_pass_max = 100;
        lifecycle.retention = retention;
        policy.instance = "test";
        policy.allow_deletes = true;
        policy.clock_skew = Duration{0};
        view.gallery_exists = true;
        view.complete = true;
        view.at = now;
        view.definition.emplace();
        view.definition->id = definition_resource;
        view.definition->location = "eastus";
        view.definition->state = ProvisioningState::succeeded;
        view.definition->tags[owner_tag] = owner_tag_value("test", definition.meta.key);
        for (int month = 1; month <= 4; ++month) publish(month);
    }

    ObservedVersion& publish(int month) {
        ObservedVersion version;
        version.name = "1." + std::to_string(month) + ".0";
        version.number = parse_image_version_number(version.name);
        version.id = version_id(definition_resource, version.name);
        version.location = "eastus";
        version.state = ProvisioningState::succeeded;
        version.published = date("2026-0" + std::to_string(month) + "-01T00:00:00Z");
        TargetRegion region;
        region.name = "eastus";
        version.target_regions = {region};
        version.replication_known = true;
        version.replication["eastus"] = {ReplicationState::completed, 100, ""};
        version.source.type = SourceType::managed_image;
        policy.usage[version.id.key()] = {UsageState::not_in_use, "nobody"};
        return view.versions.emplace_back(std::move(version));
    }

    void declare(const std::string& number) {
        ImageVersion version;
        version.meta.key = {Kind::image_version, "images", "v" + number};
        version.number = *parse_image_version_number(number);
        version.definition_id = definition_resource;
        version.id = version_id(definition_resource, number);
        version.location = "eastus";
        version.source.type = SourceType::managed_image;
        version.source.id = ResourceId("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/images/p");
        declared.push_back(std::make_unique<ImageVersion>(std::move(version)));
    }

    Forecast forecast(const std::string& at) const {
        ForecastInput input;
        input.scope.definition = &definition;
        input.scope.policy = &lifecycle;
        input.scope.view = &view;
        for (const auto& version : declared) input.scope.versions.push_back(version.get());
        input.policy = policy;
        input.approvals_until = approvals_until;
        input.now = now;
        input.at = date(at);
        return forecast_retention(std::move(input));
    }

    TimePoint now = date("2026-04-02T00:00:00Z");
    ImageDefinition definition;
    LifecyclePolicy lifecycle;
    std::vector<std::unique_ptr<ImageVersion>> declared;
    DefinitionView view;
    Policy policy;
    std::map<std::string, TimePoint> approvals_until;
};

inline const VersionForecast& of(const Forecast& forecast, const std::string& version) {
    const auto found = std::ranges::find_if(forecast.versions,
                                            [&](const VersionForecast& one) { return one.verdict.version == version; });
    REQUIRE(found != forecast.versions.end());
    return *found;
}

inline bool waits_for(const std::vector<BlockReason>& reasons, const std::string& reason) {
    return std::ranges::find(reasons, reason, &BlockReason::reason) != reasons.end();
}

}  // namespace galleryd::test
