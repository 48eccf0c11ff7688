#include "controller/adapters/folder/tree_reader.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>

#include "controller/adapters/folder/open_beneath.h"
#include "controller/core/resource_id.h"

namespace galleryd::folder {

namespace {

using Identity = std::pair<std::uint64_t, std::uint64_t>;  // device, inode

Diagnostic problem_with(const std::string& path, std::string code, std::string message, std::string remedy) {
    Diagnostic diagnostic;
    diagnostic.code = std::move(code);
    diagnostic.where.file = path;
    diagnostic.message = std::move(message);
    diagnostic.remedy = std::move(remedy);
    return diagnostic;
}

Diagnostic unreadable(const std::string& path, int number) {
    return problem_with(path, "GD4004", std::string("cannot be read: ") + std::strerror(number),
                        "give galleryd read permission, or remove it");
}

Diagnostic leads_outside(const std::string& path) {
    return problem_with(path, "GD4006",
                        "is a link that leads out of the source's folder, or an absolute one, and is not followed",
                        "put the file into the folder, or use a relative link to a file inside it");
}

std::unexpected<Error> source_error(ErrorKind kind, std::string code, std::string reason, std::string message) {
    Error error{.kind = kind, .reason = std::move(reason), .message = std::move(message)};
    error.code = std::move(code);
    return std::unexpected(std::move(error));
}

std::int64_t nanoseconds(const timespec& time) {
    return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

FileStamp stamp_of(const struct stat& status) {
    return {static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino),
            static_cast<std::uint64_t>(status.st_size), nanoseconds(status.st_mtim), nanoseconds(status.st_ctim)};
}

// One walk: folders first, then the links that were met, so that a file is known by its real path where it has one.
class Walk {
  public:
    Walk(int root, const FolderLimits& limits) : root_(root), limits_(limits) {}

    Listing run() {
        visit_folder("", 0);
        for (std::size_t i = 0; i < links_.size(); ++i)
            visit_link(links_[i].first, links_[i].second);  // grows while it runs
        std::sort(listing_.files.begin(), listing_.files.end(),
                  [](const FoundFile& a, const FoundFile& b) { return a.path < b.path; });
        return std::move(listing_);
    }

    void add_entry(const std::string& path, const struct stat& status) {
        const std::string name = path.substr(path.rfind('/') + 1);
        if (!is_manifest_name(name)) return;
        if (S_ISREG(status.st_mode)) add_file(path, status);
        else
            add_problem(path, problem_with(path, "GD4007", "is not a regular file and is not opened",
                                           "replace it by a regular file, or remove it"));
    }

  private:
    void visit_folder(const std::string& path, int depth) {
        Descriptor folder = open_beneath(root_, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct stat status {};
        if (!folder.is_open() || ::fstat(folder.get(), &status) != 0) {
            if (errno != ENOENT) add_problem(path + "/", unreadable(path + "/", errno));  // ENOENT: removed meanwhile
            return;
        }
        if (!folders_.insert(Identity(status.st_dev, status.st_ino)).second) return;
        if (depth > limits_.depth_max) {
            add_problem(path + "/", problem_with(path + "/", "GD4005",
                                                 "lies deeper than " + std::to_string(limits_.depth_max) + " folders",
                                                 "move it up"));
            return;
        }
        listing_.folders.push_back(
            {path, static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino)});
        for (const std::string& name : names_in(folder, path)) {
            const std::string child = path.empty() ? name : path + "/" + name;
            if (::fstatat(folder.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
                if (errno != ENOENT && is_manifest_name(name)) add_problem(child, unreadable(child, errno));
                continue;
            }
            if (S_ISDIR(status.st_mode)) visit_folder(child, depth + 1);
            else if (S_ISLNK(status.st_mode)) links_.emplace_back(child, depth);
            else add_entry(child, status);
            if (listing_.files.size() > limits_.files_max) return;
        }
    }

    std::vector<std::string> names_in(Descriptor& folder, const std::string& path) {
        std::vector<std::string> names;
        DIR* stream = ::fdopendir(::dup(folder.get()));
        if (stream == nullptr) {
            add_problem(path + "/", unreadable(path + "/", errno));
            return names;
        }
        errno = 0;
        while (const dirent* entry = ::readdir(stream)) {
            // Hidden: ".", "..", ".git", editors' files, and the "..data" folders of mounted ConfigMaps (reached
            // through links).
            if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
            errno = 0;
        }
        if (errno != 0) add_problem(path + "/", unreadable(path + "/", errno));  // half a folder is not a folder
        ::closedir(stream);
        std::sort(names.begin(), names.end());
        return names;
    }

    void visit_link(const std::string& path, int depth) {
        const bool is_manifest = is_manifest_name(path.substr(path.rfind('/') + 1));
        const Descriptor target = open_beneath(root_, path, O_PATH | O_CLOEXEC);
        struct stat status {};
        if (!target.is_open() || ::fstat(target.get(), &status) != 0) {
            if (is_manifest)
                add_problem(path, errno == EXDEV || errno == ELOOP ? leads_outside(path) : unreadable(path, errno));
            else if (errno == EXDEV || errno == ELOOP) listing_.ignored_links.push_back(path);
            return;
        }
        if (S_ISDIR(status.st_mode)) visit_folder(path, depth + 1);
        else add_entry(path, status);
    }

    void add_file(const std::string& path, const struct stat& status) {
        if (!files_.insert(Identity(status.st_dev, status.st_ino)).second) return;
        FoundFile& file = listing_.files.emplace_back(FoundFile{path, stamp_of(status), std::nullopt});
        if (file.stamp.size > limits_.file_bytes_max) {
            file.problem = problem_with(
                path, "GD4005", "is larger than " + std::to_string(limits_.file_bytes_max) + " bytes and is not read",
                "split it");
        }
    }

    void add_problem(const std::string& path, Diagnostic problem) {
        listing_.files.push_back({path, FileStamp{}, std::move(problem)});
    }

    int root_;
    const FolderLimits& limits_;
    Listing listing_;
    std::set<Identity> folders_, files_;
    std::vector<std::pair<std::string, int>> links_;  // path, depth
};

}  // namespace

bool is_manifest_name(std::string_view name) {
    if (name.empty() || name.front() == '.' || name.front() == '#') return false;
    const std::string folded = fold_case(name);
    return folded.ends_with(".yaml") || folded.ends_with(".yml") || folded.ends_with(".json");
}

Result<std::unique_ptr<TreeReader>> TreeReader::open(const std::string& root, FolderLimits limits) {
    struct stat status {};
    std::string folder = root;
    std::string only;
    if (::stat(root.c_str(), &status) == 0 && !S_ISDIR(status.st_mode)) {
        if (!S_ISREG(status.st_mode))
            return source_error(ErrorKind::invalid, "GD4013", "InvalidSource",
                                root + " is neither a folder nor a regular file");
        const std::filesystem::path path(root);
        folder = path.has_parent_path() ? path.parent_path().string() : ".";
        only = path.filename().string();
    }
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0) return std::unique_ptr<TreeReader>(new TreeReader(descriptor, only, limits));
    const std::string text = std::strerror(errno);
    if (errno == EACCES || errno == EPERM)
        return source_error(ErrorKind::denied, "GD4002", "SourceUnreadable",
                            "folder " + root + " cannot be read: " + text +
                                ". Grant this user read and search permission; galleryd looks again by itself");
    return source_error(ErrorKind::not_ready, "GD4001", "SourceMissing",
                        "folder " + root + " is not there: " + text +
                            ". Make or mount it, and galleryd finds it by itself; or name the folder that is meant "
                            "with --source dir:PATH");
}

TreeReader::~TreeReader() { ::close(root_); }

Result<Listing> TreeReader::list() const {
    Walk walk(root_, limits_);
    Listing listing;
    if (only_.empty()) {
        listing = walk.run();
    } else {
        struct stat status {};
        const Descriptor target = open_beneath(root_, only_, O_PATH | O_CLOEXEC);
        if (!target.is_open() || ::fstat(target.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
            return source_error(ErrorKind::not_ready, "GD4001", "SourceMissing",
                                "file " + only_ + " is not there any more");
        }
        listing.files.push_back({only_, stamp_of(status), std::nullopt});  // named by hand: any name will do
    }
    std::uint64_t bytes = 0;
    for (const FoundFile& file : listing.files) bytes += file.problem ? 0 : file.stamp.size;
    if (listing.files.size() > limits_.files_max || bytes > limits_.total_bytes_max) {
        return source_error(ErrorKind::invalid, "GD4005", "SourceTooLarge",
                            "the folder holds more than " + std::to_string(limits_.files_max) + " files or " +
                                std::to_string(limits_.total_bytes_max / (1024 * 1024)) + " MiB of manifests");
    }
    return listing;
}

FileContent TreeReader::read(const FoundFile& file) const {
    FileContent content;
    const auto failed = [&](int number) {
        if (number == ENOENT || number == EXDEV) content.is_changed = true;
        else content.problem = unreadable(file.path, number);
        return content;
    };
    // First a handle that opens nothing: whatever took the file's place, no device and no FIFO is touched.
    const Descriptor handle = open_beneath(root_, file.path, O_PATH | O_CLOEXEC);
    struct stat status {};
    if (!handle.is_open() || ::fstat(handle.get(), &status) != 0) return failed(errno);
    if (!S_ISREG(status.st_mode) || stamp_of(status) != file.stamp) {
        content.is_changed = true;
        return content;
    }
    const std::string self = "/proc/self/fd/" + std::to_string(handle.get());
    const Descriptor opened(::open(self.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!opened.is_open()) return failed(errno);
    content.text.resize(file.stamp.size);
    std::size_t size = 0;
    while (size < content.text.size()) {
        const ssize_t count = ::read(opened.get(), content.text.data() + size, content.text.size() - size);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return failed(errno);
        if (count == 0) break;
        size += static_cast<std::size_t>(count);
    }
    content.is_changed =
        size != content.text.size() || ::fstat(opened.get(), &status) != 0 || stamp_of(status) != file.stamp;
    return content;
}

bool TreeReader::is_mount() const {
    struct statx status {};
    if (::statx(root_, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &status) != 0) return false;
    if ((status.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0)
        return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
    struct stat self {};
    struct stat parent {};
    return ::fstat(root_, &self) == 0 && ::fstatat(root_, "..", &parent, 0) == 0 && self.st_dev != parent.st_dev;
}

}  // namespace galleryd::folder
