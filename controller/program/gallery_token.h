#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "controller/adapters/azure/credential_file.h"
#include "controller/adapters/azure/token.h"
#include "controller/adapters/http/transport.h"
#include "controller/program/credential_folder.h"
#include "controller/program/credentials.h"

namespace galleryd {

// What every credential of a gallery needs to sign in; outlives them.
struct SignInParts {
    CredentialStore& store;
    http::Transport& transport;
    Clock& clock;
    Log& log;
    Metrics& metrics;
};

// The credential of galleries that name one: signs in with what its Secret holds now. The values are looked at again
// every few seconds: other ones are in force from then on, and while they are missing or incomplete nobody gets a
// token, not even one that still lives. Certificates and federated tokens are read for each sign-in, as those of the
// daemon's own are. There is no other way to sign in: neither the environment nor the machine is asked. Errors:
// `denied` AuthenticationFailed, GD3029 or as the sign-in (GD301n); they name the credential.
class GalleryToken : public azure::TokenProvider {
  public:
    static constexpr std::chrono::seconds look_pause{5};

    GalleryToken(std::string name, Cloud cloud, SignInParts parts)
        : name_(std::move(name)), cloud_(std::move(cloud)), parts_(parts) {}
    Task<std::string> token() override;
    void invalidate(std::string refused) override;
    std::string_view name() const override { return name_; }
    std::string principal() const override;
    std::string acting_as() const override { return "the credential " + name_; }
    // Looks at the values if it is time to. The number goes up when they are others than before, or can be used again
    // or no more; a federated token that rotates does not count.
    std::uint64_t changes();
    // Of what was read last: "AZURE_CLIENT_SECRET"; "" before that.
    const std::string& proof() const { return proof_; }

  private:
    Status look();
    Status take(CredentialValues values);
    std::shared_ptr<azure::TokenProvider> make(CredentialValues& values, http::Origin login) const;
    azure::ReadFile reader_of(const std::string& key) const;
    void tell(const Error& error);

    std::string name_;
    Cloud cloud_;
    SignInParts parts_;
    std::shared_ptr<azure::TokenProvider> current_;  // shared with the requests for a token that are under way
    std::string digest_, proof_;                     // of what `current_` was made from
    std::optional<Error> failure_;
    std::optional<std::chrono::nanoseconds> look_again_at_;  // monotonic
    std::uint64_t changes_ = 0;
};

// Never gives a token, always this reason.
class RefusedToken : public azure::TokenProvider {
  public:
    RefusedToken(std::string name, Error why) : name_(std::move(name)), why_(std::move(why)) {}
    Task<std::string> token() override { co_return std::unexpected(why_); }
    void invalidate(std::string) override {}
    std::string_view name() const override { return name_; }

  private:
    std::string name_;
    Error why_;
};

}  // namespace galleryd
