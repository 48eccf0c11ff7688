#include <array>

#include "controller/program/credentials.h"
#include "controller/program/credentials_environment.h"
#include "controller/program/messages.h"

namespace galleryd {
namespace {

struct KnownCloud {
    std::string_view name, arm, login;
};

// azure-facts §12
constexpr std::array<KnownCloud, 3> known_clouds{{
    {"public", "https://management.azure.com", "https://login.microsoftonline.com"},
    {"usgovernment", "https://management.usgovcloudapi.net", "https://login.microsoftonline.us"},
    {"china", "https://management.chinacloudapi.cn", "https://login.chinacloudapi.cn"},
}};

bool is_loopback(const std::string& host) {
    if (host == "localhost" || host == "::1") return true;
    // 127.0.0.0/8 as an address: 127.0.0.1.example.com is somebody else's machine.
    return host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos;
}

Result<Cloud> make_cloud(std::string_view arm, std::string_view login) {
    const auto arm_origin = http::parse_origin(std::string(arm));
    if (!arm_origin) return std::unexpected(arm_origin.error());
    const auto login_origin = http::parse_origin(std::string(login));
    if (!login_origin) return std::unexpected(login_origin.error());
    return Cloud{*arm_origin, *login_origin, std::string(arm) + "/.default"};
}

}  // namespace

Result<Cloud> find_cloud(const std::string& azure) {
    for (const KnownCloud& cloud : known_clouds) {
        if (azure == cloud.name || (azure.empty() && cloud.name == "public")) return make_cloud(cloud.arm, cloud.login);
    }
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
    const std::string arm = http::to_string(*origin);
    for (const KnownCloud& cloud : known_clouds) {
        if (arm == cloud.arm) return make_cloud(cloud.arm, cloud.login);
    }
    // A custom endpoint signs in where AZURE_AUTHORITY_HOST says, else at the endpoint itself (the simulator does
    // both).
    const auto authority = find_authority();
    if (!authority) return std::unexpected(authority.error());
    return make_cloud(arm, *authority ? http::to_string(**authority) : arm);
}

Result<std::optional<http::Origin>> find_authority() {
    const std::string text = environment_value("AZURE_AUTHORITY_HOST");
    if (text.empty()) return std::optional<http::Origin>();
    auto origin = http::parse_origin(text);
    if (!origin)
        return wrong_usage("GD5005", "AZURE_AUTHORITY_HOST is not a URL such as https://login.microsoftonline.com");
    if (origin->scheme == "http" && !is_loopback(origin->host)) {
        return wrong_usage("GD5005",
                           "AZURE_AUTHORITY_HOST is plain http to another machine, and secrets travel to it. "
                           "Write https.");
    }
    return std::optional<http::Origin>(std::move(*origin));
}

Status check_authority(const Cloud& cloud, const http::Origin& authority) {
    const auto cloud_of = [](const std::string& url, std::string_view KnownCloud::*part) {
        for (const KnownCloud& one : known_clouds) {
            if (url == one.*part) return one.name;
        }
        return std::string_view();
    };
    const std::string_view wanted = cloud_of(http::to_string(cloud.arm), &KnownCloud::arm);
    const std::string_view named = cloud_of(http::to_string(authority), &KnownCloud::login);
    if (wanted.empty() || named.empty() || wanted == named) return {};
    return wrong_usage("GD5005", "AZURE_AUTHORITY_HOST is the sign-in host of " + std::string(named) +
                                     ", but --azure is " + std::string(wanted) + ". Make them the same cloud.");
}

Result<http::Origin> find_login(const Cloud& cloud) {
    const auto authority = find_authority();
    if (!authority) return std::unexpected(authority.error());
    const http::Origin login = authority->value_or(cloud.login);
    if (const Status fits = check_authority(cloud, login); !fits) return std::unexpected(fits.error());
    return login;
}

}  // namespace galleryd
