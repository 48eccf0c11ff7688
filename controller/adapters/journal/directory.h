#pragma once
#include <memory>
#include <string>

#include "controller/core/result.h"
#include "controller/core/time.h"

// The state directory itself: made, locked, and a damaged database moved out of the way.
namespace galleryd::journal {

// Makes the directory and its missing parents (0700). GD4106 when it cannot be made or is something else.
Status make_state_directory(const std::string& directory);
bool is_directory_writable(const std::string& directory);

// Held until destruction; the kernel drops it when the process ends, however it ends.
class DirectoryLock {
  public:
    // GD4101 with the holder's process id when another one has it.
    static Result<std::unique_ptr<DirectoryLock>> take(const std::string& directory);
    ~DirectoryLock();
    DirectoryLock(const DirectoryLock&) = delete;
    DirectoryLock& operator=(const DirectoryLock&) = delete;

  private:
    explicit DirectoryLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_;
};

// Makes the file when missing and sets mode 0600; SQLite gives -wal and -shm the same. GD4106 when it is not a regular
// file.
Status prepare_database_file(const std::string& path);
// The same question about a file that is only read: nothing is made, and a pipe in its place is not waited for. GD4106.
Status check_database_file(const std::string& path);
bool is_empty_file(const std::string& path);  // a regular file without a byte
// Renames path and path-wal to path.corrupt-<time>[-wal], removes -shm, keeps the newest five of them. Returns the new
// path.
Result<std::string> move_aside(const std::string& path, TimePoint now);

}  // namespace galleryd::journal
