#include "controller/program/command_run.h"

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <ostream>

#include "controller/adapters/http/server.h"
#include "controller/adapters/telemetry/health.h"
#include "controller/adapters/telemetry/ops_pages.h"
#include "controller/program/api.h"
#include "controller/program/daemon.h"
#include "controller/program/demo_estate.h"
#include "controller/program/memory_use.h"
#include "controller/program/session.h"
#include "controller/program/state_metrics.h"

namespace galleryd {
namespace {

constexpr std::chrono::milliseconds publish_pause{250};
constexpr std::chrono::seconds rest_after{2}, rest_pause{1};  // nothing was done for so long
constexpr std::chrono::minutes give_back_interval{1};         // where ten thousand scopes leave no rest

Status only_loopback(const std::string& flag, const std::string& address) {
    const std::string host = address.substr(0, address.rfind(':'));
    const bool is_address = host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos;
    if (is_address || host == "localhost" || host == "[::1]") return {};
    return wrong_usage("GD5011", flag + " " + address +
                                     " is not a loopback address, and this version has no sign-in: anybody who reaches "
                                     "it could read plans and events. Use 127.0.0.1:PORT and a port-forward.");
}

// What the daemon's process owns beside the loop: pages, metrics, checks.
struct Pages {
    telemetry::HealthState health;
    StateMetrics state;
    Api api;
    std::vector<std::unique_ptr<http::Server>> servers;
    bool dirty = true;
    bool told_of_journal = false;
};

boost::asio::awaitable<http::ServerResponse> serve_api(Pages& pages, http::ServerRequest request) {
    if (auto answer = pages.api.handle(request)) co_return std::move(*answer);
    http::ServerResponse response;
    response.status = request.target == "/" ? 200 : 404;
    response.headers = {{"Content-Type", "text/plain; charset=utf-8"},
                        {"X-Content-Type-Options", "nosniff"},
                        {"Cache-Control", "no-store"}};
    response.body =
        "galleryd\n\n/livez  /readyz?verbose  /metrics\n/api/v1/overview  galleries  definitions  versions  policies  "
        "sources  plan  retention  events\n";
    co_return response;
}

std::string page_name(const std::string& path) { return path.starts_with("/api/v1/") ? "api" : "other"; }

// A page of the internet may rebind its own name to 127.0.0.1 and read what a browser on this machine can reach: only
// requests that name this machine are answered.
bool names_this_machine(const std::string& host) {
    const std::string name =
        host.starts_with('[') ? host.substr(0, host.find(']') + 1) : host.substr(0, host.find(':'));
    return only_loopback("Host", name + ":0").has_value();
}

boost::asio::awaitable<http::ServerResponse> refuse_host() {
    http::ServerResponse response;
    response.status = 421;
    response.headers = {{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}};
    response.body = "this address answers requests for localhost, 127.0.0.1 and [::1] only\n";
    co_return response;
}

http::Handler for_this_machine(http::Handler inner) {
    return [inner = std::move(inner)](http::ServerRequest request) {
        return names_this_machine(request.host) ? inner(std::move(request)) : refuse_host();
    };
}

Status start_servers(Session& session, Pages& pages, telemetry::MetricsRegistry& registry) {
    const CommonOptions& options = session.options();
    if (const Status allowed = only_loopback("--http", options.http); !allowed) return allowed;
    telemetry::OpsPages ops{
        .health = &pages.health, .metrics = &registry, .clock = &session.clock(), .next = {}, .name_of = page_name};
    ops.next = [&pages](http::ServerRequest request) { return serve_api(pages, std::move(request)); };
    http::ServerOptions listen;
    listen.listen = options.http;
    auto server = http::start_server(session.context().get_executor(), session.clock(), listen,
                                     for_this_machine(telemetry::make_ops_handler(ops)));
    if (!server) return std::unexpected(server.error());
    pages.servers.push_back(std::move(*server));
    if (options.metrics.empty()) return {};
    ops.next = {};
    listen.listen = options.metrics;
    auto metrics =
        http::start_server(session.context().get_executor(), session.clock(), listen, telemetry::make_ops_handler(ops));
    if (!metrics) return std::unexpected(metrics.error());
    pages.servers.push_back(std::move(*metrics));
    return {};
}

void update_checks(Session& session, Daemon& daemon, Pages& pages) {
    // Once read it stays ready: what is in force goes on being reconciled, and the pages that tell what is wrong must
    // go on being reached.
    if (daemon.sources_read()) pages.health.set_ready("sources", session.engine().declared().source_trouble());
    else pages.health.set_not_ready("sources", "not every source has been read yet");
    // Once ready it stays so: pages, events and metrics, which tell that Azure is away, must go on being reached.
    const std::string trouble = session.contact().trouble();
    if (daemon.azure_seen()) pages.health.set_ready("azure", trouble);
    else
        pages.health.set_not_ready("azure",
                                   "not every scope has been looked at yet" + (trouble.empty() ? "" : "; " + trouble));
    const Status sound = session.journal().sound();
    session.metrics().set("galleryd_journal_writable", {}, sound ? 1 : 0);
    if (sound) {
        pages.health.set_ready("journal");
        return;
    }
    const Error& why = sound.error();
    const std::string text = "the state directory cannot be written; nothing is sent to Azure until galleryd is " +
                             std::string("restarted with one that can");
    pages.health.set_not_ready("journal", text + " (" + why.code + ")");
    if (!std::exchange(pages.told_of_journal, true))
        session.log().error("journal stopped", {{"code", why.code}, {"detail", why.message + "; " + text}});
}

boost::asio::awaitable<void> publish_loop(Session& session, Daemon& daemon, Pages& pages) {
    std::chrono::nanoseconds given_back{0}, worked = session.clock().monotonic();
    while (true) {
        update_checks(session, daemon, pages);
        const auto now = session.clock().monotonic();
        if (std::exchange(pages.dirty, false)) {
            pages.state.publish_touched(session.engine(), session.clock().now());
            worked = now;
        }
        const bool rests = now - worked >= rest_after;
        if ((rests && worked > given_back) || now - given_back >= give_back_interval) {
            give_back_memory();  // a look at Azure without a pass leaves its pages behind, too
            given_back = now;
        }
        co_await session.clock().sleep_for(rests ? rest_pause : publish_pause);
    }
}

boost::asio::awaitable<void> wait_for_signal(boost::asio::signal_set& signals) {
    co_await signals.async_wait(boost::asio::use_awaitable);
}

// A storm of signals must not kill the orderly end that the first one began.
void hold_back_signals() {
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ending, nullptr);
}

boost::asio::awaitable<void> daemon_main(Session& session, Daemon& daemon, Pages& pages,
                                         boost::asio::signal_set& signals, Status& outcome) {
    const auto executor = co_await boost::asio::this_coro::executor;
    outcome = daemon.start();
    if (!outcome) co_return;
    TaskGroup background(executor);
    background.spawn(publish_loop(session, daemon, pages));
    co_await wait_for_signal(signals);
    session.log().info("stopping");
    co_await background.close();
    co_await daemon.stop();
}

int serve(Session& session, telemetry::MetricsRegistry& registry, const std::string& more, std::ostream& out,
          std::ostream& err) {
    const auto intervals = parse_intervals(session.options().interval, session.options().full_interval);
    if (!intervals) return exit_with(err, intervals.error());
    Daemon daemon(session.context().get_executor(), session.engine(), session.sources(), session.clock(),
                  session.random(), session.log(), session.metrics(),
                  DaemonOptions{.interval = intervals->interval,
                                .full_interval = intervals->full,
                                .azure_is_away = [&session] { return session.contact().is_away(); }});
    session.contact().on_change = [&session](bool is_away, const std::string& text) {
        session.engine().note_contact(is_away, text);
    };
    Pages pages{.health = {},
                .state = StateMetrics(session.metrics()),
                .api = Api(session.engine(), session.journal(), session.clock()),
                .servers = {}};
    for (const char* check : {"sources", "azure", "journal"}) pages.health.require(check);
    daemon.on_pass = [&pages](const PassResult& result) {
        if (result.is_news) pages.state.touch(result.scope);
        pages.dirty = true;
    };
    if (const Status started = start_servers(session, pages, registry); !started) {
        print_error(err, started.error());
        for (const auto& server : pages.servers) server->stop();
        session.run_to_end(daemon.stop());
        return started.error().code == "GD5011" ? exit_usage : exit_error;
    }
    session.metrics().set("galleryd_build_info",
                          {{"version", GALLERYD_VERSION}, {"revision", ""}, {"compiler", __VERSION__}}, 1);
    session.metrics().set("galleryd_mode_info", {{"mode", "folder"}, {"leader_elected", "false"}}, 1);
    session.metrics().set("galleryd_sync_interval_seconds", {}, static_cast<double>(intervals->interval.count()));
    out << more << "galleryd: listening on http://" << pages.servers.front()->address() << std::endl;
    session.log().info("started", {{"version", GALLERYD_VERSION},
                                   {"azure", session.azure_url()},
                                   {"instance", session.options().instance},
                                   {"mode", session.options().observe ? "observe" : "manage"}});
    Status outcome;
    boost::asio::signal_set signals(session.context(), SIGINT, SIGTERM);
    session.run_to_end(daemon_main(session, daemon, pages, signals, outcome));
    hold_back_signals();
    for (const auto& server : pages.servers) server->stop();
    session.drain();
    if (!outcome) {
        print_error(err, outcome.error());
        return exit_error;
    }
    session.log().info("stopped");
    return exit_done;
}

}  // namespace

int run_daemon(const CommonOptions& options, std::ostream& out, std::ostream& err) {
    keep_little_memory();
    if (options.sources.empty()) {
        err << "galleryd: no source. Say where the manifests are: galleryd run --source dir:PATH (GD5012)\n";
        return exit_usage;
    }
    if (const Status allowed = only_loopback("--http", options.http); !allowed) {
        print_error(err, allowed.error());
        return exit_usage;
    }
    auto session = Session::open(options, JournalUse::exclusive, "daemon");
    if (!session) return exit_with(err, session.error());
    return serve(**session, (*session)->registry(), "", out, err);
}

int run_demo(const DemoOptions& demo, std::ostream& out, std::ostream& err) {
    auto estate = unpack_demo_estate(demo.directory);
    if (!estate) {
        print_error(err, estate.error());
        return exit_error;
    }
    CommonOptions options;
    options.sources = {"dir:" + estate->documents};
    options.azure = "simulator";
    options.credential = "none";
    options.instance = "demo";
    options.state_dir = estate->state_dir;
    options.http = demo.http;
    options.interval = "2s";
    options.allow_deletes = true;
    options.prune = true;
    options.log_format = demo.log_format;
    options.log_level = demo.log_level;
    options.time_scale = demo.time_scale;
    options.simulator_state = estate->azure_state;
    options.simulator_listen = demo.listen;
    auto session = Session::open(options, JournalUse::exclusive, "demo");
    if (!session) {
        remove_temporary(*estate);  // nobody has seen it
        print_error(err, session.error());
        return exit_error;
    }
    const std::string more = "documents (edit them and watch): " + estate->documents +
                             (estate->temporary.empty() ? "" : "   (removed at the end; to keep them: --dir)") +
                             "\nAzure simulator (ARM):           " + (*session)->azure_url() + "\n";
    const int code = serve(**session, (*session)->registry(), more, out, err);
    session->reset();  // closes the journal
    if (code == exit_done) remove_temporary(*estate);
    return code;
}

}  // namespace galleryd
