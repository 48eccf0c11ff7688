#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

// Documents and Azure states that the simulation tests share.
namespace galleryd::estate {

using Files = std::map<std::string, std::string>;

inline const std::string subscription = "/subscriptions/00000000-0000-0000-0000-000000000001";
inline const std::string golden =
    subscription + "/resourceGroups/rg-golden/providers/Microsoft.Compute/galleries/golden";
inline const std::string ubuntu = golden + "/images/ubuntu";
std::string version_id(const std::string& number);  // below `ubuntu`

// Every occurrence of `from` becomes `to`; the test fails when there is none.
std::string replaced(std::string text, const std::string& from, const std::string& to);

std::string gallery();                                   // golden, with access
std::string definition(const std::string& policy = "");  // ubuntu
// Version document "ubuntu-NUMBER": two regions, deletionPolicy and extra lines of spec as given.
std::string version(const std::string& number, const std::string& extra = "",
                    const std::string& regions = "canadacentral, canadaeast");
std::string policy(const std::string& spec);  // named "standard"

// The small estate: golden, ubuntu and 1.0.0 up to 1.N.0, one file for each document.
Files small(int versions = 1, const std::string& version_extra = "", const std::string& policy_spec = "");
// Everything at once: two galleries, sharing, access, soft delete, policy with tiers, held latest, adoption, undeclared
// versions.
Files wide();

std::string images_state();  // the managed images that the versions come from
std::string wide_state();    // and what was in Azure before galleryd came
// A version as a GET prints it, published by "packer" at `published`, Succeeded, in the given regions.
std::string published(const std::string& number, const std::string& published, const std::string& tags = "{}",
                      const std::string& state = "Succeeded");

Files demo_files();  // manifests/demo/*.yaml
std::string demo_state();

}  // namespace galleryd::estate
