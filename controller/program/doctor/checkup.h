#pragma once
#include <functional>
#include <string>
#include <vector>

#include "controller/adapters/azure/token.h"
#include "controller/ports/clock.h"
#include "controller/program/doctor/finding.h"
#include "controller/program/doctor/judge.h"
#include "controller/program/doctor/needs.h"
#include "controller/program/doctor/questions.h"

namespace galleryd::doctor {

struct CheckupOptions {
    Endpoint endpoint;
    SignInSetting sign_in;
    Needs needs;  // no subscription: every visible one is looked at
    // Called with each finding as soon as it is known, those of several subscriptions in any order; may add to it.
    std::function<void(Finding&)> on_finding = {};
};

// One `skipped` finding for each check that needs a sign-in.
std::vector<Finding> not_checked(const std::string& why);

// Everything that only Azure can answer; the findings come back in a fixed order whatever answered first. Of what
// cannot be asked because an earlier answer is missing (no network, no sign-in) each check is `skipped`; everything
// else goes on.
class Checkup {
  public:
    Checkup(Questions& questions, azure::TokenProvider& tokens, Clock& clock, CheckupOptions options)
        : questions_(questions), tokens_(tokens), clock_(clock), options_(std::move(options)) {}

    Task<std::vector<Finding>> run();

  private:
    struct Patient;  // one subscription
    struct Round {
        std::vector<Patient> patients;
        std::size_t next = 0;
    };
    Task<bool> reach();    // endpoint and clock; false: nothing further can be asked
    Task<bool> sign_in();  // false: nothing further can be asked
    Task<void> find_subscriptions();
    boost::asio::awaitable<void> work(Round& round);
    boost::asio::awaitable<void> look_at(Patient& patient);
    boost::asio::awaitable<void> look_at_providers(Patient& patient);
    boost::asio::awaitable<void> look_at_rights(Patient& patient, std::vector<Finding>* refused);
    boost::asio::awaitable<void> look_at_closed(Patient& patient, Finding subscription);
    void take_bearer(const Error& refusal);
    boost::asio::awaitable<void> look_at_quotas(Patient& patient);
    boost::asio::awaitable<void> look_at_cloud(const Round& round);
    bool is_out_of_time(Patient& patient) const;
    void skip_the_rest(const std::string& why);
    void tell(std::vector<Finding>& to, Finding finding) const;

    Questions& questions_;
    azure::TokenProvider& tokens_;
    Clock& clock_;
    CheckupOptions options_;
    Asker asker_;
    bool none_named_ = false;
    std::vector<Finding> findings_;
};

}  // namespace galleryd::doctor
