#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller/adapters/documents/reader.h"
#include "controller/adapters/folder/tree_reader.h"
#include "controller/adapters/folder/tree_watcher.h"
#include "controller/ports/clock.h"
#include "controller/ports/desired_source.h"
#include "controller/ports/log.h"

namespace galleryd::folder {

// Runs work on the blocking pool and resumes on the caller's executor; what the work throws arrives there.
//     BlockingExecutor blocking = [&pool](std::function<void()> work) { return pool.run(std::move(work)); };
using BlockingExecutor = std::function<boost::asio::awaitable<void>(std::function<void()>)>;
// read_documents with the program's options; runs on the blocking pool.
using ParseFiles = std::function<ReadResult(std::vector<DocumentFile>)>;

struct FolderOptions {
    std::string path;  // a folder, or one file
    std::string name;  // "" = "dir:" + path
    FolderLimits limits;
    std::chrono::nanoseconds settle{
        std::chrono::milliseconds(200)};  // files modified less than this ago are looked at again
    std::chrono::nanoseconds coalesce{std::chrono::milliseconds(100)};  // an edit is seldom one event
    std::chrono::nanoseconds rescan_interval{
        std::chrono::seconds(30)};  // for file systems without inotify (NFS, some FUSE)
    std::chrono::nanoseconds restless_interval{
        std::chrono::seconds(5)};  // after a look that found something unreadable
};

// `dir:PATH`: every *.yaml, *.yml and *.json below the folder, hidden ones left out. One look is consistent: the tree
// is listed again after reading, and when anything moved (a save, a swapped ConfigMap) it is read again, at most three
// times; what still moves then is unreadable. What cannot be read is never taken for removed:
//   folder missing, no permission, limits exceeded, or its mount gone  -> Snapshot.readable = false (GD4001, 4002,
//   4005, 4003) one file, link or sub-folder cannot be read                        -> its record is `unreadable`
//   (GD4004 to GD4008) folder there but empty                                             -> readable, no objects:
//   freezing is core/source_freeze.h
// `revision` is "sha256:…" over the sorted paths and contents; nothing changed: an `unchanged` snapshot, without
// reading.
class FolderSource : public DesiredSource {
  public:
    // Everything passed by reference outlives the source.
    FolderSource(boost::asio::any_io_executor executor, Clock& clock, Log& log, BlockingExecutor blocking,
                 ParseFiles parse, FolderOptions options);

    std::string name() const override { return options_.name; }
    Task<Snapshot> look() override;
    void start_over() override { last_revision_.reset(); }
    boost::asio::awaitable<void> changed() override;

  private:
    struct Attempt;  // one round of looking
    boost::asio::awaitable<void> list_tree(std::shared_ptr<Attempt> attempt);
    boost::asio::awaitable<void> read_tree(std::shared_ptr<Attempt> attempt);
    boost::asio::awaitable<void> parse_tree(std::shared_ptr<Attempt> attempt);
    boost::asio::awaitable<void> run_blocking(std::shared_ptr<Attempt> attempt, std::function<void()> work);
    void set_aside_moving(Attempt& attempt);
    Snapshot unreadable(const Error& error) const;
    Snapshot unchanged() const;
    std::chrono::nanoseconds unsettled_for(const FileStamp& stamp) const;  // 0: settled
    std::chrono::nanoseconds longest_unsettled(const Listing& listing) const;
    void note_links(const Listing& listing);

    Clock& clock_;
    Log& log_;
    BlockingExecutor blocking_;
    ParseFiles parse_;
    FolderOptions options_;
    TreeWatcher watcher_;
    Listing last_listing_;  // of last_revision_
    std::optional<std::string> last_revision_;
    bool was_mount_ = false;    // at a good look before: a mount that is gone leaves an ordinary folder
    bool is_restless_ = false;  // the last look found something unreadable or moving
    std::vector<std::string> noted_links_;
};

}  // namespace galleryd::folder
