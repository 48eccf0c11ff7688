#include "controller/program/read_paths.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace galleryd {
namespace {

constexpr std::size_t file_bytes_max = 1024 * 1024;
constexpr int folder_depth_max = 32;

class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) close(fd_);
    }
    int get() const { return fd_; }
    bool valid() const { return fd_ >= 0; }
    int release() { return std::exchange(fd_, -1); }

  private:
    int fd_;
};

Error refusal(const char* code, std::string message) {
    return {.kind = ErrorKind::invalid, .reason = "InvalidSpec", .message = std::move(message), .code = code};
}

Error open_refusal(const std::string& path, int error) {
    if (error == ENOENT || error == ENOTDIR) return refusal("GD1090", path + ": no such file or folder");
    if (error == EXDEV || error == ELOOP)
        return refusal("GD1091", path + ": a link that leads out of the folder is not followed");
    return refusal("GD1093", path + ": cannot be read: " + std::strerror(error));
}

int open_beneath(int folder, const std::string& name, int flags) {
    struct open_how how = {};
    how.flags = static_cast<std::uint64_t>(flags);
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    return static_cast<int>(syscall(SYS_openat2, folder, name.c_str(), &how, sizeof how));
}

bool is_manifest(std::string_view name) {
    return name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json");
}

class PathReader {
  public:
    Status read(const std::string& path) {
        Descriptor opened(
            open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));  // NONBLOCK: a pipe must not hold us up
        if (!opened.valid()) return std::unexpected(open_refusal(path, errno));
        struct stat found = {};
        if (fstat(opened.get(), &found) != 0) return std::unexpected(open_refusal(path, errno));
        if (S_ISREG(found.st_mode)) return read_file(opened.get(), path);
        if (!S_ISDIR(found.st_mode))
            return std::unexpected(refusal("GD1091", path + ": neither a regular file nor a folder"));
        std::string shown = path;
        while (shown.size() > 1 && shown.ends_with('/')) shown.pop_back();
        return read_folder(opened.get(), "", shown, 0);
    }
    std::vector<DocumentFile> take() { return std::move(files_); }
    bool empty() const { return files_.empty(); }

  private:
    Status read_file(int fd, const std::string& shown) {
        if (files_.size() >= read_files_max)
            return std::unexpected(refusal("GD1092", shown + ": more than 20000 manifests"));
        std::string content;
        for (;;) {
            const std::size_t had = content.size();
            if (had > file_bytes_max) break;
            content.resize(std::min(file_bytes_max + 1, had + 64 * 1024));
            const ssize_t got = ::read(fd, content.data() + had, content.size() - had);
            content.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return std::unexpected(open_refusal(shown, errno));
            if (got == 0) break;
        }
        bytes_ += content.size();
        if (bytes_ > read_bytes_max)
            return std::unexpected(refusal("GD1092", shown + ": the manifests have more than 512 MiB"));
        content.shrink_to_fit();
        files_.push_back({shown, std::move(content)});
        return {};
    }

    struct Entry {
        std::string name;
        bool is_folder;
    };

    static std::optional<std::vector<Entry>> entries_of(int root, const std::string& relative) {
        Descriptor folder(open_beneath(root, relative.empty() ? "." : relative, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!folder.valid()) return std::nullopt;
        DIR* const stream = fdopendir(folder.get());
        if (stream == nullptr) return std::nullopt;
        static_cast<void>(folder.release());  // closedir closes it
        std::vector<Entry> entries;
        while (const dirent* entry = readdir(stream)) {
            const std::string name = entry->d_name;
            if (name.starts_with('.')) continue;
            bool is_folder = entry->d_type == DT_DIR;
            if (entry->d_type == DT_UNKNOWN) {
                struct stat found = {};
                is_folder =
                    fstatat(dirfd(stream), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(found.st_mode);
            }
            if (is_folder || is_manifest(name)) entries.push_back({name, is_folder});
        }
        closedir(stream);
        std::ranges::sort(entries, {}, &Entry::name);
        return entries;
    }

    // `relative` is below `root`; everything is opened from there, so that no step can leave it.
    Status read_folder(int root, const std::string& relative, const std::string& shown, int depth) {
        if (depth > folder_depth_max) return std::unexpected(refusal("GD1092", shown + ": folders nested too deeply"));
        const auto entries = entries_of(root, relative);
        if (!entries) return std::unexpected(open_refusal(shown, errno));
        for (const Entry& entry : *entries) {
            const std::string below = relative.empty() ? entry.name : relative + "/" + entry.name;
            const std::string name = shown + "/" + entry.name;
            const Status done =
                entry.is_folder ? read_folder(root, below, name, depth + 1) : read_entry(root, below, name);
            if (!done) return done;
        }
        return {};
    }

    Status read_entry(int root, const std::string& relative, const std::string& shown) {
        Descriptor file(open_beneath(root, relative, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
        if (!file.valid()) return std::unexpected(open_refusal(shown, errno));
        struct stat found = {};
        if (fstat(file.get(), &found) != 0) return std::unexpected(open_refusal(shown, errno));
        if (S_ISDIR(found.st_mode)) return {};  // a linked folder whose name looks like a manifest
        if (!S_ISREG(found.st_mode)) return std::unexpected(refusal("GD1091", shown + ": not a regular file"));
        return read_file(file.get(), shown);
    }

    std::vector<DocumentFile> files_;
    std::size_t bytes_ = 0;
};

}  // namespace

Result<std::vector<DocumentFile>> read_paths(std::vector<std::string> paths) {
    PathReader reader;
    for (const std::string& path : paths) {
        const Status done = reader.read(path);
        if (!done) return std::unexpected(done.error());
    }
    if (reader.empty()) {
        std::string all;
        for (const std::string& path : paths) all += (all.empty() ? "" : ", ") + path;
        return std::unexpected(refusal(
            "GD1094", (all.empty() ? std::string("no path given") : all) + ": no manifests (*.yaml, *.yml, *.json)"));
    }
    return reader.take();
}

}  // namespace galleryd
