#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "controller/adapters/folder/tree_reader.h"
#include "controller/ports/clock.h"
#include "controller/ports/log.h"

namespace galleryd::folder {

// inotify on every folder of a tree, and on the root's own name in its parent (a root that is a link and gets swapped,
// or that is removed and comes back). A help only: whoever waits also looks again at an interval. Thread: the
// executor's only.
class TreeWatcher {
  public:
    TreeWatcher(boost::asio::any_io_executor executor, Clock& clock, Log& log, std::string root);
    ~TreeWatcher();
    TreeWatcher(const TreeWatcher&) = delete;
    TreeWatcher& operator=(const TreeWatcher&) = delete;

    // Watches exactly these folders from now on. When the system's limit is reached, a log line says so once (GD4012).
    void watch(const std::vector<FoundFolder>& folders);
    void watch_root_name();

    // True when something may have changed (lost events count as one), false after `interval`. Cancellable.
    boost::asio::awaitable<bool> wait(std::chrono::nanoseconds interval);
    // Forgets the events that have arrived; true when there were any that matter.
    bool drain();

    bool is_complete() const;  // every folder is watched

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace galleryd::folder
