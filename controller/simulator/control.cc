#include "controller/simulator/control.h"

#include "controller/simulator/json.h"

namespace galleryd::simulator {
namespace {

http::ServerResponse say(int status, const Json& body) {
    http::ServerResponse response;
    response.status = status;
    response.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
    response.headers.add("Content-Type", "application/json; charset=utf-8");
    return response;
}

http::ServerResponse refuse(int status, const std::string& message) {
    return say(status, Json{{"error", Json{{"code", "ControlRefused"}, {"message", message}}}});
}

}  // namespace

std::optional<http::ServerResponse> control(Simulator& simulator, const http::ServerRequest& request) {
    if (!request.target.starts_with("/simulator/")) return std::nullopt;
    if (request.target != "/simulator/changes" || request.method != "POST")
        return refuse(404, "the door takes POST /simulator/changes alone");
    const Json body = Json::parse(request.body, nullptr, false);
    if (!body.is_object()) return refuse(400, "the body is not a JSON object");
    std::size_t changed = 0;
    for (const Json& change : member(body, "changes")) {
        const Status done = simulator.change_resource(text_of(change, "id"), member(change, "patch").dump());
        if (!done) return refuse(400, done.error().message);
        ++changed;
    }
    std::size_t removed = 0;
    for (const Json& id : member(body, "remove")) {
        if (!id.is_string() || !simulator.resource(id.get<std::string>()))
            return refuse(400, "there is no resource " + id.dump(-1, ' ', false, Json::error_handler_t::replace));
        simulator.remove_resource(id.get<std::string>());
        ++removed;
    }
    return say(200, Json{{"changed", changed}, {"removed", removed}});
}

}  // namespace galleryd::simulator
