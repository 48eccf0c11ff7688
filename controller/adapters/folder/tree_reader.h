#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller/core/document.h"
#include "controller/core/result.h"

// A folder of manifests, read without ever leaving it: links that lead outside are refused (openat2 with
// RESOLVE_BENEATH), only regular files are opened, and everything has a limit (reliability A2, S5). Blocking: for the
// blocking pool.
namespace galleryd::folder {

struct FolderLimits {
    std::size_t files_max = 20'000;
    std::size_t file_bytes_max = 1024UL * 1024;
    std::size_t total_bytes_max = 256UL * 1024 * 1024;
    int depth_max = 32;
};

// Two equal stamps: the same content (the change time moves with every write, also when the modification time is put
// back).
struct FileStamp {
    std::uint64_t device = 0, inode = 0, size = 0;
    std::int64_t modified_ns = 0, changed_ns = 0;
    friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

struct FoundFile {
    std::string path;  // relative to the root; a folder that cannot be read ends in '/'
    FileStamp stamp;
    std::optional<Diagnostic> problem;  // set: its documents are unreadable, which is not the same as removed
    friend bool operator==(const FoundFile& a, const FoundFile& b) {
        return a.path == b.path && a.stamp == b.stamp && a.problem.has_value() == b.problem.has_value();
    }
};

struct FoundFolder {
    std::string path;  // "" = the root
    std::uint64_t device = 0, inode = 0;
    friend bool operator==(const FoundFolder&, const FoundFolder&) = default;
};

struct Listing {
    std::vector<FoundFile> files;            // sorted by path; each file once, however many links lead to it
    std::vector<FoundFolder> folders;        // every folder that was walked
    std::vector<std::string> ignored_links;  // lead outside and are not named like a manifest
    friend bool operator==(const Listing&, const Listing&) = default;
};

struct FileContent {
    std::string text;
    std::string digest;  // sha256_hex of it; "" where nobody has asked for one
    std::optional<Diagnostic> problem;
    bool is_changed = false;  // no longer the file of the listing: look again
};

// *.yaml, *.yml and *.json in any case; not hidden, not an editor's temporary file (~, #…#, .swp, 4913).
bool is_manifest_name(std::string_view name);

class TreeReader {
  public:
    // Pins the folder (or the single file) that `root` names now. Errors, kind not_ready or denied: GD4001 missing,
    // GD4002 no permission, GD4013 neither a folder nor a regular file.
    static Result<std::unique_ptr<TreeReader>> open(const std::string& root, FolderLimits limits);
    ~TreeReader();
    TreeReader(const TreeReader&) = delete;
    TreeReader& operator=(const TreeReader&) = delete;

    // GD4005 when there are more files or bytes than the limits: half a view is none.
    Result<Listing> list() const;
    FileContent read(const FoundFile& file) const;

    // True when the root is where a file system is mounted (STATX_ATTR_MOUNT_ROOT: bind mounts too).
    bool is_mount() const;

  private:
    TreeReader(int root, std::string only, FolderLimits limits)
        : root_(root), only_(std::move(only)), limits_(limits) {}
    int root_;
    std::string only_;  // "" = the whole folder; else the one file in it
    FolderLimits limits_;
};

// Opens `path` below `folder` by components, following links only as long as they stay below it: what openat2 does
// where the kernel or a sandbox lacks it. errno EXDEV: leads outside; ELOOP: more than 40 links. Returns -1 on error.
int open_by_components(int folder, const std::string& path, int flags);

}  // namespace galleryd::folder
