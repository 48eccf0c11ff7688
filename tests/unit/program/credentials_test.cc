#include "controller/program/credentials.h"

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <sstream>

#include "controller/program/messages.h"
#include "controller/program/options.h"
#include "controller/simulator/simulator.h"
#include "tests/support/manual_clock.h"
#include "tests/support/recording_log.h"
#include "tests/support/recording_metrics.h"
#include "tests/support/run_task.h"
#include "tests/unit/program/scoped_variable.h"

using namespace galleryd;

namespace {

struct SignIn {
    boost::asio::io_context context;
    ManualClock clock{context};
    RecordingLog log;
    RecordingMetrics metrics;
    simulator::Simulator azure{clock, simulator::Options{}};
    simulator::InProcessTransport transport{azure, clock};

    Result<std::unique_ptr<azure::TokenProvider>> make(const std::string& credential,
                                                       const std::string& name = "public") {
        const auto cloud = find_cloud(name);
        REQUIRE(cloud.has_value());
        return make_credential(credential, *cloud, transport, clock, log, metrics);
    }
};

}  // namespace

TEST_CASE("the three clouds have their own endpoints and token scopes") {
    const ScopedVariable authority("AZURE_AUTHORITY_HOST", std::nullopt);
    struct Row {
        const char *name, *arm, *login;
    };
    for (const Row& row :
         {Row{"public", "https://management.azure.com", "https://login.microsoftonline.com"},
          Row{"", "https://management.azure.com", "https://login.microsoftonline.com"},
          Row{"usgovernment", "https://management.usgovcloudapi.net", "https://login.microsoftonline.us"},
          Row{"china", "https://management.chinacloudapi.cn", "https://login.chinacloudapi.cn"},
          Row{"https://azure.example.com:8443", "https://azure.example.com:8443", "https://azure.example.com:8443"}}) {
        CAPTURE(row.name);
        const auto cloud = find_cloud(row.name);
        REQUIRE(cloud.has_value());
        CHECK(http::to_string(cloud->arm) == row.arm);
        CHECK(http::to_string(cloud->login) == row.login);
        CHECK(cloud->token_scope == std::string(row.arm) + "/.default");
    }
}

TEST_CASE("plain http is for this machine only, because tokens travel to it") {
    const ScopedVariable authority("AZURE_AUTHORITY_HOST", std::nullopt);
    for (const char* url : {"http://127.0.0.1:4480", "http://localhost:4480", "http://[::1]:4480"}) {
        CAPTURE(url);
        CHECK(find_cloud(url).has_value());
    }
    for (const char* url : {"http://azure.example.com", "http://10.0.0.1:4480", "http://localhost.example.com"}) {
        CAPTURE(url);
        const auto cloud = find_cloud(url);
        REQUIRE_FALSE(cloud.has_value());
        CHECK(cloud.error().code == "GD5004");
        CHECK(cloud.error().message.find("https") != std::string::npos);
    }
}

TEST_CASE("a name that merely begins like a loopback address is another machine") {
    const auto cloud = find_cloud("http://127.0.0.1.example.com");
    REQUIRE_FALSE(cloud.has_value());
    CHECK(cloud.error().code == "GD5004");
}

TEST_CASE("what is neither a cloud nor a URL is refused") {
    for (const char* azure : {"germany", "ftp://azure.example.com", "https://azure.example.com/path", "https://"}) {
        CAPTURE(azure);
        const auto cloud = find_cloud(azure);
        REQUIRE_FALSE(cloud.has_value());
        CHECK(cloud.error().code == "GD5004");
    }
}

TEST_CASE("a custom endpoint signs in where AZURE_AUTHORITY_HOST says") {
    const ScopedVariable authority("AZURE_AUTHORITY_HOST", "https://login.example.com");
    const auto cloud = find_cloud("https://azure.example.com");
    REQUIRE(cloud.has_value());
    CHECK(http::to_string(cloud->login) == "https://login.example.com");
    CHECK(http::to_string(cloud->arm) == "https://azure.example.com");
}

TEST_CASE("variables that are missing for a sign-in are named, those that are set are not, and no value is shown") {
    const ScopedVariable authority("AZURE_AUTHORITY_HOST", std::nullopt), tenant("AZURE_TENANT_ID", std::nullopt),
        client("AZURE_CLIENT_ID", "some-client"), secret("AZURE_CLIENT_SECRET", std::nullopt);
    SignIn sign_in;
    for (const char* credential : {"environment", "client-secret"}) {
        const auto made = sign_in.make(credential);
        REQUIRE_FALSE(made.has_value());
        CHECK(made.error().code == "GD5005");
        CHECK(made.error().message.find("AZURE_TENANT_ID AZURE_CLIENT_SECRET.") != std::string::npos);
        CHECK(made.error().message.find("AZURE_CLIENT_ID") == std::string::npos);
        CHECK(made.error().message.find("some-client") == std::string::npos);
    }
}

TEST_CASE("with all three variables the client secret signs in") {
    const ScopedVariable authority("AZURE_AUTHORITY_HOST", std::nullopt), tenant("AZURE_TENANT_ID", "some-tenant"),
        client("AZURE_CLIENT_ID", "some-client"), secret("AZURE_CLIENT_SECRET", "not-so-secret");
    SignIn sign_in;
    const auto made = sign_in.make("default");
    REQUIRE(made.has_value());
    CHECK((*made)->name() == "client-secret");

    const ScopedVariable wrong("AZURE_AUTHORITY_HOST", "login.example.com/with/path");
    const auto refused = sign_in.make("default");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == "GD5005");
    CHECK(refused.error().message.find("AZURE_AUTHORITY_HOST") != std::string::npos);
}

TEST_CASE("the credential none needs nothing and sends no token; an unknown one is refused") {
    const ScopedVariable tenant("AZURE_TENANT_ID", std::nullopt), client("AZURE_CLIENT_ID", std::nullopt),
        secret("AZURE_CLIENT_SECRET", std::nullopt);
    SignIn sign_in;
    const auto none = sign_in.make("none");
    REQUIRE(none.has_value());
    CHECK((*none)->name() == "none");
    const auto token = run_task(sign_in.context, (*none)->token());
    REQUIRE(token.has_value());
    CHECK(token->empty());
    const auto unknown = sign_in.make("password");
    REQUIRE_FALSE(unknown.has_value());
    CHECK(unknown.error().code == "GD5025");
    CHECK(unknown.error().message.find("password") != std::string::npos);
    std::ostringstream said;
    CHECK(exit_with(said, unknown.error()) == exit_usage);
    const auto mistyped = sign_in.make("azure-cil");
    REQUIRE_FALSE(mistyped.has_value());
    CHECK(mistyped.error().message.contains("did you mean azure-cli?"));
}
