#pragma once
#include <list>
#include <map>
#include <string>

#include "tests/unit/program/scoped_variable.h"

namespace galleryd {

// Exactly these variables of signing in are set for a test; whoever runs it may have others.
class SignInEnvironment {
  public:
    explicit SignInEnvironment(const std::map<std::string, std::string>& set) {
        for (const char* const name :
             {"AZURE_AUTHORITY_HOST", "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET",
              "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_FEDERATED_TOKEN_FILE",
              "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IMDS_ENDPOINT", "AZURE_POD_IDENTITY_AUTHORITY_HOST"}) {
            const auto given = set.find(name);
            variables_.emplace_back(name, given == set.end() ? std::nullopt : std::optional(given->second));
        }
        if (const auto path = set.find("PATH"); path != set.end()) variables_.emplace_back("PATH", path->second);
    }

  private:
    std::list<ScopedVariable> variables_;
};

}  // namespace galleryd
