#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "controller/adapters/http/message.h"
#include "controller/adapters/http/transport.h"

// Message heads as bytes. Fields that frame the message (Host, Content-Length, Transfer-Encoding, Connection) are ours
// alone.
namespace galleryd::http {

// What would let a caller's text break out of its place: CR, LF, blanks in the target, odd method or field names.
Status check_request(const Request& request);

void append_request(std::string& bytes, const Origin& origin, const Request& request);  // head and body

struct ResponseFraming {
    bool head_only = false;  // answer to HEAD: the length is told, the body is not sent
    bool keep_alive = true;
    std::string_view date;  // used when the handler set none
};
// Head only; the body follows, unless the status or the method forbids one.
void append_response_head(std::string& bytes, const Response& response, const ResponseFraming& framing);
bool status_has_body(int status);  // not 1xx, 204, 304

std::string_view reason_phrase(int status);

}  // namespace galleryd::http
