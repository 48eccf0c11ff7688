#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "controller/adapters/http/server.h"
#include "controller/core/time.h"
#include "controller/simulator/json.h"

// Internal: one request after parsing, and its answer before the common headers are added.
namespace galleryd::simulator {

// A request target, cleaned: double slashes gone, percent escapes decoded, query names lower case.
struct Path {
    std::string text, key;  // path as written, and case-folded
    std::vector<std::string> segments, folded;
    std::map<std::string, std::string> query;  // "$expand", "api-version", …
    std::string subscription, group;           // as written; "" when absent
    std::string scope;                         // what stands before the last /providers/ ("" at the root)
    std::string provider;                      // folded namespace behind the last /providers/
    std::string type;  // "microsoft.compute/galleries/images" (folded), "resourcegroups", "subscriptions", …
    std::vector<std::string> names;  // as written, one for each resource type segment that has one
    bool collection = false;         // ends with a type (list or action), not with a name
    std::string get(std::string_view name) const;
    const std::string& name() const { return segments.back(); }
};
Path parse_path(std::string_view target);
std::string percent_decode(std::string_view text, bool plus_is_blank = false);

struct Call {
    const http::ServerRequest& http;
    Path path;
    Json body;              // null when absent
    std::string base;       // "http://127.0.0.1:4480": scheme and host that the client used
    std::string principal;  // who asks; rate limits are kept per principal
    TimePoint now;
    const std::string& method() const { return http.method; }
    std::string api_version() const { return path.get("api-version"); }
};

struct Answer {
    int status = 200;
    Json body;        // null: empty body
    std::string raw;  // used instead of body when not empty
    http::Headers headers;
    std::string operation;  // guid of the operation that the request began
    bool changed = false;   // the request changed the world
    bool compact = false;   // Microsoft.Authorization and others print on one line
    std::string content_type = "application/json; charset=utf-8";
};

}  // namespace galleryd::simulator
