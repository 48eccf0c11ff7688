#include "controller/simulator/graph.h"

#include <algorithm>
#include <array>

#include "controller/core/resource_id.h"
#include "controller/core/utf8.h"
#include "controller/simulator/rules.h"

namespace galleryd::simulator {
namespace {

constexpr int quota = 15;  // queries of a principal (azure-facts §7.3 [D][R])
constexpr std::chrono::seconds quota_window{5};
constexpr std::size_t page_rows_max = 1000;
constexpr std::size_t subscriptions_max = 10'000;
constexpr std::size_t recent_max = 4;  // queries whose rows are kept
// The one in the specification and those that answer the same way (azure-facts §8); the rest are older previews.
constexpr std::array<std::string_view, 7> versions{"2024-04-01",         "2022-10-01",         "2021-03-01",
                                                   "2021-06-01-preview", "2020-04-01-preview", "2019-04-01",
                                                   "2018-09-01-preview"};

std::string support_text(const World& world, const std::string& id) {
    return "Please provide below info when asking for support: timestamp = " + kql::format_datetime(world.now) +
           ", correlationId = " + id + ".";
}

// {"error": {code, message, details: […]}} as recorded (azure-facts §8).
Answer refused(World& world, int status, std::string_view code, Json details) {
    Answer answer = error_answer(status, code, support_text(world, world.id_random.guid()));
    answer.body["error"]["details"] = std::move(details);
    return answer;
}

Answer bad_request(World& world, std::string_view code, std::string message) {
    return refused(world, 400, "BadRequest", Json::array({Json{{"code", code}, {"message", std::move(message)}}}));
}

Answer syntax_error(World& world, const kql::Problem& problem) {
    Json details = Json::array();
    details.push_back(Json{{"code", "InvalidQuery"},
                           {"message",
                            "Query is invalid. Please refer to the documentation for the Azure Resource Graph service "
                            "and fix the error before retrying."}});
    details.push_back(Json{{"code", problem.code},
                           {"message", problem.message},
                           {"line", problem.line},
                           {"characterPositionInLine", problem.position},
                           {"token", problem.token},
                           {"expectedToken", problem.expected}});
    return refused(world, 400, "BadRequest", std::move(details));
}

std::string clock_text(int seconds) {  // "00:00:05"
    char text[24];
    std::snprintf(text, sizeof text, "%02d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
    return text;
}

// `least` to `most`, or a message.
std::optional<std::string> read_number(const Json& options, std::string_view name, std::size_t least, std::size_t most,
                                       std::size_t& value) {
    const Json& given = member(options, name);
    if (given.is_null()) return std::nullopt;
    const bool fits =
        given.is_number_unsigned() && given.get<std::size_t>() >= least && given.get<std::size_t>() <= most;
    if (!fits)
        return "Option '" + std::string(name) + "' must be between " + std::to_string(least) + " and " +
               std::to_string(most) + ".";
    value = given.get<std::size_t>();
    return std::nullopt;
}

std::string column_type(const kql::Rows& rows, const std::string& column) {
    for (const kql::Row& row : rows.rows) {
        const kql::Value value = kql::cell_of(rows, row, column);
        if (value.kind() == kql::Value::Kind::datetime) return "datetime";
        if (value.is_null()) continue;
        const Json& json = value.json();
        if (json.is_boolean()) return "boolean";
        if (json.is_number_integer()) return "integer";
        if (json.is_number()) return "number";
        return json.is_string() ? "string" : "object";
    }
    return "string";
}

Json print_row(const kql::Rows& rows, const kql::Row& row, bool table) {
    Json printed = table ? Json::array() : Json::object();
    for (const std::string& column : rows.columns) {
        Json cell = kql::cell_of(rows, row, column).printed();
        if (table) printed.push_back(std::move(cell));
        else printed[column] = std::move(cell);
    }
    return printed;
}

// The same rows as print_data, without a copy of every body: most answers go this way.
std::string print_rows_text(const kql::Rows& rows, std::size_t from, std::size_t to) {
    std::vector<std::string> names;
    for (const std::string& column : rows.columns) names.push_back(Json(column).dump() + ":");
    std::string text = "[";
    for (std::size_t i = from; i < to; ++i) {
        text += i == from ? "{" : ",{";
        for (std::size_t c = 0; c < names.size(); ++c) {
            const kql::Value value = kql::cell_of(rows, rows.rows[i], rows.columns[c]);
            const bool is_json = value.kind() == kql::Value::Kind::json;
            text += c == 0 ? names[c] : "," + names[c];
            text += (is_json ? value.json() : value.printed()).dump(-1, ' ', false, Json::error_handler_t::replace);
        }
        text += '}';
    }
    return text + "]";
}

Json print_data(const kql::Rows& rows, std::size_t from, std::size_t to, bool table) {
    Json data = Json::array();
    data.get_ref<Json::array_t&>().reserve(to - from);
    for (std::size_t i = from; i < to; ++i) data.push_back(print_row(rows, rows.rows[i], table));
    if (!table) return data;
    Json columns = Json::array();
    for (const std::string& column : rows.columns)
        columns.push_back(Json{{"name", column}, {"type", column_type(rows, column)}});
    return Json{{"columns", std::move(columns)}, {"rows", std::move(data)}};
}

}  // namespace

bool Graph::serves(const Path& path) { return path.type == "microsoft.resourcegraph/resources"; }

std::optional<Answer> Graph::charge(World& world, const Call& call, http::Headers& headers) {
    if (!world.options.limits) return std::nullopt;
    Window& window = windows_[call.principal];
    if (window.used == 0 || world.now >= window.start + quota_window) window = {.start = world.now, .used = 0};
    const int resets = retry_after_seconds(world, window.start + quota_window - world.now);
    const bool granted = window.used < quota;
    if (granted) ++window.used;
    const std::string left = std::to_string(quota - window.used);
    headers.add("x-ms-user-quota-remaining", left);
    headers.add("x-ms-user-quota-resets-after", clock_text(resets));
    headers.add("x-ms-ratelimit-remaining-tenant-resource-requests", left);
    if (granted) return std::nullopt;
    return refused(world, 429, "RateLimiting",
                   Json::array({Json{{"code", "RateLimiting"},
                                     {"message",
                                      "Client application has been throttled and should not attempt to repeat the "
                                      "request until an amount of time has elapsed. Please see "
                                      "https://aka.ms/resourcegraph-throttling for help."}}}));
}

Answer Graph::answer(World& world, const Call& call, Fault* fault) {
    if (call.method() != "POST") return error_answer(405, "MethodNotAllowed", "Resource Graph takes POST alone.");
    if (std::ranges::find(versions, call.api_version()) == versions.end())
        return unknown_api_version("", call.api_version(), "Microsoft.ResourceGraph/resources",
                                   "2024-04-01, 2022-10-01");
    http::Headers headers;
    Answer answer;
    if (auto throttled = charge(world, call, headers)) answer = std::move(*throttled);
    else answer = answer_query(world, call, fault);
    answer.compact = true;
    for (const auto& [name, value] : headers.fields()) answer.headers.add(name, value);
    return answer;
}

std::optional<std::pair<std::string, std::string>> Graph::read_shape(const Json& options, Shape& shape) {
    auto wrong = read_number(options, "$top", 1, page_rows_max, shape.top);
    const std::string token = text_of(options, "$skipToken");
    if (!wrong && !token.empty()) {
        const auto parsed = parse_skip_token(token);
        if (!parsed) return std::pair{"InvalidSkipToken", "The skip token is not valid."};
        shape.skip = parsed->skip;
        if (member(options, "$top").is_null()) shape.top = std::clamp<std::size_t>(parsed->rows, 1, page_rows_max);
    }
    if (!wrong) wrong = read_number(options, "$skip", 0, 2147483647, shape.skip);
    const std::string format = text_of(options, "resultFormat");
    if (!wrong && !format.empty() && format != "objectArray" && format != "table")
        wrong = "The result format '" + format + "' is not known.";
    shape.table = format == "table";
    if (wrong) return std::pair{"InvalidOptions", *wrong};
    return std::nullopt;
}

// What may not be read is left out without a word; without any name it is the whole tenant.
Graph::Scope Graph::read_scope(const World& world, const Json& subscriptions, const std::string& client) {
    std::vector<std::string> named;
    for (const Json& one : subscriptions) named.push_back(fold_case(one.is_string() ? one.get<std::string>() : ""));
    const bool tenant = named.empty();
    if (tenant) named.assign(world.subscriptions.begin(), world.subscriptions.end());
    std::ranges::sort(named);
    const auto repeated = std::ranges::unique(named);
    named.erase(repeated.begin(), repeated.end());
    Scope scope;
    for (const std::string& one : named) {
        if (one.size() != 36 || world.unreadable_subscriptions.contains(one)) continue;
        if (!world.around.shows(one, client)) continue;
        scope.subscriptions.push_back(one);
        scope.key += one + ",";
    }
    scope.nothing_readable = !tenant && scope.subscriptions.empty();
    if (scope.nothing_readable) scope.first = named.front();
    return scope;
}

Answer Graph::print_page(const kql::Rows& rows, const Shape& shape, const Fault* fault, bool may_copy_text) {
    static const Fault no_fault;
    const Fault& with = fault == nullptr ? no_fault : *fault;
    const std::size_t total = rows.rows.size() - std::min(with.graph_hide_rows, rows.rows.size());
    const std::size_t from = std::min(shape.skip, total);
    const std::size_t to = std::min(from + shape.top, total);
    const bool has_id = std::ranges::find(rows.columns, "id") != rows.columns.end();
    const bool more = to < total;
    // Paging needs the id and no limit of the query's own; without, a longer result is cut (azure-docs#50606).
    const bool cut = (more && (!has_id || rows.is_limited)) || with.graph_truncate;
    Answer answer;
    Json& body = answer.body;
    body = Json{{"totalRecords", total}, {"count", to - from}, {"data", nullptr}, {"facets", Json::array()}};
    body["resultTruncated"] = cut ? "true" : "false";
    if (with.repeat_page || (more && !cut))
        body["$skipToken"] = print_skip_token({.rows = shape.top, .skip = with.repeat_page ? from : to});
    if (may_copy_text && !shape.table && !with.drop_page && with.graph_repeat_rows == 0) {
        constexpr std::string_view place = "\"data\":null";
        answer.raw = body.dump();
        const std::size_t at = answer.raw.find(place) + place.size() - 4;
        answer.raw.replace(at, 4, print_rows_text(rows, from, to));
        return answer;
    }
    Json data = print_data(rows, from, to, shape.table);
    Json& list = shape.table ? data["rows"] : data;
    if (with.drop_page) list.clear();
    const std::size_t repeated = std::min(with.graph_repeat_rows, list.size());
    for (std::size_t i = 0; i < repeated; ++i) {
        Json again = list[i];
        list.push_back(std::move(again));
    }
    body["data"] = std::move(data);
    return answer;
}

Answer Graph::answer_query(World& world, const Call& call, Fault* fault) {
    // The codes and texts of malformed bodies and options were not recorded (unverified), their form was.
    const std::string text = text_of(call.body, "query");
    if (text.empty()) return bad_request(world, "InvalidQuery", "The query must not be empty.");
    Shape shape;
    if (const auto wrong = read_shape(member(call.body, "options"), shape))
        return bad_request(world, wrong->first, wrong->second);
    const Json& asked = member(call.body, "subscriptions");
    if (asked.size() > subscriptions_max)
        return bad_request(world, "TooManySubscriptions", "The query names too many subscriptions.");
    const Scope scope = read_scope(world, asked.is_array() ? asked : Json::array(), call.principal);
    if (scope.nothing_readable) {
        // Azure/aztfexport#331 and #475 show this message; its code is unverified.
        return bad_request(world, "NoValidSubscriptionsInQueryRequest",
                           "There must be at least one subscription that is eligible to contain resources. Given: '" +
                               scope.first + "'.");
    }
    TimePoint then = world.now;
    if (fault != nullptr && fault->graph_lag) then -= *fault->graph_lag;
    if (fault != nullptr && fault->graph_freeze) {
        if (!fault->frozen_at) fault->frozen_at = world.now;
        then = *fault->frozen_at;
    }
    Answer refusal;
    const auto done = run(world, text, scope, then, refusal);
    return done ? print_page(done->rows, shape, fault, !world.options.noise) : refusal;
}

std::shared_ptr<const Graph::Done> Graph::run(World& world, const std::string& text, const Scope& scope, TimePoint then,
                                              Answer& refusal) {
    // Rows depend on the time of the question only through ago() and now(): such queries are not reused.
    const bool timeless = text.find("ago(") == std::string::npos && text.find("now(") == std::string::npos;
    const std::string key = text + "\n" + scope.key + "\n" + world.changes.state_of_view(then);
    for (const auto& one : recent_) {
        if (timeless && one->key == key) return one;
    }
    auto parsed = kql::parse_query(text);
    if (const auto* problem = std::get_if<kql::Problem>(&parsed)) {
        refusal = syntax_error(world, *problem);
        return nullptr;
    }
    auto done = std::make_shared<Done>();
    done->key = key;
    done->query = std::move(std::get<kql::Query>(parsed));
    if (!fill_table(world, done->query, scope.subscriptions, then, change_rows_, done->rows)) {
        const std::string table = printable(done->query.table, 80);
        refusal =
            syntax_error(world, {.message = "Table " + table + " is not known.",
                                 .token = table,
                                 .expected = "resources, resourcecontainers, resourcechanges or computeresources"});
        return nullptr;
    }
    if (const auto error = kql::run(done->query, world.now, done->rows)) {
        refusal = bad_request(world, error->code, error->message);
        return nullptr;
    }
    if (recent_.size() >= recent_max) recent_.erase(recent_.begin());
    if (timeless) recent_.push_back(done);
    return done;
}

}  // namespace galleryd::simulator
