#pragma once
#include <initializer_list>
#include <string>
#include <string_view>

#include "controller/simulator/call.h"

// Internal: Azure's error answers. Texts are the recorded or documented ones (azure-facts §6); a comment says where one
// is a guess.
namespace galleryd::simulator {

Answer error_answer(int status, std::string_view code, std::string message, std::string_view target = {});

Answer no_content();  // 204
Answer resource_not_found(const Path& path);
Answer group_not_found(const std::string& group);
Answer parent_not_found(const std::string& parent);
Answer property_change_not_allowed(const std::string& target);
Answer invalid_parameter(std::string message, std::string_view target = {});
Answer missing_parameter(const std::string& target);
Answer wrong_type(const std::string& target, std::string_view expected);
Answer nested_resources_exist(const std::vector<std::string>& relative_ids);
Answer conflict(std::string_view code, std::string message);
Answer location_change(const std::string& name, const std::string& location, const std::string& group,
                       const std::string& wanted);
Answer location_unavailable(const std::string& location, std::string_view type);
Answer unknown_api_version(const std::string& location, const std::string& version, std::string_view type,
                           const std::string& supported);
// "microsoft.compute/galleries/images" -> "Microsoft.Compute/galleries/images"; unknown ones come back as they are.
std::string type_display(std::string_view folded_type);

}  // namespace galleryd::simulator
