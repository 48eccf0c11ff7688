#include "controller/program/credentials.h"

#include <cstdlib>

#include "controller/program/messages.h"

namespace galleryd {
namespace {

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

bool is_loopback(const std::string& host) {
    if (host == "localhost" || host == "::1") return true;
    // 127.0.0.0/8 as an address: 127.0.0.1.example.com is somebody else's machine.
    return host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos;
}

Result<Cloud> named_cloud(const std::string& arm, const std::string& login) {
    const auto arm_origin = http::parse_origin(arm);
    if (!arm_origin) return std::unexpected(arm_origin.error());
    const auto login_origin = http::parse_origin(login);
    if (!login_origin) return std::unexpected(login_origin.error());
    return Cloud{*arm_origin, *login_origin, arm + "/.default"};
}

}  // namespace

Result<Cloud> find_cloud(const std::string& azure) {
    // Endpoints of the three clouds: azure-facts §12.
    if (azure == "public" || azure.empty())
        return named_cloud("https://management.azure.com", "https://login.microsoftonline.com");
    if (azure == "usgovernment")
        return named_cloud("https://management.usgovcloudapi.net", "https://login.microsoftonline.us");
    if (azure == "china") return named_cloud("https://management.chinacloudapi.cn", "https://login.chinacloudapi.cn");
    const auto origin = http::parse_origin(azure);
    if (!origin)
        return wrong_usage("GD5004", "--azure " + azure +
                                         ": write public, usgovernment, china, simulator, or a URL without a path such "
                                         "as https://management.example.com");
    if (origin->scheme == "http" && !is_loopback(origin->host)) {
        return wrong_usage("GD5004", "--azure " + azure +
                                         ": plain http is only allowed to this machine (127.0.0.1, ::1, localhost), "
                                         "because access tokens travel to it. Write https.");
    }
    // A custom endpoint signs in where AZURE_AUTHORITY_HOST says, else at the endpoint itself (the simulator does
    // both).
    return named_cloud(http::to_string(*origin), environment("AZURE_AUTHORITY_HOST").empty()
                                                     ? http::to_string(*origin)
                                                     : environment("AZURE_AUTHORITY_HOST"));
}

Result<std::unique_ptr<azure::TokenProvider>> make_credential(const std::string& credential, const Cloud& cloud,
                                                              http::Transport& transport, Clock& clock, Log& log,
                                                              Metrics& metrics) {
    if (credential == "none") return std::make_unique<azure::NoToken>();
    if (credential != "default" && credential != "client-secret") {
        return wrong_usage("GD5005",
                           "--credential " + credential + " is not known here. Write default, client-secret or none.");
    }
    azure::ClientSecretOptions options;
    options.login = cloud.login;
    options.scope = cloud.token_scope;
    options.tenant_id = environment("AZURE_TENANT_ID");
    options.client_id = environment("AZURE_CLIENT_ID");
    options.client_secret = azure::Secret(environment("AZURE_CLIENT_SECRET"));
    if (const std::string authority = environment("AZURE_AUTHORITY_HOST"); !authority.empty()) {
        const auto login =
            http::parse_origin(authority.ends_with('/') ? authority.substr(0, authority.size() - 1) : authority);
        if (!login)
            return wrong_usage("GD5005", "AZURE_AUTHORITY_HOST is not a URL such as https://login.microsoftonline.com");
        options.login = *login;
    }
    std::string missing;
    if (options.tenant_id.empty()) missing += " AZURE_TENANT_ID";
    if (options.client_id.empty()) missing += " AZURE_CLIENT_ID";
    if (options.client_secret.empty()) missing += " AZURE_CLIENT_SECRET";
    if (!missing.empty()) {
        return wrong_usage("GD5005", "no credential for Azure was found: missing in the environment:" + missing +
                                         ". Set them, or use --credential none with the simulator.");
    }
    return std::make_unique<azure::ClientSecretToken>(transport, clock, log, metrics, std::move(options));
}

}  // namespace galleryd
