#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "controller/core/time.h"
#include "controller/simulator/json.h"
#include "controller/simulator/login_state.h"

// Internal: client assertions as Microsoft Entra judges them (azure-facts §13). Signatures of federated tokens are not
// verified: the issuer's keys are nowhere in an estate.
namespace galleryd::simulator {

std::string encode_base64url(std::string_view bytes);

// One of Entra's refusals: HTTP status, OAuth error, AADSTS number and text.
struct Refusal {
    int status = 401;
    std::string error = "invalid_client";
    int number = 0;
    std::string text;
};

struct AssertionToCheck {
    std::string text;    // the JWT
    std::string client;  // client_id of the form
    std::string tenant;  // of the path
    TimePoint now;
    bool times = true;  // false: the world's clock is not the client's (--time-scale)
};

// nullopt: accepted. An assertion that names the client as its issuer is signed with the client's certificate, any
// other comes from a federated issuer.
std::optional<Refusal> refuse_assertion(const LoginState& state, const AssertionToCheck& check);

bool is_certificate(const std::string& pem);

}  // namespace galleryd::simulator
