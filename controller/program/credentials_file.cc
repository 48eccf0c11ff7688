#include "controller/program/credentials_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace galleryd {
namespace {

struct Opened {
    int number = -1;
    ~Opened() {
        if (number >= 0) ::close(number);
    }
};

}  // namespace

Result<azure::Secret> read_opened_credential(int number, const azure::FileToRead& file) {
    const auto refused = [&file](const std::string& why) {
        return fail(ErrorKind::denied, "AuthenticationFailed", file.path + ": " + why);
    };
    struct stat about {};
    if (::fstat(number, &about) != 0) return refused(std::strerror(errno));
    if (!S_ISREG(about.st_mode)) return refused("is not a regular file");
    std::string text(file.bytes_max + 1, '\0');  // one more, to see that it is longer
    std::size_t size = 0;
    while (size < text.size()) {
        const ssize_t got = ::read(number, text.data() + size, text.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return refused(std::strerror(errno));
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
    }
    if (size > file.bytes_max) {
        azure::Secret::wipe(text);
        return refused("is longer than " + std::to_string(file.bytes_max) + " bytes");
    }
    text.resize(size);
    return azure::Secret(std::move(text));
}

Result<azure::Secret> read_credential_file(const azure::FileToRead& file) {
    const auto refused = [&file](const std::string& why) {
        return fail(ErrorKind::denied, "AuthenticationFailed", file.path + ": " + why);
    };
    if (file.path.find('\0') != std::string::npos) return refused("the path holds a NUL");
    const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (file.links == azure::Links::refuse ? O_NOFOLLOW : 0);
    Opened opened;
    opened.number = ::open(file.path.c_str(), flags);
    if (opened.number < 0)
        return refused(errno == ELOOP && file.links == azure::Links::refuse ? "is a link" : std::strerror(errno));
    return read_opened_credential(opened.number, file);
}

}  // namespace galleryd
