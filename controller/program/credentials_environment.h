#pragma once
#include <optional>
#include <string>
#include <vector>

#include "controller/adapters/http/transport.h"
#include "controller/core/result.h"
#include "controller/program/credentials.h"

// Internal to controller/program/credentials*: what the environment says about signing in.
namespace galleryd {

std::string environment_value(const char* name);  // "" when not set
// "AZURE_TENANT_ID AZURE_CLIENT_ID" as far as they are not set, separated by blanks.
std::string missing_of(const std::vector<const char*>& names);

// AZURE_AUTHORITY_HOST: https, or http to this machine. GD5005 otherwise; nullopt when not set.
Result<std::optional<http::Origin>> find_authority();
// GD5005 when the host is another known cloud's than the ARM endpoint: the token would be refused there.
Status check_authority(const Cloud& cloud, const http::Origin& authority);

// Where applications sign in: AZURE_AUTHORITY_HOST, else the cloud's own. GD5005 as the two above.
Result<http::Origin> find_login(const Cloud& cloud);

// NAME=value of what az needs to find itself, its sign-in and the network; nothing else of ours reaches it.
std::vector<std::string> azure_cli_environment();

}  // namespace galleryd
