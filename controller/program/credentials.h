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

// public | usgovernment | china, or an ARM endpoint URL: https anywhere, http only to loopback. The URL of a known
// cloud's ARM endpoint is that cloud. GD5004 otherwise.
Result<Cloud> find_cloud(const std::string& azure);

// --credential (contract §2): default, environment, client-secret, client-certificate, workload-identity,
// managed-identity, azure-cli or none, from the usual AZURE_… variables and those that Azure's hosts set. `default`
// takes the first of environment, workload identity, managed identity and Azure CLI that is configured; half a
// configuration counts (a secret without its tenant is an error, not a reason to sign in as somebody else). Whether the
// machine has an identity and az is signed in is found out at the first token. Errors: `invalid` GD5005 that says what
// is missing; GD3025, GD3027 for a certificate or endpoint that cannot be used. transport, clock, log and metrics
// outlive the credential.
Result<std::unique_ptr<azure::TokenProvider>> make_credential(const std::string& credential, const Cloud& cloud,
                                                              http::Transport& transport, Clock& clock, Log& log,
                                                              Metrics& metrics);

}  // namespace galleryd
