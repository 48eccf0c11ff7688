#include "controller/program/gallery_clients.h"

#include <utility>

#include "controller/adapters/azure/resource_graph.h"

namespace galleryd {

struct GalleryClients::Client {
    std::unique_ptr<azure::TokenProvider> token;
    azure::ArmClient arm;
    azure::ResourceGraph graph;  // for who uses versions alone
    std::uint64_t changes = 0;   // of the token, that were told

    Client(const GalleryClientParts& parts, const CredentialChoice& choice)
        : token(make_gallery_token(choice, parts.cloud, parts.sign_in)),
          arm(parts.sign_in.transport, *token, parts.sign_in.clock, parts.sign_in.log, parts.sign_in.metrics, parts.arm,
              parts.gate),
          graph(parts.sign_in.transport, *token, parts.sign_in.clock, parts.sign_in.log, parts.sign_in.metrics,
                azure::GraphOptions{.arm = parts.arm}) {}
};

std::unique_ptr<azure::TokenProvider> make_gallery_token(const CredentialChoice& choice, const Cloud& cloud,
                                                         const SignInParts& parts) {
    if (choice.problem.empty()) return std::make_unique<GalleryToken>(choice.name, cloud, parts);
    Error why{.kind = ErrorKind::denied,
              .reason = "AuthenticationFailed",
              .message = choice.problem + "; nobody is asked about it until they agree",
              .code = "GD3029"};
    return std::make_unique<RefusedToken>("contradictory", std::move(why));
}

GalleryClients::GalleryClients(GalleryClientParts parts) : parts_(std::move(parts)) {}
GalleryClients::~GalleryClients() = default;

GalleryClients::Client& GalleryClients::client_of(const CredentialChoice& choice) {
    std::unique_ptr<Client>& client = clients_[choice];
    if (!client) client = std::make_unique<Client>(parts_, choice);
    return *client;
}

GalleryApi& GalleryClients::api(const CredentialChoice& choice) { return client_of(choice).arm; }

VersionCare& GalleryClients::care(const CredentialChoice& choice) { return client_of(choice).arm; }

std::set<std::string> GalleryClients::changed() {
    std::set<std::string> names;
    for (auto& [choice, client] : clients_) {
        auto* const token = dynamic_cast<GalleryToken*>(client->token.get());
        if (token == nullptr) continue;
        const std::uint64_t changes = token->changes();
        if (std::exchange(client->changes, changes) != changes) names.insert(choice.name);
    }
    return names;
}

UsageAskers GalleryClients::usage(const CredentialChoice& choice) {
    Client& client = client_of(choice);
    return {.reader = &client.graph, .lists = &client.arm};
}

}  // namespace galleryd
