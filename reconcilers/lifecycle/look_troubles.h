#pragma once
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "controller/core/resource_id.h"
#include "controller/core/result.h"

namespace galleryd {

// Why scopes cannot be looked at, told once for all that share the cause: a sign-in that fails concerns everything, a
// missing right or an unregistered provider its subscription. Each object has its own condition; this is for events.
class LookTroubles {
  public:
    struct Event {
        bool warning = true;
        std::string reason;   // AuthenticationFailed, AuthorizationFailed, …; Resumed when it is over
        std::string object;   // "azure", "credential images/team-a", "subscription 0000…", or the scope
        std::string message;  // with the GD code
    };
    struct Place {
        std::string scope;
        ResourceId gallery;
        std::string credential = {};  // of the gallery's own: "images/team-a"; "" = galleryd's
    };
    static bool tells(const Error& error);
    // After a look at a scope failed. Only what a person has to mend is told (denied, invalid).
    std::vector<Event> failed(const Place& place, const Error& error);
    // After a whole pass over the scope without such an error; only that says that something is over.
    std::vector<Event> succeeded(const std::string& scope);
    void keep_only(const std::function<bool(const std::string&)>& is_declared);

  private:
    struct Trouble {
        std::string object;
        std::set<std::string> scopes;
    };
    std::map<std::string, Trouble> troubles_;  // by object and code
};

}  // namespace galleryd
