#include "controller/simulator/simulator.h"

#include <sstream>

#include "controller/core/resource_id.h"
#include "controller/core/utf8.h"
#include "controller/simulator/faults.h"
#include "controller/simulator/graph.h"
#include "controller/simulator/login.h"
#include "controller/simulator/noise.h"
#include "controller/simulator/rate_limits.h"
#include "controller/simulator/router.h"
#include "controller/simulator/state_file.h"

namespace galleryd::simulator {

struct Simulator::Parts {
    Parts(Clock& clock_in, Options options)
        : clock(clock_in), world(std::move(options)), noise(world.options.seed + 1) {
        world.now = clock.now();
        start = world.now;
    }
    http::ServerResponse serve(const http::ServerRequest& request);
    Answer answer(const Call& call, Fault* fault, http::Headers& limits);
    std::optional<Answer> apply_before(const Call& call, const Fault& fault);
    void apply_after(const Call& call, const Fault& fault, Answer& answer);
    std::optional<Answer> authenticate(Call& call);
    void record(const Call& call, const Answer& answer);
    http::ServerResponse finish(const Call& call, Answer answer, const http::Headers& limits);

    Clock& clock;
    World world;
    SeededRandom noise;
    Login login;
    RateLimits limits;
    Graph graph;
    Faults faults;
    TimePoint start;
    std::vector<Mutation> history;
    std::vector<std::function<void(const Mutation&)>> listeners;
    std::string policy, principal;
    std::uint64_t requests = 0;
};

namespace {

constexpr int body_depth_max = 64;

// What the request takes of real time; nothing for sign-in.
std::chrono::milliseconds service_time_of(const World& world, const Call& call) {
    const ServiceTimes& times = world.options.service_times;
    const std::string root = call.path.folded.empty() ? "" : call.path.folded.front();
    const bool is_arm = root == "subscriptions" || root == "providers" || root == "tenants";
    if (times == ServiceTimes{} || !is_arm) return std::chrono::milliseconds{0};
    const auto simulated = service_time(times, call.method(), call.path.collection, Graph::serves(call.path));
    return std::chrono::duration_cast<std::chrono::milliseconds>(simulated / world.options.time_scale);
}

Answer unauthorized(const Call& call, const std::string& code, const std::string& message) {
    Answer answer = error_answer(401, code, message);
    answer.headers.add("WWW-Authenticate", "Bearer authorization_uri=\"" + call.base +
                                               "/72f988bf-86f1-41af-91ab-2d7cd011db47\", error=\"invalid_token\", "
                                               "error_description=\"" +
                                               message + "\"");
    return answer;
}

// A URL is text. What it creates is named by it in every list and in the saved state, which are UTF-8. (The service's
// own words for such a URL are unverified.)
std::optional<Answer> refuse_url(const Call& call) {
    const std::string target = percent_decode(call.http.target);
    std::size_t length = 0;
    for (std::string_view rest = target; !rest.empty(); rest.remove_prefix(length)) {
        char32_t point = 0;
        length = utf8_length(rest, point);
        if (length == 0 || point < 0x20 || is_forbidden_in_text(point))
            return error_answer(400, "BadRequest", "The request URL is invalid.");
    }
    return std::nullopt;
}

std::optional<Answer> parse_body(Call& call) {
    if (call.http.body.empty()) return std::nullopt;
    int deepest = 0;
    const Json::parser_callback_t measure = [&deepest](int depth, Json::parse_event_t, Json&) {
        deepest = std::max(deepest, depth);
        return true;
    };
    call.body = Json::parse(call.http.body, measure, false);
    if (!call.body.is_discarded() && deepest <= body_depth_max) return std::nullopt;
    call.body = nullptr;
    return error_answer(400, "InvalidRequestContent", "The request content was invalid and could not be deserialized.");
}

void hide_page(Answer& answer, const Call& call, const Fault& fault) {
    if (!answer.body.is_object() || !answer.body.contains("value")) return;
    if (fault.drop_page) answer.body["value"] = Json::array();
    if (fault.repeat_page) answer.body["nextLink"] = call.base + call.http.target;
}

void pad_urls(Answer& answer, std::size_t length) {
    for (const std::string_view name : {"Azure-AsyncOperation", "Location"}) {
        const std::string url = answer.headers.get(name);
        if (!url.empty() && url.size() < length)
            answer.headers.set(name, url + "&p=" + std::string(length - url.size() - 3, 'p'));
    }
}

}  // namespace

std::optional<Answer> Simulator::Parts::authenticate(Call& call) {
    const std::string given = call.http.headers.get("Authorization");
    const auto client = login.client_of(given, world.now);
    call.principal = client.value_or(given.empty() ? "" : "unknown");
    if (client || !world.options.check_tokens) return std::nullopt;
    if (given.empty() && world.options.anonymous && !call.http.tls) return std::nullopt;
    if (given.empty())
        return unauthorized(call, "AuthenticationFailed",
                            "Authentication failed. The 'Authorization' header is missing.");
    return unauthorized(call, "InvalidAuthenticationToken", "The access token is invalid or has expired.");
}

std::optional<Answer> Simulator::Parts::apply_before(const Call& call, const Fault& fault) {
    if (fault.expire_tokens) {
        login.expire_all();
        return unauthorized(call, "ExpiredAuthenticationToken", "The access token expiry UTC time has passed.");
    }
    if (!fault.foreign_id.empty()) {
        const Json patch = Json::parse(fault.foreign_patch, nullptr, false);
        Resource* const resource = world.find(fold_case(fault.foreign_id));
        if (resource != nullptr && patch.is_object()) {
            world.note_update(*resource);
            resource->previous = resource->body;
            resource->changed_at = world.now;
            merge_into(resource->body, patch);
        }
    }
    if (!fault.status) return std::nullopt;
    Answer answer = error_answer(*fault.status, fault.code.empty() ? "InjectedFault" : fault.code,
                                 fault.message.empty() ? "A fault from the faults file." : fault.message);
    if (*fault.status < 300) answer.body = Json::object();
    if (!fault.retry_after.empty()) answer.headers.add("Retry-After", fault.retry_after);
    return answer;
}

void Simulator::Parts::apply_after(const Call& call, const Fault& fault, Answer& answer) {
    hide_page(answer, call, fault);
    if (fault.long_url > 0) pad_urls(answer, fault.long_url);
    if (Operation* const operation = answer.operation.empty() ? nullptr : world.find_operation(answer.operation)) {
        operation->hangs = fault.hang_operation;
        operation->lost = fault.lose_operation;
    }
    if (!fault.stale_read || call.method() != "GET") return;
    const Resource* const resource = world.find(call.path.key);
    if (resource == nullptr) {  // a replica that has not heard of the deletion
        const Json* const before = answer.status == 404 ? world.gone_lately(call.path.key, *fault.stale_read) : nullptr;
        if (before != nullptr) {
            answer = Answer{};
            answer.body = *before;
        }
        return;
    }
    if (world.now - resource->changed_at > *fault.stale_read) return;
    if (resource->previous.is_null()) {
        answer = resource_not_found(call.path);  // it did not exist before
    } else {
        answer.body = resource->previous;
    }
}

Answer Simulator::Parts::answer(const Call& call, Fault* fault, http::Headers& limit_headers) {
    if (Graph::serves(call.path)) {  // a quota of its own, no ARM bucket
        policy = "ResourceGraphQuery";
        return graph.answer(world, call, fault);
    }
    RateLimits::Verdict verdict = limits.charge(world, call);
    policy = verdict.policy;
    limit_headers = std::move(verdict.headers);
    if (verdict.refused) return std::move(*verdict.refused);
    if (auto refused = check_request(world, call)) return std::move(*refused);
    return route(world, call);
}

void Simulator::Parts::record(const Call& call, const Answer& answer) {
    if (!answer.changed) return;
    history.push_back({.at = world.now,
                       .method = call.method(),
                       .path = call.path.text,
                       .api_version = call.api_version(),
                       .status = answer.status,
                       .operation = answer.operation,
                       .principal = call.principal,
                       .body = call.http.body});
    for (const auto& listener : listeners) listener(history.back());
}

http::ServerResponse Simulator::Parts::finish(const Call& call, Answer answer, const http::Headers& limit_headers) {
    http::ServerResponse response;
    response.status = answer.status;
    if (world.options.noise) add_noise(answer.body, noise);
    response.body = !answer.raw.empty()     ? answer.raw
                    : answer.body.is_null() ? std::string{}
                    : answer.compact        ? answer.body.dump(-1, ' ', false, Json::error_handler_t::replace)
                                            : print_pretty(answer.body);
    http::Headers& headers = response.headers;
    headers.add("Cache-Control", "no-cache");
    headers.add("Pragma", "no-cache");
    if (!response.body.empty() || answer.status == 202) {
        if (!response.body.empty() || answer.content_type.starts_with("text/"))
            headers.add("Content-Type", answer.content_type);
    }
    headers.add("Expires", "-1");
    for (const auto& [name, value] : limit_headers.fields()) headers.add(name, value);
    for (const auto& [name, value] : answer.headers.fields()) headers.set(name, value);
    const std::string id =
        answer.operation.empty() ? world.id_random.guid() : answer.operation;  // the operation's guid is the request id
    const std::string correlation = call.http.headers.get("x-ms-correlation-request-id");
    headers.add("x-ms-request-id", id);
    headers.add("x-ms-correlation-request-id", correlation.empty() ? id : correlation);
    headers.add("x-ms-routing-request-id", "SIMULATOR:" + id);
    const std::string client_id = call.http.headers.get("x-ms-client-request-id");
    if (!client_id.empty() && fold_case(call.http.headers.get("x-ms-return-client-request-id")) == "true")
        headers.add("x-ms-client-request-id", client_id);
    headers.add("Strict-Transport-Security", "max-age=31536000; includeSubDomains");
    headers.add("X-Content-Type-Options", "nosniff");
    headers.add("X-Cache", "CONFIG_NOCACHE");
    headers.add("X-MSEdge-Ref", "Ref A: " + id + " Ref B: SIMULATOR Ref C: " +
                                    format_rfc3339(std::chrono::floor<std::chrono::seconds>(world.now)));
    headers.add("Date", format_http_date(world.now));
    if (world.options.time_scale != 1) {  // no clock outside agrees with this one's dates, and none is wrong for that
        std::ostringstream scale;
        scale.precision(12);
        scale << world.options.time_scale;
        headers.add(time_scale_header, scale.str());
    }
    return response;
}

http::ServerResponse Simulator::Parts::serve(const http::ServerRequest& request) {
    ++requests;
    policy.clear();
    world.actor.clear();  // what ends now was begun long ago
    world.advance(clock.now());
    Call call{.http = request,
              .path = parse_path(request.target),
              .body = nullptr,
              .base = (request.tls ? "https://" : "http://") + request.host,
              .principal = {},
              .now = world.now};
    http::Headers limit_headers;
    Fault* const fault = faults.match(world, call, start);
    Answer answer_now;
    std::optional<Answer> early;
    if (fault != nullptr && fault->aadsts != 0) early = Login::refuse(world, call, fault->aadsts);
    if (!early) early = refuse_url(call);
    if (!early) early = login.handle(world, call);
    if (!early) early = authenticate(call);
    if (!early) early = parse_body(call);
    if (!early && fault != nullptr) early = apply_before(call, *fault);
    std::size_t injected = 0;
    if (fault != nullptr) {
        for (const std::string& region : fault->fail_regions) {
            world.region_failures.insert(world.region_failures.begin(),
                                         {.region = region, .details = fault->fail_details});
            ++injected;
        }
    }
    world.actor = principal = call.principal;
    answer_now = early ? std::move(*early) : answer(call, fault, limit_headers);
    world.region_failures.erase(world.region_failures.begin(),
                                world.region_failures.begin() + static_cast<std::ptrdiff_t>(injected));
    if (fault != nullptr) apply_after(call, *fault, answer_now);
    record(call, answer_now);
    http::ServerResponse response = finish(call, std::move(answer_now), limit_headers);
    response.delay = service_time_of(world, call);
    if (fault != nullptr) {
        response.delay += fault->delay;
        response.cut_after_bytes = fault->cut_after_bytes;
        for (const auto& [name, value] : fault->headers) response.headers.set(name, value);
    }
    return response;
}

Simulator::Simulator(Clock& clock, Options options) : parts_(std::make_unique<Parts>(clock, std::move(options))) {}
Simulator::~Simulator() = default;

http::ServerResponse Simulator::handle(const http::ServerRequest& request) {
    try {
        return parts_->serve(request);
    } catch (const std::exception& error) {  // a request of a shape that no rule expected: Azure says 500 then, too
        http::ServerResponse response;
        response.status = 500;
        Json body{{"error", Json{{"code", "InternalServerError"},
                                 {"message", std::string("The built-in Azure failed: ") + error.what()}}}};
        response.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
        response.headers.add("Content-Type", "application/json; charset=utf-8");
        return response;
    }
}

std::string Simulator::last_policy() const { return parts_->policy; }
std::string Simulator::last_principal() const { return parts_->principal; }

Status Simulator::load_state(const std::string& json) {
    parts_->world.advance(parts_->clock.now());
    parts_->world.changes.pause(true);  // what is loaded was always there
    Status loaded = simulator::load_state(parts_->world, json);
    parts_->world.changes.pause(false);
    return loaded;
}

Status Simulator::put_resource(const std::string& json) {
    parts_->world.advance(parts_->clock.now());
    return simulator::load_state(parts_->world, json);
}

std::string Simulator::save_state() const {
    parts_->world.advance(parts_->clock.now());
    return simulator::save_state(parts_->world);
}

Status Simulator::load_faults(const std::string& yaml) { return parts_->faults.load(yaml); }
const std::vector<Mutation>& Simulator::history() const { return parts_->history; }
void Simulator::on_mutation(std::function<void(const Mutation&)> listener) {
    parts_->listeners.push_back(std::move(listener));
}

std::optional<std::string> Simulator::resource(std::string_view id) {
    parts_->world.advance(parts_->clock.now());
    const Resource* const found = parts_->world.find(fold_case(id));
    if (found == nullptr) return std::nullopt;
    Json body = found->body;
    if (found->type == version_type)
        body["properties"]["replicationStatus"] = replication_status(*found, parts_->world.now);
    return body.dump();
}

std::vector<std::string> Simulator::resource_ids(std::string_view type) {
    parts_->world.advance(parts_->clock.now());
    std::vector<std::string> ids;
    for (const auto& [key, resource] : parts_->world.resources()) {
        if (resource.type == fold_case(type)) ids.push_back(resource.id);
    }
    return ids;
}

void Simulator::fail_region(RegionFailure failure) { parts_->world.region_failures.push_back(std::move(failure)); }
void Simulator::clear_region_failures() { parts_->world.region_failures.clear(); }

void Simulator::remove_resource(std::string_view id) {
    World& world = parts_->world;
    world.advance(parts_->clock.now());
    const std::string key = fold_case(id);
    std::vector<std::string> keys{key};
    for (auto at = world.resources().lower_bound(key + "/");
         at != world.resources().end() && at->first.starts_with(key + "/"); ++at)
        keys.push_back(at->first);
    for (const std::string& one : keys) world.erase(one);
}

Status Simulator::change_resource(std::string_view id, const std::string& merge_patch) {
    World& world = parts_->world;
    world.advance(parts_->clock.now());
    Resource* const found = world.find(fold_case(id));
    if (found == nullptr) return fail(ErrorKind::invalid, "StateInvalid", "there is no resource " + std::string(id));
    const Json patch = Json::parse(merge_patch, nullptr, false);
    if (!patch.is_object()) return fail(ErrorKind::invalid, "StateInvalid", "the patch is not a JSON object");
    world.note_update(*found);
    found->previous = found->body;
    found->changed_at = world.now;
    merge_into(found->body, patch);
    return {};
}

bool Simulator::is_readable(std::string_view subscription) const {
    return !parts_->world.unreadable_subscriptions.contains(fold_case(subscription));
}

void Simulator::set_readable(std::string_view subscription, bool readable) {
    parts_->world.changes.touch();
    if (readable) parts_->world.unreadable_subscriptions.erase(fold_case(subscription));
    else parts_->world.unreadable_subscriptions.insert(fold_case(subscription));
}

std::optional<TimePoint> Simulator::next_event() const { return parts_->world.next_event(); }
std::string Simulator::issue_token(std::string_view client) {
    parts_->world.advance(parts_->clock.now());
    return parts_->login.issue(parts_->world, "72f988bf-86f1-41af-91ab-2d7cd011db47", std::string(client));
}
std::uint64_t Simulator::requests() const { return parts_->requests; }

}  // namespace galleryd::simulator
