#pragma once
#include <map>
#include <optional>
#include <string>

#include "controller/simulator/call.h"
#include "controller/simulator/world.h"

// Internal: Microsoft Entra's endpoints as far as clients need them (azure-facts §13), and the tokens that were given
// out.
namespace galleryd::simulator {

class Login {
  public:
    // An answer when the path belongs to sign-in or to discovery, else nothing.
    std::optional<Answer> handle(World& world, const Call& call);
    std::string issue(World& world, const std::string& tenant, const std::string& client);
    // The client that a bearer token was issued to; nothing when it is unknown or has expired.
    std::optional<std::string> client_of(const std::string& authorization, TimePoint now) const;
    // What the sign-in service says when it refuses with this number; nothing when the path is no sign-in.
    static std::optional<Answer> refuse(World& world, const Call& call, int number);
    void expire_all() { tokens_.clear(); }

  private:
    Answer token(World& world, const Call& call, const std::string& tenant);
    Answer managed_identity(World& world, const Call& call, bool app_service);
    struct Grant {
        std::string client;
        TimePoint expires;
    };
    std::map<std::string, Grant> tokens_;
};

}  // namespace galleryd::simulator
