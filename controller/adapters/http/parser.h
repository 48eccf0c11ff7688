#pragma once
#include <boost/asio/buffer.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "controller/adapters/http/message.h"

// HTTP/1.1 parsing, fed with bytes from any stream. Beast is in parser.cc only.
namespace galleryd::http {

// Bytes that were read and not parsed yet. Compacts and grows by itself; the parsers' limits bound it.
class InputBuffer {
  public:
    boost::asio::mutable_buffer prepare();  // room for the next read, at least 4 KiB
    void commit(std::size_t count) { end_ += count; }
    boost::asio::const_buffer data() const { return {bytes_.data() + begin_, end_ - begin_}; }
    void consume(std::size_t count) { begin_ += count; }
    bool empty() const { return begin_ == end_; }

  private:
    std::vector<char> bytes_;
    std::size_t begin_ = 0, end_ = 0;
};

struct ParserLimits {
    std::size_t header_bytes_max = 64UL * 1024;
    std::size_t body_bytes_max = 16UL * 1024 * 1024;
};

enum class ParseState : std::uint8_t { more, complete, malformed, header_too_large, body_too_large, truncated };

// One answer. Interim answers (1xx) are skipped.
class ResponseParser {
  public:
    ResponseParser(ParserLimits limits, bool answers_head);
    ~ResponseParser();
    ParseState feed(InputBuffer& input);  // consumes what belongs to this message
    // The stream has ended: complete only for an answer without a length that may end that way and an orderly end.
    ParseState finish(bool orderly);
    bool may_reuse_connection() const;  // after `complete`
    Response take();
    std::string problem() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

class RequestParser {
  public:
    explicit RequestParser(ParserLimits limits);
    ~RequestParser();
    ParseState feed(InputBuffer& input);
    bool got_some() const;  // any byte of this request arrived
    bool wants_continue();  // "Expect: 100-continue" and no body yet; true once
    bool keep_alive() const;
    Request take();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace galleryd::http
