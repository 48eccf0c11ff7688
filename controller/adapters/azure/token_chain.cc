#include "controller/adapters/azure/token_chain.h"

#include "controller/adapters/azure/token_answer.h"

namespace galleryd::azure {
namespace {

constexpr std::chrono::seconds look_again_after{10};

Error none_works(const std::vector<SkippedCredential>& skipped) {
    return denied_sign_in(
        "GD5005",
        "no credential for Azure was found. " + to_text(skipped) +
            ". Set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET (or AZURE_CLIENT_CERTIFICATE_PATH), give "
            "this machine a managed identity, or run az login. The simulator needs --credential none");
}

}  // namespace

std::string to_text(const std::vector<SkippedCredential>& skipped) {
    std::string text;
    for (const SkippedCredential& one : skipped) text += (text.empty() ? "" : "; ") + one.name + ": " + one.reason;
    return text;
}

void DefaultToken::take(TokenProvider& member, const std::vector<SkippedCredential>& skipped) {
    chosen_ = &member;
    log_.info("azure sign-in", {{"credential", std::string(member.name())}, {"not_used", to_text(skipped)}});
}

Task<std::string> DefaultToken::token() {
    if (chosen_ != nullptr) co_return co_await chosen_->token();
    const auto turn = co_await one_at_a_time_.acquire();
    if (!turn) co_return std::unexpected(turn.error());
    if (chosen_ != nullptr) co_return co_await chosen_->token();
    if (failure_ && clock_.monotonic() < look_again_at_) co_return std::unexpected(*failure_);
    auto token = co_await choose();
    if (!token && chosen_ == nullptr) {
        failure_ = token.error();
        look_again_at_ = clock_.monotonic() + look_again_after;
    }
    co_return token;
}

Task<std::string> DefaultToken::choose() {
    std::vector<SkippedCredential> skipped = members_.skipped;
    if (members_.managed_identity) {
        ManagedIdentityToken& identity = *members_.managed_identity;
        auto obstacle = co_await identity.find_obstacle();
        if (!obstacle) co_return std::unexpected(obstacle.error());
        if (obstacle->empty()) {
            auto token = co_await identity.token();
            if (token || !identity.has_no_identity()) {
                take(identity, skipped);
                co_return token;
            }
            *obstacle = "this machine is given no identity" +
                        std::string(identity.is_user_assigned() ? " with the client id of AZURE_CLIENT_ID" : "");
        }
        skipped.push_back({.name = std::string(identity.name()), .reason = std::move(*obstacle)});
    }
    if (!members_.azure_cli) {
        skipped.push_back({.name = "azure-cli", .reason = members_.no_cli});
        co_return std::unexpected(none_works(skipped));
    }
    AzureCliToken& cli = *members_.azure_cli;
    auto token = co_await cli.token();
    if (token || !cli.is_signed_out()) {
        take(cli, skipped);
        co_return token;
    }
    skipped.push_back({.name = std::string(cli.name()), .reason = "nobody has signed in with az login"});
    co_return std::unexpected(none_works(skipped));
}

void DefaultToken::invalidate(std::string refused) {
    if (chosen_ != nullptr) chosen_->invalidate(std::move(refused));
}

}  // namespace galleryd::azure
