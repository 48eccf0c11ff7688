#pragma once
#include <boost/asio/awaitable.hpp>
#include <string>

#include "controller/core/desired.h"
#include "controller/ports/task.h"

namespace galleryd {

// Where documents come from. `look` returns one complete snapshot (or one marked unreadable: a folder that is gone is
// not an empty folder, or one that says that it is the same as before); `changed` resumes when something may have
// changed (coalesced; may resume for nothing).
class DesiredSource {
  public:
    virtual ~DesiredSource() = default;
    virtual std::string name() const = 0;  // "dir:manifests"
    virtual Task<Snapshot> look() = 0;
    virtual void start_over() {}  // the last snapshot was not taken over: the next one is not `unchanged`
    virtual boost::asio::awaitable<void> changed() = 0;  // cancellable
};

}  // namespace galleryd
