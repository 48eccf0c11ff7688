#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "controller/adapters/http/parser.h"
#include "controller/adapters/http/server.h"
#include "controller/adapters/http/stream.h"

namespace galleryd::http {

// What all sessions of a server share; kept alive by each of them.
struct ServerContext {
    ServerContext(Clock& time, ServerOptions with, Handler answer)
        : clock(time), options(std::move(with)), handler(std::move(answer)) {}

    Clock& clock;
    ServerOptions options;
    Handler handler;
    std::string local_address;
    bool tls = false;
    bool stopping = false;

    std::string_view http_date();  // formatted once a second

  private:
    std::chrono::sys_seconds date_second_{};
    std::string date_;
};

// One connection: requests one after the other until an end, an error, a fault or the stop of the server.
class Session {
  public:
    static constexpr std::chrono::nanoseconds no_deadline = std::chrono::nanoseconds::max();

    Session(std::shared_ptr<ServerContext> context, std::unique_ptr<Stream> stream)
        : context_(std::move(context)), stream_(std::move(stream)) {}

    boost::asio::awaitable<void> run();
    void close() { stream_->close(); }
    bool is_idle() const { return idle_; }                           // between requests
    std::chrono::nanoseconds deadline() const { return deadline_; }  // of the current I/O; none while a handler works
    boost::asio::cancellation_signal& signal() { return signal_; }

  private:
    enum class Next { handle, reject, end };
    struct Incoming {
        Next next = Next::end;
        int status = 0;  // for reject
        bool keep_alive = false;
        ServerRequest request;
    };

    void start_deadline();
    boost::asio::awaitable<Incoming> read_request();
    boost::asio::awaitable<ServerResponse> call_handler(ServerRequest request);
    boost::asio::awaitable<bool> write_answer(ServerResponse response, bool head_only, bool keep_alive);
    boost::asio::awaitable<void> reject(int status);

    std::shared_ptr<ServerContext> context_;
    std::unique_ptr<Stream> stream_;
    boost::asio::cancellation_signal signal_;
    InputBuffer input_;
    std::string output_;  // reused
    std::chrono::nanoseconds deadline_ = no_deadline;
    bool idle_ = true;
};

}  // namespace galleryd::http
