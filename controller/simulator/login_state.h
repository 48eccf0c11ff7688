#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "controller/core/result.h"
#include "controller/simulator/json.h"

// Internal: what an estate knows about applications and identities. What it does not name is not checked, so that any
// client can sign in to an estate that says nothing.
namespace galleryd::simulator {

// What an application trusts of another issuer (Microsoft Entra: federated identity credential).
struct FederatedCredential {
    std::string issuer, subject, audience;
};

struct LoginState {
    // By client id, folded.
    std::map<std::string, std::vector<std::string>> certificates;  // public certificates, PEM
    std::map<std::string, std::vector<FederatedCredential>> federated;
    std::set<std::string> identities;   // client ids of managed identities; "system" for the machine's own
    std::string identity_header;        // what App Service's X-IDENTITY-HEADER must hold; "" = anything
    std::string arc_key_file, arc_key;  // both set: the machine is one of Azure Arc and challenges with that file
};

// {"certificates": {"CLIENT": "PEM" or ["PEM", …]}, "federatedCredentials": {"CLIENT": [{"issuer", "subject",
// "audience"}]}, "managedIdentities": ["CLIENT", "system"], "identityHeader": "…", "arc": {"keyFile", "key"}} of a
// state file. Adds to what is there. `invalid` StateInvalid for a certificate that is none.
Status load_login_state(LoginState& state, const Json& document);
void save_login_state(const LoginState& state, Json& document);

}  // namespace galleryd::simulator
