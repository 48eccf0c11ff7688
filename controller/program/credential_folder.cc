#include "controller/program/credential_folder.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "controller/adapters/folder/open_beneath.h"
#include "controller/program/credentials_file.h"

namespace galleryd {
namespace {

using folder::Descriptor;

constexpr std::size_t value_bytes_max = 32UL * 1024;
constexpr std::size_t certificate_bytes_max = 256UL * 1024;
constexpr std::array<std::string_view, 6> keys{"AZURE_TENANT_ID",
                                               "AZURE_CLIENT_ID",
                                               "AZURE_CLIENT_SECRET",
                                               "AZURE_CLIENT_CERTIFICATE",
                                               "AZURE_CLIENT_CERTIFICATE_PASSWORD",
                                               "AZURE_FEDERATED_TOKEN"};

// Documents are checked before; whatever comes here becomes part of a path.
bool is_plain(std::string_view part) {
    return !part.empty() && part.size() <= 253 && part.front() != '.' && part.front() != '-' &&
           std::ranges::all_of(
               part, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'; });
}

bool is_name(const std::string& name) {
    const std::size_t slash = name.find('/');
    return slash != std::string::npos && is_plain(std::string_view(name).substr(0, slash)) &&
           is_plain(std::string_view(name).substr(slash + 1));
}

std::string why_not(int error) {
    if (error == EXDEV || error == ELOOP) return "is a link that leads out of its folder, which is never followed";
    return std::strerror(error);
}

azure::Secret without_line_end(const azure::Secret& value) {
    const std::string& text = value.reveal();
    const std::size_t last = text.find_last_not_of("\r\n");
    return azure::Secret(text.substr(0, last == std::string::npos ? 0 : last + 1));
}

Descriptor open_folder(int above, const std::string& path) {
    return folder::open_beneath(above, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

// nullopt: there is no such file.
Result<std::optional<azure::Secret>> read_value(int folder, const std::string& place, const std::string& key) {
    const std::size_t bytes_max = key == "AZURE_CLIENT_CERTIFICATE" ? certificate_bytes_max : value_bytes_max;
    const azure::FileToRead file{.path = place + "/" + key, .bytes_max = bytes_max};
    const Descriptor opened = folder::open_beneath(folder, key, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (!opened.is_open() && errno == ENOENT) return std::nullopt;
    if (!opened.is_open()) return fail(ErrorKind::denied, "AuthenticationFailed", file.path + ": " + why_not(errno));
    const auto content = read_opened_credential(opened.get(), file);
    if (!content) return std::unexpected(content.error());
    return without_line_end(*content);
}

}  // namespace

std::unexpected<Error> unusable_credential(const std::string& name, const std::string& why) {
    return std::unexpected(Error{.kind = ErrorKind::denied,
                                 .reason = "AuthenticationFailed",
                                 .message = "the credential " + name + " cannot be used: " + why,
                                 .code = "GD3029"});
}

std::string CredentialFolder::place_of(const std::string& name) const {
    return directory_ + (directory_.ends_with('/') ? "" : "/") + name;
}

Result<CredentialValues> CredentialFolder::read(const std::string& name) {
    if (!is_name(name)) return unusable_credential(name, "this is no name of a Secret");
    if (directory_.empty())
        return unusable_credential(
            name, "galleryd runs without --credentials-dir. Name the folder in which " + name + " lies");
    const std::string place = place_of(name);
    const Descriptor all(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!all.is_open()) return unusable_credential(name, "--credentials-dir " + directory_ + ": " + why_not(errno));
    const Descriptor own = open_folder(all.get(), name);
    if (!own.is_open()) return unusable_credential(name, place + ": " + why_not(errno));
    const Descriptor data = open_folder(own.get(), "..data");
    const int from = data.is_open() ? data.get() : own.get();
    CredentialValues values;
    for (const std::string_view named : keys) {
        const std::string key(named);
        auto value = read_value(from, place, key);
        if (!value) return unusable_credential(name, value.error().message);
        if (*value) values.emplace(key, std::move(**value));
    }
    return values;
}

}  // namespace galleryd
