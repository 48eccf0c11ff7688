#pragma once
#include <map>
#include <memory>
#include <set>
#include <string>

#include "controller/adapters/azure/arm_client.h"
#include "controller/program/gallery_token.h"
#include "controller/program/usage_desk.h"
#include "reconcilers/lifecycle/gallery_credentials.h"

namespace galleryd {

struct GalleryClientParts {
    SignInParts sign_in;
    Cloud cloud;
    azure::ArmOptions arm;
    std::shared_ptr<azure::ArmGate> gate;  // of galleryd's own client
};

// Who signs in for a choice: its credential, or nobody (GD3029) when its documents contradict each other.
std::unique_ptr<azure::TokenProvider> make_gallery_token(const CredentialChoice& choice, const Cloud& cloud,
                                                         const SignInParts& parts);

// An Azure client for each credential that is asked for. They stay for good: requests that are under way refer to them.
// What `parts` refers to outlives them.
class GalleryClients {
  public:
    explicit GalleryClients(GalleryClientParts parts);
    ~GalleryClients();
    GalleryApi& api(const CredentialChoice& choice);
    VersionCare& care(const CredentialChoice& choice);
    UsageAskers usage(const CredentialChoice& choice);
    // Credentials ("images/team-a") whose values are others than at the last call, or can be used again or no more.
    std::set<std::string> changed();

  private:
    struct Client;
    Client& client_of(const CredentialChoice& choice);
    GalleryClientParts parts_;
    std::map<CredentialChoice, std::unique_ptr<Client>> clients_;
};

}  // namespace galleryd
