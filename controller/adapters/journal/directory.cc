#include "controller/adapters/journal/directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "controller/core/interlock_switch.h"

namespace galleryd::journal {

namespace {

constexpr std::size_t damaged_kept_max = 5;

std::unexpected<Error> refused(std::string code, std::string reason, std::string message) {
    Error error{.kind = ErrorKind::denied, .reason = std::move(reason), .message = std::move(message)};
    error.code = std::move(code);
    return std::unexpected(std::move(error));
}

std::string system_text(int number) { return std::strerror(number); }

}  // namespace

Status make_state_directory(const std::string& directory) {
    if (directory.empty())
        return refused("GD4106", "StateDirectoryUnusable", "the state directory has no name (--state-dir)");
    for (std::size_t end = 1; end != std::string::npos;) {
        end = directory.find('/', end + 1);
        const std::string part = directory.substr(0, end);
        if (::mkdir(part.c_str(), 0700) == 0 || errno == EEXIST) continue;
        if (end != std::string::npos && (errno == EACCES || errno == EROFS))
            continue;  // a parent we may only pass through
        return refused("GD4106", "StateDirectoryUnusable",
                       "state directory " + directory + ": cannot make " + part + ": " + system_text(errno));
    }
    struct stat status {};
    if (::stat(directory.c_str(), &status) != 0) {
        return refused("GD4106", "StateDirectoryUnusable", "state directory " + directory + ": " + system_text(errno));
    }
    if (!S_ISDIR(status.st_mode))
        return refused("GD4106", "StateDirectoryUnusable", "state directory " + directory + ": is not a directory");
    return {};
}

bool is_directory_writable(const std::string& directory) { return ::access(directory.c_str(), W_OK | X_OK) == 0; }

Result<std::unique_ptr<DirectoryLock>> DirectoryLock::take(const std::string& directory) {
    const std::string path = directory + "/galleryd.lock";
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0)
        return refused("GD4106", "StateDirectoryUnusable",
                       "state directory: cannot open " + path + ": " + system_text(errno));
    std::unique_ptr<DirectoryLock> lock(new DirectoryLock(descriptor));
    // Point 11 of the interlock: without elections the one writer is whoever holds this.
    if (!is_switched_off(11) && ::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return refused("GD4106", "StateDirectoryUnusable",
                           "state directory: cannot lock " + path + ": " + system_text(errno));
        char text[32] = {};
        const ssize_t size = ::pread(descriptor, text, sizeof text - 1, 0);
        std::string holder(text, size > 0 ? static_cast<std::size_t>(size) : 0);
        holder.erase(std::find_if_not(holder.begin(), holder.end(), [](char c) { return c >= '0' && c <= '9'; }),
                     holder.end());
        return refused("GD4101", "StateDirectoryLocked",
                       "state directory " + directory + " is in use by another galleryd (process " +
                           (holder.empty() ? "unknown" : holder) +
                           "); stop it, or give this one a --state-dir of its own");
    }
    const std::string own = std::to_string(::getpid()) + "\n";
    // The number helps people; the lock itself does not depend on it (a full disk must not keep observing from
    // starting).
    if (::ftruncate(descriptor, 0) == 0) static_cast<void>(::pwrite(descriptor, own.data(), own.size(), 0) == 0);
    return lock;
}

DirectoryLock::~DirectoryLock() { ::close(descriptor_); }

namespace {

std::unexpected<Error> not_a_journal(const std::string& path, const std::string& why) {
    return refused("GD4106", "StateDirectoryUnusable",
                   "journal " + path + ": " + why + "; move it away, or name another --state-dir");
}

}  // namespace

Status prepare_database_file(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (descriptor < 0) return not_a_journal(path, errno == ELOOP ? "is a link" : system_text(errno));
    struct stat status {};
    const bool is_file = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
    if (is_file && (status.st_mode & 0177) != 0) static_cast<void>(::fchmod(descriptor, 0600) == 0);
    ::close(descriptor);  // before SQLite opens it: closing would drop SQLite's POSIX locks
    if (!is_file) return not_a_journal(path, "is not a regular file");
    return {};
}

Status check_database_file(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) return not_a_journal(path, system_text(errno));
    if (S_ISREG(status.st_mode)) return {};
    return not_a_journal(path, S_ISLNK(status.st_mode) ? "is a link" : "is not a regular file");
}

bool is_empty_file(const std::string& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 0;
}

Result<std::string> move_aside(const std::string& path, TimePoint now) {
    namespace fs = std::filesystem;
    std::string stamp = format_rfc3339(now);
    std::erase_if(stamp, [](char c) { return c == ':' || c == '-'; });
    std::error_code failed;
    std::string target = path + ".corrupt-" + stamp;
    for (int i = 2; fs::exists(fs::symlink_status(target, failed)); ++i)
        target = path + ".corrupt-" + stamp + "." + std::to_string(i);
    if (::rename(path.c_str(), target.c_str()) != 0) {
        return refused("GD4106", "StateDirectoryUnusable",
                       "damaged journal " + path + " cannot be moved aside: " + system_text(errno));
    }
    static_cast<void>(::rename((path + "-wal").c_str(), (target + "-wal").c_str()) == 0);  // may not exist
    ::unlink((path + "-shm").c_str());
    // A disk that damages every journal must not also be filled by them.
    std::vector<std::string> kept;
    const std::string prefix = fs::path(path).filename().string() + ".corrupt-";
    for (const auto& entry : fs::directory_iterator(fs::path(path).parent_path(), failed)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with(prefix) && !name.ends_with("-wal")) kept.push_back(entry.path().string());
    }
    std::sort(kept.begin(), kept.end());
    for (std::size_t i = 0; i + damaged_kept_max < kept.size(); ++i) {
        ::unlink(kept[i].c_str());
        ::unlink((kept[i] + "-wal").c_str());
    }
    return target;
}

}  // namespace galleryd::journal
