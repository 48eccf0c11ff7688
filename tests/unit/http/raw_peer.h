#pragma once
#include <boost/asio/io_context.hpp>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "controller/ports/clock.h"
#include "controller/ports/task.h"

// Peers that speak bytes, for everything that a well-behaved one never does.
namespace galleryd::test {

struct Reply {
    std::string bytes{};
    bool close_after = false;
    bool one_byte_a_second = false;
    bool silent = false;          // reads, never answers
    bool reset_after = false;     // then RST instead of FIN
    bool before_request = false;  // does not wait for a request head
};

// Answers the n-th request head (over all connections) with the n-th reply, the last one again and again.
class RawServer {
  public:
    RawServer(boost::asio::io_context& io, Clock& clock, std::vector<Reply> replies);
    ~RawServer();
    std::string address() const;
    const std::string& received() const;  // everything, of all connections
    int requests() const;
    int connections() const;       // accepted
    int open_connections() const;  // not yet ended

    struct State;

  private:
    std::shared_ptr<State> state_;
};

// Sends `bytes`, then reads until the server closes; or, with `until`, until that text has arrived.
Task<std::string> talk_task(int port, std::string bytes, std::string until);
std::string talk(boost::asio::io_context& io, int port, std::string bytes, std::string until = "");

Task<bool> as_task(boost::asio::awaitable<void> task);

}  // namespace galleryd::test
