#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "controller/adapters/http/stream.h"
#include "controller/adapters/http/transport.h"
#include "controller/ports/clock.h"

namespace galleryd::http {

struct ConnectorOptions {
    std::string ca_file;
    std::chrono::milliseconds deadline{10'000};
};

// Name look-up, TCP and TLS, together within the deadline. Several addresses are tried one after the other, each with
// its share of the time, so that a dead one does not use it all.
class Connector {
  public:
    static Result<std::unique_ptr<Connector>> make(boost::asio::any_io_executor executor, Clock& clock,
                                                   ConnectorOptions options);
    ~Connector();
    Task<std::unique_ptr<Stream>> connect(Origin origin);

  private:
    struct Impl;
    explicit Connector(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace galleryd::http
