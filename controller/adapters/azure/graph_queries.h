#pragma once
#include <string>
#include <vector>

#include "controller/core/resource_id.h"
#include "controller/core/time.h"

// The texts that are sent to Resource Graph; internal to this folder. All project `id`, because only then does a long
// result come in pages instead of cut off (azure-facts §8, azure-docs#50606).
namespace galleryd::azure {

std::string all_rows_query();
std::string subscriptions_query();
std::string changes_query(TimePoint since);
std::string rows_query(const std::vector<ResourceId>& ids);
std::string in_transition_query();
// Rows of galleries with their sharing and the names under which others know them.
std::string gallery_reach_query(const std::vector<ResourceId>& galleries);
// What refers to an image below one of these prefixes ("/subscriptions/…/galleries/golden/", "/SharedGalleries/…/"):
// virtual machines, models of scale sets, image versions and image templates.
std::string image_users_query(const std::vector<std::string>& prefixes);
std::string image_instances_query(const std::vector<std::string>& prefixes);  // instances of uniform scale sets
std::string uniform_scale_sets_query();  // of whatever image: an instance may run one that the model names no more
std::string instances_query();           // of whatever image
std::string definition_named_query(std::string_view gallery, std::string_view definition);
std::string version_named_query(std::string_view gallery, std::string_view definition, std::string_view version);
std::string literal_of(std::string_view text);  // a literal of the query language

}  // namespace galleryd::azure
