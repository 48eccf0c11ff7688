#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "controller/adapters/http/server.h"
#include "controller/simulator/simulator.h"

namespace galleryd::simulator {

struct FaceOptions {
    std::string listen;                                  // plain HTTP; loopback only; empty: none
    std::string listen_tls;                              // HTTPS; empty: none
    std::string certificate_chain_pem, private_key_pem;  // with listen_tls
    bool control = false;                                // the door of control.h stands open
};

// The HTTP face of a simulator: the same server code as the daemon's. Everything on the executor's one thread.
class Face {
  public:
    // `log_line` gets one JSON line (without line end) for every answered request: {"time", "method", "path",
    // "apiVersion", "status", "ms", "policy", "bytes", "simulatedTime"}; it may be empty. `ms`: what the answer cost
    // this process, without any service time; `bytes`: of its body. `real` is the clock of the machine,
    // for sockets and `time`. Errors: `invalid` ListenFailed; `invalid` ListenRefused when plain HTTP would be
    // reachable from outside.
    static Result<std::unique_ptr<Face>> start(boost::asio::any_io_executor executor, Simulator& simulator, Clock& real,
                                               Clock& simulated, FaceOptions options,
                                               std::function<void(const std::string&)> log_line);
    std::vector<std::string> urls() const;  // "http://127.0.0.1:4480", "https://127.0.0.1:4443"
    void stop();

  private:
    Face() = default;
    std::unique_ptr<http::Server> plain_, tls_;
};

bool is_loopback(const std::string& listen);  // 127.0.0.0/8, [::1] or localhost, with a port

}  // namespace galleryd::simulator
