#pragma once
#include <map>
#include <string>

#include "controller/adapters/azure/secret.h"
#include "controller/core/result.h"

// Credentials of galleries, by name (decision 0030).
namespace galleryd {

using CredentialValues = std::map<std::string, azure::Secret>;  // by key: AZURE_TENANT_ID, …; without a last line end

// Where they come from. Asked on the loop's thread, so what it takes has to be a moment.
class CredentialStore {
  public:
    virtual ~CredentialStore() = default;
    // `name`: "NAMESPACE/NAME" of a Secret. Keys that are not there are left out. Errors: `denied` AuthenticationFailed
    // GD3029 that names the place and what is wrong with it.
    virtual Result<CredentialValues> read(const std::string& name) = 0;
    virtual std::string place_of(const std::string& name) const = 0;  // for messages
};

// DIR/NAMESPACE/NAME/KEY, as a Secret is mounted: one file for each key, links inside that folder included (`..data`);
// all keys are read from one and the same `..data`, so a rotation is seen whole. Links that leave the folder (or, for
// the folder itself, DIR) are refused. Files as those of any credential: regular, at most 32 KiB (a certificate 256).
class CredentialFolder : public CredentialStore {
  public:
    explicit CredentialFolder(std::string directory) : directory_(std::move(directory)) {}  // "": there is none
    Result<CredentialValues> read(const std::string& name) override;
    std::string place_of(const std::string& name) const override;

  private:
    std::string directory_;
};

// `denied` AuthenticationFailed GD3029 "the credential NAME cannot be used: WHY".
std::unexpected<Error> unusable_credential(const std::string& name, const std::string& why);

}  // namespace galleryd
