#include "controller/adapters/folder/open_beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <deque>
#include <vector>

#include "controller/adapters/folder/tree_reader.h"

namespace galleryd::folder {

namespace {

constexpr int links_max = 40;  // as the kernel's own limit
constexpr int rename_retries_max = 5;

std::vector<std::string> components_of(const std::string& path) {
    std::vector<std::string> parts;
    for (std::size_t from = 0; from <= path.size();) {
        const std::size_t end = std::min(path.find('/', from), path.size());
        if (end > from) parts.push_back(path.substr(from, end - from));
        from = end + 1;
    }
    return parts;
}

}  // namespace

Descriptor::~Descriptor() {
    if (value_ >= 0) ::close(value_);
}

int open_by_components(int folder, const std::string& path, int flags) {
    const auto first = components_of(path);
    std::deque<std::string> left(first.begin(), first.end());
    std::vector<Descriptor> open;  // the folders on the way down; ".." goes back up this list and never above it
    int links = 0;
    if (left.empty()) left.emplace_back(".");
    while (true) {
        const std::string part = left.front();
        left.pop_front();
        const int here = open.empty() ? folder : open.back().get();
        if (part == "..") {
            if (open.empty()) {
                errno = EXDEV;
                return -1;
            }
            open.pop_back();
            if (left.empty()) left.emplace_back(".");
            continue;
        }
        char target[PATH_MAX];
        const ssize_t length = ::readlinkat(here, part.c_str(), target, sizeof target);
        if (length >= 0) {
            const std::string link(target, static_cast<std::size_t>(length));
            const bool is_outside = link.starts_with("/");
            if (is_outside || ++links > links_max) {
                errno = is_outside ? EXDEV : ELOOP;
                return -1;
            }
            const auto parts = components_of(link);
            left.insert(left.begin(), parts.begin(), parts.end());
            if (left.empty()) left.emplace_back(".");
            continue;
        }
        if (left.empty()) return ::openat(here, part.c_str(), flags | O_NOFOLLOW);
        Descriptor next(::openat(here, part.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!next.is_open()) return -1;
        if (part != ".") open.push_back(std::move(next));
    }
}

Descriptor open_beneath(int folder, const std::string& path, int flags) {
    struct open_how how {};
    how.flags = static_cast<unsigned>(flags);
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    const char* name = path.empty() ? "." : path.c_str();
    for (int i = 0; i < rename_retries_max; ++i) {
        const long opened = ::syscall(SYS_openat2, folder, name, &how, sizeof how);
        if (opened >= 0) return Descriptor(static_cast<int>(opened));
        if (errno != EAGAIN) break;  // EAGAIN: something was renamed while ".." was resolved
    }
    // ENOSYS before Linux 5.6; EPERM from seccomp filters that do not know it.
    if (errno == ENOSYS || errno == EPERM) return Descriptor(open_by_components(folder, path, flags));
    return Descriptor(-1);
}

}  // namespace galleryd::folder
