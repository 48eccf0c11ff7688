#include "controller/simulator/login_state.h"

#include "controller/core/resource_id.h"
#include "controller/simulator/login_assertion.h"

namespace galleryd::simulator {

Status load_login_state(LoginState& state, const Json& document) {
    if (!document.is_object()) return {};
    const auto add_certificate = [&state](const std::string& client, const Json& pem) -> Status {
        if (!pem.is_string() || !is_certificate(pem.get<std::string>()))
            return fail(ErrorKind::invalid, "StateInvalid",
                        "state file: certificates of " + client + ": an entry is no certificate in PEM");
        state.certificates[fold_case(client)].push_back(pem.get<std::string>());
        return {};
    };
    if (const Json& certificates = member(document, "certificates"); certificates.is_object()) {
        for (const auto& [client, entry] : certificates.items()) {
            state.certificates[fold_case(client)];  // an empty list: the application has no certificate
            const Json list = entry.is_array() ? entry : Json::array({entry});
            for (const Json& pem : list) {
                if (const Status added = add_certificate(client, pem); !added) return added;
            }
        }
    }
    if (const Json& federated = member(document, "federatedCredentials"); federated.is_object()) {
        for (const auto& [client, list] : federated.items()) {
            for (const Json& one : list)
                state.federated[fold_case(client)].push_back(
                    {text_of(one, "issuer"), text_of(one, "subject"), text_of(one, "audience")});
        }
    }
    for (const Json& identity : member(document, "managedIdentities"))
        state.identities.insert(fold_case(identity.get<std::string>()));
    if (const std::string header = text_of(document, "identityHeader"); !header.empty()) state.identity_header = header;
    if (const Json& arc = member(document, "arc"); arc.is_object()) {
        state.arc_key_file = text_of(arc, "keyFile");
        state.arc_key = text_of(arc, "key");
    }
    return {};
}

void save_login_state(const LoginState& state, Json& document) {
    for (const auto& [client, list] : state.certificates) document["certificates"][client] = list;
    for (const auto& [client, list] : state.federated) {
        for (const FederatedCredential& one : list)
            document["federatedCredentials"][client].push_back(
                Json{{"issuer", one.issuer}, {"subject", one.subject}, {"audience", one.audience}});
    }
    if (!state.identities.empty()) document["managedIdentities"] = state.identities;
    if (!state.identity_header.empty()) document["identityHeader"] = state.identity_header;
    if (!state.arc_key_file.empty()) document["arc"] = Json{{"keyFile", state.arc_key_file}, {"key", state.arc_key}};
}

}  // namespace galleryd::simulator
