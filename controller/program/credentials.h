#pragma once
#include <memory>

#include "controller/adapters/azure/token.h"
#include "controller/adapters/http/transport.h"
#include "controller/core/result.h"

namespace galleryd {

struct Cloud {
    http::Origin arm, login;
    std::string token_scope;
};

// public | usgovernment | china, or an ARM endpoint URL: https anywhere, http only to loopback. GD5004 otherwise.
Result<Cloud> find_cloud(const std::string& azure);

// --credential: none, client-secret, or default, which takes AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET
// from the environment (the other credentials come with the next issue). GD5005 says what is missing.
Result<std::unique_ptr<azure::TokenProvider>> make_credential(const std::string& credential, const Cloud& cloud,
                                                              http::Transport& transport, Clock& clock, Log& log,
                                                              Metrics& metrics);

}  // namespace galleryd
