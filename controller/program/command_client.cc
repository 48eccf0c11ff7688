#include "controller/program/command_client.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>
#include <ostream>

#include "controller/adapters/clock/system_clock.h"
#include "controller/core/resource_id.h"
#include "controller/core/time.h"
#include "controller/program/api_client.h"
#include "controller/program/messages.h"

namespace galleryd {
namespace {

using Json = nlohmann::json;
using Row = std::vector<std::string>;

const std::map<std::string, std::string>& kind_paths() {
    static const std::map<std::string, std::string> paths{{"all", "objects"},
                                                          {"galleries", "galleries"},
                                                          {"gallery", "galleries"},
                                                          {"gal", "galleries"},
                                                          {"definitions", "definitions"},
                                                          {"definition", "definitions"},
                                                          {"imagedefinitions", "definitions"},
                                                          {"imagedefinition", "definitions"},
                                                          {"imgdef", "definitions"},
                                                          {"versions", "versions"},
                                                          {"version", "versions"},
                                                          {"imageversions", "versions"},
                                                          {"imageversion", "versions"},
                                                          {"imgver", "versions"},
                                                          {"policies", "policies"},
                                                          {"policy", "policies"},
                                                          {"lifecyclepolicies", "policies"},
                                                          {"lifecyclepolicy", "policies"},
                                                          {"lcpol", "policies"},
                                                          {"sources", "sources"},
                                                          {"source", "sources"}};
    return paths;
}

std::string text_at(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found == object.end() || found->is_null() ? ""
           : found->is_string()                      ? found->get<std::string>()
                                                     : found->dump();
}

const Json* condition(const Json& item, const std::string& type) {
    for (const Json& candidate : item.value("conditions", Json::array())) {
        if (text_at(candidate, "type") != type) continue;
        for (const Json& same : item.at("conditions")) {
            if (text_at(same, "type") == type) return &same;
        }
    }
    return nullptr;
}

void print_table(std::ostream& out, const std::vector<Row>& rows) {
    std::vector<std::size_t> widths;
    for (const Row& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            out << row[i];
            if (i + 1 < row.size()) out << std::string(widths[i] - row[i].size() + 3, ' ');
        }
        out << '\n';
    }
}

Row object_row(const Json& item, bool wide) {
    const Json* ready = condition(item, "Ready");
    const Json summary = item.value("summary", Json::object());
    Row row{text_at(item, "kind") + "/" + text_at(item, "namespace") + "/" + text_at(item, "name"),
            ready == nullptr ? "Unknown" : text_at(*ready, "status"),
            ready == nullptr ? "" : text_at(*ready, "reason"),
            text_at(summary, "version"),
            text_at(summary, "regions"),
            text_at(summary, "progress"),
            text_at(summary, "lifecycle")};
    if (wide) row.push_back(ready == nullptr ? "" : text_at(*ready, "message"));
    return row;
}

std::optional<Json> find_object(const Json& body, const std::string& wanted) {
    const std::string folded = fold_case(wanted);
    for (const Json& item : body.at("items")) {
        const std::string kind = text_at(item, "kind"), space = text_at(item, "namespace"),
                          name = text_at(item, "name");
        for (const std::string& spelling :
             {kind + "/" + space + "/" + name, kind + "/" + name, space + "/" + name, name, text_at(item, "address")}) {
            if (fold_case(spelling) == folded) return item;
        }
    }
    return std::nullopt;
}

int usage_error(std::ostream& err, const std::string& text) {
    err << "galleryd: " << text << "\n";
    return exit_usage;
}

}  // namespace

int run_get(const ClientOptions& options, std::ostream& out, std::ostream& err) {
    const std::string what = options.what.empty() ? "all" : options.what;
    const std::string kind = what.substr(0, what.find('/'));
    const auto path = kind_paths().find(fold_case(kind));
    if (path == kind_paths().end())
        return usage_error(
            err, "unknown kind `" + kind + "`. Kinds: galleries, definitions, versions, policies, sources, all.");
    const auto body = fetch_json(options.server, "/api/v1/" + path->second);
    if (!body) {
        print_error(err, body.error());
        return exit_error;
    }
    Json items = body->at("items");
    if (what.find('/') != std::string::npos) {
        const auto one = find_object(*body, what.substr(what.find('/') + 1));
        if (!one) {
            err << "galleryd: " << what << " is not declared. `galleryd get " << kind << "` lists what is.\n";
            return exit_error;
        }
        items = Json::array({*one});
    }
    if (options.output == "json") {
        out << Json{{"format_version", "1.0"},
                    {"kind", "List"},
                    {"observed_at", body->at("observed_at")},
                    {"items", items}}
                   .dump(2)
            << "\n";
        return exit_done;
    }
    std::vector<Row> rows;
    if (path->second == "sources") {
        rows.push_back({"SOURCE", "READY", "VALID", "INVALID", "HELD BACK", "REVISION", "MESSAGE"});
        for (const Json& item : items) {
            std::string message = text_at(item, "unreadableReason") + text_at(item, "frozen");
            if (message.empty() && !item.at("problems").empty())
                message = item.at("problems").front().get<std::string>();
            rows.push_back({text_at(item, "name"), item.at("ready").get<bool>() ? "True" : "False",
                            text_at(item, "valid"), text_at(item, "invalid"), text_at(item, "heldBack"),
                            text_at(item, "revision").substr(0, 19), message});
        }
    } else {
        rows.push_back({"NAME", "READY", "STATUS", "VERSION", "REGIONS", "PROGRESS", "LIFECYCLE"});
        if (options.output == "wide") rows.front().push_back("MESSAGE");
        for (const Json& item : items) rows.push_back(object_row(item, options.output == "wide"));
    }
    print_table(out, rows);
    return exit_done;
}

int run_events(const ClientOptions& options, std::ostream& out, std::ostream& err) {
    const auto body = fetch_json(options.server, "/api/v1/events?limit=1000");
    if (!body) {
        print_error(err, body.error());
        return exit_error;
    }
    std::vector<Json> events;
    for (const Json& event : body->at("items")) {
        if (options.for_object.empty() || text_at(event, "object").find(options.for_object) != std::string::npos)
            events.push_back(event);
    }
    const auto limit = static_cast<std::size_t>(std::max(1, options.limit));
    if (events.size() > limit) events.erase(events.begin(), events.end() - static_cast<std::ptrdiff_t>(limit));
    if (options.output == "json") {
        out << Json{{"format_version", "1.0"}, {"kind", "EventList"}, {"items", events}}.dump(2) << "\n";
        return exit_done;
    }
    const auto now = parse_rfc3339(text_at(*body, "now")).value_or(TimePoint{});
    std::vector<Row> rows{{"LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"}};
    for (const Json& event : events) {
        const auto at = parse_rfc3339(text_at(event, "at"));
        rows.push_back({at ? format_relative(*at, now) : "", text_at(event, "type"), text_at(event, "reason"),
                        text_at(event, "object"), text_at(event, "message")});
    }
    print_table(out, rows);
    return exit_done;
}

namespace {

void pause(Clock& clock, std::chrono::milliseconds duration) {
    boost::asio::io_context context;
    auto sleep = clock.sleep_for(duration);
    boost::asio::co_spawn(context, std::move(sleep), [](const std::exception_ptr&) {});
    context.run();
}

enum class WaitState : std::uint8_t { waiting, reached, stalled };

WaitState judge(const std::optional<Json>& item, const std::string& condition_text, std::string& message) {
    if (!item) return WaitState::waiting;
    if (const Json* ready = condition(*item, "Ready")) message = text_at(*ready, "message");
    if (condition_text == "deleted") return WaitState::waiting;  // it is there; see tell_gone
    if (const Json* stalled = condition(*item, "Stalled"); stalled != nullptr && text_at(*stalled, "status") == "True")
        return WaitState::stalled;
    if (condition_text.starts_with("replicated=")) {
        const std::string region = fold_case(condition_text.substr(11));
        for (const Json& candidate : item->value("regions", Json::array())) {
            if (text_at(candidate, "name") == region && text_at(candidate, "state") == "Completed")
                return WaitState::reached;
        }
        return WaitState::waiting;
    }
    const Json* ready = condition(*item, "Ready");
    return ready != nullptr && text_at(*ready, "status") == "True" ? WaitState::reached : WaitState::waiting;
}

// Nothing of that name is declared or waits for its deletion. Only the daemon's last event of it says that it was
// deleted: an older one may be of an earlier resource of that name.
int tell_gone(const ClientOptions& options, const std::string& address, std::ostream& out, std::ostream& err) {
    const auto events = fetch_json(options.server, "/api/v1/events?limit=1000");
    if (!events) {
        print_error(err, events.error());
        return exit_error;
    }
    const std::string wanted = address.empty() ? options.what.substr(options.what.find('/') + 1) : address;
    std::string last;
    for (const Json& event : events->at("items")) {  // oldest first
        const std::string reason = text_at(event, "reason");
        if (text_at(event, "object") == wanted && (reason == "Created" || reason == "Adopted" || reason == "Deleted"))
            last = reason;
    }
    if (last == "Deleted") {
        out << options.what << " condition met: deleted\n";
        return exit_done;
    }
    err << "galleryd: " << options.what << " is not declared"
        << (address.empty()
                ? ", and no event says that it was deleted. `galleryd get all` lists what the daemon knows.\n"
                : " any more, and it was not deleted: galleryd left it in Azure.\n");
    return address.empty() ? exit_error : exit_approval;
}

}  // namespace

int run_wait(const ClientOptions& options, std::ostream& out, std::ostream& err) {
    if (options.condition != "ready" && options.condition != "deleted" &&
        !options.condition.starts_with("replicated=")) {
        return usage_error(err, "--for takes ready, replicated=REGION or deleted, not `" + options.condition + "`");
    }
    const auto timeout = parse_duration_flag("--timeout", options.timeout);
    if (!timeout) {
        print_error(err, timeout.error());
        return exit_usage;
    }
    const std::size_t slash = options.what.find('/');
    const auto path = kind_paths().find(fold_case(options.what.substr(0, slash)));
    if (slash == std::string::npos || path == kind_paths().end() || path->second == "sources") {
        return usage_error(err,
                           "wait takes KIND/NAME with one of the kinds gallery, definition, version, policy; not `" +
                               options.what + "`");
    }
    const std::string name = options.what.substr(slash + 1);
    SystemClock clock;
    const auto began = clock.monotonic();
    std::string message, address;
    while (true) {
        const auto body = fetch_json(options.server, "/api/v1/" + path->second);
        if (!body) {
            print_error(err, body.error());
            return exit_error;
        }
        const auto item = find_object(*body, name);
        if (item) address = text_at(*item, "address");
        if (!item && options.condition == "deleted") return tell_gone(options, address, out, err);
        switch (judge(item, options.condition, message)) {
            case WaitState::reached:
                out << options.what << " condition met: " << options.condition << "\n";
                return exit_done;
            case WaitState::stalled:
                err << "galleryd: " << options.what << " is stalled: " << message << "\n";
                return exit_approval;
            case WaitState::waiting: break;
        }
        if (clock.monotonic() - began > *timeout) {
            err << "galleryd: timed out after " << options.timeout << " waiting for " << options.what << " to be "
                << options.condition << ": " << (item ? message : "it is not declared") << "\n";
            return exit_gate;
        }
        pause(clock, std::chrono::milliseconds{250});
    }
}

}  // namespace galleryd
