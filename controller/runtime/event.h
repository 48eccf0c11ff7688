#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>

namespace galleryd {

// A notification between coroutines of the loop's thread, without polling. Auto-reset: one `set` lets one `wait`
// through, at once or later; several `set` before a `wait` count as one. Waiters are served in order of arrival. A
// waiter that is cancelled in the moment it is woken returns normally and is cancelled at its next await. Thread: the
// io_context's only. Requires: nobody waits any more when it is destroyed.
class Event {
  public:
    explicit Event(boost::asio::any_io_executor executor);
    ~Event();
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    void set();
    // Cancellable: throws boost::system::system_error(operation_aborted).
    boost::asio::awaitable<void> wait();

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace galleryd
