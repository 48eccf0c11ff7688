#include "controller/program/session.h"

#include <malloc.h>
#include <unistd.h>

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>
#include <ostream>
#include <sstream>

#include "controller/adapters/azure/arm_client.h"
#include "controller/adapters/azure/resource_graph.h"
#include "controller/adapters/clock/system_clock.h"
#include "controller/adapters/clock/zone_files.h"
#include "controller/adapters/documents/parsed_cache.h"
#include "controller/adapters/documents/reader.h"
#include "controller/adapters/folder/folder_source.h"
#include "controller/adapters/http/client.h"
#include "controller/adapters/journal/journal.h"
#include "controller/adapters/telemetry/log.h"
#include "controller/adapters/telemetry/metrics_registry.h"
#include "controller/core/digest.h"
#include "controller/program/build_id.h"
#include "controller/program/credential_folder.h"
#include "controller/program/credentials.h"
#include "controller/program/estate_file.h"
#include "controller/program/gallery_apis.h"
#include "controller/program/gallery_clients.h"
#include "controller/program/prices.h"
#include "controller/program/state_directory.h"
#include "controller/program/wall_clock.h"
#include "controller/runtime/blocking_pool.h"
#include "controller/runtime/task_group.h"
#include "controller/simulator/face.h"
#include "controller/simulator/simulator.h"

namespace galleryd {

// In the order in which they are made; destroyed the other way round, the loop last but for the clocks.
struct SessionParts {
    CommonOptions options;
    SystemClock system_clock;
    SystemRandom random;
    std::unique_ptr<simulator::ScaledClock> simulated_clock;
    std::unique_ptr<WallClock> wall_clock;
    std::unique_ptr<WorldClock> world_clock;
    boost::asio::io_context context{1};
    std::unique_ptr<Log> log;
    std::unique_ptr<telemetry::MetricsRegistry> metrics;
    std::unique_ptr<BlockingPool> pool;
    std::unique_ptr<Journal> journal;
    std::unique_ptr<simulator::Simulator> azure;
    std::unique_ptr<simulator::Face> azure_server;
    std::unique_ptr<AzureContact> contact;
    std::unique_ptr<WatchedTransport> transport;
    std::unique_ptr<azure::TokenProvider> credential;
    std::unique_ptr<azure::ArmClient> arm;
    std::unique_ptr<CredentialFolder> gallery_secrets;
    GalleryCredentials gallery_credentials;
    std::unique_ptr<GalleryClients> gallery_clients;
    std::unique_ptr<GalleryApis> galleries;
    std::unique_ptr<azure::ResourceGraph> inventory;
    std::unique_ptr<Engine> engine;
    std::vector<std::unique_ptr<DesiredSource>> sources;
    std::string azure_url;
    doctor::Bearer bearer;

    Clock& clock() { return wall_clock ? static_cast<Clock&>(*wall_clock) : system_clock; }
    Clock& engine_clock() { return world_clock ? static_cast<Clock&>(*world_clock) : system_clock; }
};

namespace {

constexpr int parse_threads = 2;
constexpr std::size_t command_requests_max = 32;  // on the wire at once, of a command that somebody waits for

Status open_log(SessionParts& parts) {
    std::string format = parts.options.log_format;
    if (format.empty()) format = ::isatty(STDERR_FILENO) == 1 ? "text" : "json";
    const auto log_format = telemetry::parse_log_format(format);
    const auto level = telemetry::parse_log_level(parts.options.log_level);
    if (!log_format) return wrong_usage("GD5013", "--log-format " + format + ": write text or json");
    if (!level)
        return wrong_usage("GD5013",
                           "--log-level " + parts.options.log_level + ": write debug, info, warning or error");
    parts.log = telemetry::make_log(telemetry::LogOptions{
        .format = *log_format, .level = *level, .descriptor = 2, .now = [&parts] { return parts.clock().now(); }});
    parts.metrics = telemetry::make_metrics(telemetry::MetricsOptions{.log = parts.log.get()});
    return {};
}

Status open_state(SessionParts& parts, JournalUse use) {
    if (parts.options.state_dir.empty()) parts.options.state_dir = default_state_directory();
    journal::OpenReport report;
    journal::JournalOptions options{
        .directory = parts.options.state_dir, .now = parts.clock().now(), .report = &report};
    options.read_only = use == JournalUse::read_only;
    auto opened = journal::open_journal(options);
    if (!opened && use == JournalUse::read_only) {  // nothing is known yet: plan as a first start would
        options.read_only = false;
        options.in_memory = true;
        opened = journal::open_journal(options);
    }
    if (!opened) return std::unexpected(opened.error());
    parts.journal = std::move(*opened);
    if (!report.notice.empty())
        parts.log->warning("state directory", {{"code", report.notice_code}, {"detail", report.notice}});
    return {};
}

simulator::Options simulator_options(const CommonOptions& options) {
    simulator::Options made;
    made.time_scale = std::strtod(options.time_scale.c_str(), nullptr);
    made.anonymous = true;
    return made;
}

// --azure simulator: a server of this process on a loopback port; from here on it is an endpoint like any other.
Status start_simulator(SessionParts& parts) {
    parts.azure = std::make_unique<simulator::Simulator>(*parts.simulated_clock, simulator_options(parts.options));
    if (!parts.options.simulator_state.empty()) {
        const auto estate = read_estate(parts.options.simulator_state);
        if (!estate) return std::unexpected(estate.error());
        if (const Status loaded = parts.azure->load_state(*estate); !loaded) return loaded;
    }
    simulator::FaceOptions face;
    face.listen = parts.options.simulator_listen;
    auto server = simulator::Face::start(parts.context.get_executor(), *parts.azure, parts.system_clock,
                                         *parts.simulated_clock, face, {});
    if (!server) return std::unexpected(server.error());
    parts.azure_server = std::move(*server);
    parts.azure_url = parts.azure_server->urls().front();
    return {};
}

Status open_clock(SessionParts& parts) {
    if (parts.options.azure != "simulator") return {};
    char* end = nullptr;
    const double scale = std::strtod(parts.options.time_scale.c_str(), &end);
    if (end == parts.options.time_scale.c_str() || *end != '\0' || !(scale > 0) || scale > 1'000'000) {
        return wrong_usage("GD5015",
                           "--time-scale " + parts.options.time_scale + ": write a number above 0 and at most 1000000");
    }
    parts.simulated_clock = std::make_unique<simulator::ScaledClock>(parts.system_clock, scale);
    parts.wall_clock = std::make_unique<WallClock>(*parts.simulated_clock, parts.system_clock);
    parts.world_clock = std::make_unique<WorldClock>(*parts.simulated_clock, parts.system_clock);
    return {};
}

// Somebody waits for what `plan` and `apply` read; a daemon's looks may take their time.
bool is_command(std::string_view asked_by) { return asked_by == "plan" || asked_by == "apply" || asked_by == "usage"; }

Status open_azure(SessionParts& parts, std::string_view asked_by) {
    const double share = parts.options.arm_share;
    if (!(share > 0 && share <= 1)) {
        std::ostringstream text;
        text << "--arm-share " << share
             << ": write a number above 0 and at most 1; 0.5 leaves half of each budget to others";
        return wrong_usage("GD5021", text.str());
    }
    if (parts.options.azure == "simulator") {
        if (const Status started = start_simulator(parts); !started) return started;
        if (parts.options.credential == "default") parts.options.credential = "none";
    }
    if (parts.options.azure.find('@') != std::string::npos) {  // not shown: it may hold a password
        return wrong_usage("GD5004",
                           "--azure: the address has a name or a password before its host; write it without. "
                           "Credentials come from --credential and the environment.");
    }
    const auto cloud = find_cloud(parts.azure_url.empty() ? parts.options.azure : parts.azure_url);
    if (!cloud) return std::unexpected(cloud.error());
    parts.azure_url = http::to_string(cloud->arm);
    http::ClientOptions client{.ca_file = parts.options.azure_ca_file};
    if (is_command(asked_by)) client.connections_per_origin_max = command_requests_max;
    auto transport = http::make_client(parts.context.get_executor(), parts.system_clock, std::move(client));
    if (!transport) return std::unexpected(transport.error());
    parts.contact = std::make_unique<AzureContact>(parts.clock(), *parts.log);
    parts.transport = std::make_unique<WatchedTransport>(std::move(*transport), *parts.contact);
    parts.transport->watch(cloud->arm);
    parts.transport->watch(cloud->login);
    auto credential =
        make_credential(parts.options.credential, *cloud, *parts.transport, parts.clock(), *parts.log, *parts.metrics);
    if (!credential) return std::unexpected(credential.error());
    parts.credential = std::move(*credential);
    azure::ArmOptions arm{.arm = cloud->arm, .share = parts.options.arm_share};
    if (parts.simulated_clock) arm.time_scale = std::strtod(parts.options.time_scale.c_str(), nullptr);
    if (is_command(asked_by)) {
        arm.read_worth = azure::Worth::person;
        arm.in_flight_max = command_requests_max;
    }
    parts.inventory =
        std::make_unique<azure::ResourceGraph>(*parts.transport, *parts.credential, parts.clock(), *parts.log,
                                               *parts.metrics, azure::GraphOptions{.arm = arm});
    parts.arm = std::make_unique<azure::ArmClient>(*parts.transport, *parts.credential, parts.clock(), *parts.log,
                                                   *parts.metrics, arm);
    parts.gallery_secrets = std::make_unique<CredentialFolder>(parts.options.credentials_dir);
    parts.gallery_clients =
        std::make_unique<GalleryClients>(GalleryClientParts{.sign_in = {.store = *parts.gallery_secrets,
                                                                        .transport = *parts.transport,
                                                                        .clock = parts.clock(),
                                                                        .log = *parts.log,
                                                                        .metrics = *parts.metrics},
                                                            .cloud = *cloud,
                                                            .arm = std::move(arm),
                                                            .gate = parts.arm->gate()});
    GalleryClients& clients = *parts.gallery_clients;
    parts.galleries = std::make_unique<GalleryApis>(
        *parts.arm, parts.gallery_credentials,
        [&clients](const CredentialChoice& choice) -> GalleryApi& { return clients.api(choice); });
    return {};
}

// One file a source, in the state directory: its documents as they were parsed last. Who only plans finds, and keeps
// nothing.
ParsedCache parsed_cache(const SessionParts& parts, const std::string& source, JournalUse use) {
    const std::string name = "parsed-" + sha256_hex(source).substr(0, 16) + ".cache";
    return {parts.options.state_dir + "/" + name, build_id(),
            use == JournalUse::exclusive ? ParsedCache::Use::read_write : ParsedCache::Use::read_only};
}

Status open_sources(SessionParts& parts, JournalUse use) {
    parts.pool = std::make_unique<BlockingPool>(2);
    const folder::BlockingExecutor blocking = [pool = parts.pool.get()](std::function<void()> work) {
        return pool->run(std::move(work));
    };
    for (const std::string& source : parts.options.sources) {
        if (!source.starts_with("dir:") || source.size() == 4) {
            return wrong_usage("GD5017", "--source " + source +
                                             ": write dir:PATH (git and kubernetes sources come with later versions)");
        }
        folder::FolderOptions folder;
        folder.path = source.substr(4);
        folder.name = source;
        const folder::ParseFiles parse_files = [&parts, source, use](std::vector<DocumentFile> files) {
            ParsedCache cache = parsed_cache(parts, source, use);
            return read_documents(std::move(files), ReadOptions{.threads = parse_threads, .cache = &cache});
        };
        parts.sources.push_back(std::make_unique<folder::FolderSource>(parts.context.get_executor(), parts.system_clock,
                                                                       *parts.log, blocking, parse_files, folder));
    }
    return {};
}

Status open_engine(SessionParts& parts, JournalUse use, std::string asked_by) {
    auto prices = load_prices(parts.options.prices.empty() ? std::nullopt : std::optional(parts.options.prices));
    if (!prices) return std::unexpected(prices.error());
    EngineOptions options;
    options.instance = parts.options.instance;
    options.asked_by = std::move(asked_by);
    options.observe = parts.options.observe;
    options.allow_deletes = parts.options.allow_deletes;
    options.prune = parts.options.prune;
    options.remember_documents = use == JournalUse::exclusive;
    options.prices = std::move(*prices);
    options.source_count = parts.options.sources.size();
    options.zone_offset = zone_offset;
    const auto intervals = parse_intervals(parts.options.interval, parts.options.full_interval);
    if (!intervals) return std::unexpected(intervals.error());
    options.drift_interval = intervals->interval;
    options.full_interval = intervals->full;
    if (options.instance.empty() || options.instance.find_first_of("/ \t\r\n") != std::string::npos) {
        return wrong_usage("GD5018",
                           "--instance `" + options.instance +
                               "`: write a name without blanks and slashes; it becomes part of the owner tag");
    }
    options.galleries_have_credentials = !parts.options.credentials_dir.empty();
    parts.engine = std::make_unique<Engine>(*parts.galleries, *parts.journal, parts.engine_clock(), *parts.log,
                                            *parts.metrics, std::move(options));
    parts.engine->use_usage(*parts.inventory, parts.arm.get());
    parts.engine->use_inventory(*parts.inventory);
    GalleryClients& clients = *parts.gallery_clients;
    parts.engine->use_credentials(
        parts.gallery_credentials,
        {.usage = [&clients](const CredentialChoice& choice) { return clients.usage(choice); },
         .changed = [&clients] { return clients.changed(); }});
    return parts.engine->load();
}

// "GD4002 folder … cannot be read: …": the code goes where codes stand.
std::unexpected<Error> unreadable_source(const Snapshot& snapshot) {
    const std::string& reason = snapshot.unreadable_reason;
    constexpr std::size_t code_size = 6;
    const bool has_code = reason.starts_with("GD") && reason.size() > code_size && reason[code_size] == ' ';
    return wrong_usage(has_code ? reason.substr(0, code_size) : "GD4001",
                       snapshot.source + ": " + (has_code ? reason.substr(code_size + 1) : reason));
}

}  // namespace

Result<std::unique_ptr<Session>> Session::open(CommonOptions options, JournalUse use, std::string asked_by) {
    if (options.sources.empty() && asked_by != "usage")  // asks Azure alone
        return wrong_usage("GD5012", "no manifests. Name a folder or file, or --source dir:PATH");
    auto parts = std::make_unique<SessionParts>();
    parts->options = std::move(options);
    if (const Status opened = open_clock(*parts); !opened) return std::unexpected(opened.error());
    if (const Status opened = open_log(*parts); !opened) return std::unexpected(opened.error());
    if (const Status opened = open_sources(*parts, use); !opened) return std::unexpected(opened.error());
    if (const Status opened = open_azure(*parts, asked_by); !opened) return std::unexpected(opened.error());
    if (const Status opened = open_state(*parts, use); !opened) return std::unexpected(opened.error());
    if (const Status opened = open_engine(*parts, use, std::move(asked_by)); !opened)
        return std::unexpected(opened.error());
    return std::unique_ptr<Session>(new Session(std::move(parts)));
}

Session::Session(std::unique_ptr<SessionParts> parts) : parts_(std::move(parts)) {}
Session::~Session() {
    if (parts_->azure_server) parts_->azure_server->stop();
    drain();
}

void Session::drain() {
    parts_->context.restart();
    parts_->context.poll();
}

boost::asio::io_context& Session::context() { return parts_->context; }
Engine& Session::engine() { return *parts_->engine; }
GalleryApi& Session::azure() { return *parts_->arm; }
MachineLists& Session::machine_lists() { return *parts_->arm; }
UsageReader& Session::usage_reader() { return *parts_->inventory; }
Journal& Session::journal() { return *parts_->journal; }
Clock& Session::clock() { return parts_->clock(); }
Random& Session::random() { return parts_->random; }
Log& Session::log() { return *parts_->log; }
Metrics& Session::metrics() { return *parts_->metrics; }
AzureContact& Session::contact() { return *parts_->contact; }
telemetry::MetricsRegistry& Session::registry() { return *parts_->metrics; }
const doctor::Bearer& Session::bearer() const { return parts_->bearer; }
const CommonOptions& Session::options() const { return parts_->options; }
std::string Session::azure_url() const { return parts_->azure_url; }

std::vector<DesiredSource*> Session::sources() {
    std::vector<DesiredSource*> sources;
    for (const auto& source : parts_->sources) sources.push_back(source.get());
    return sources;
}

Result<std::vector<Diagnostic>> Session::read_sources() {
    std::vector<Diagnostic> problems;
    for (const auto& source : parts_->sources) {
        auto snapshot = run(source->look());
        if (!snapshot) return std::unexpected(snapshot.error());
        if (!snapshot->readable) return unreadable_source(*snapshot);
        if (snapshot->documents.empty() && parts_->options.sources.size() == 1) {
            return wrong_usage(
                "GD1094",
                snapshot->source +
                    " holds no manifest of galleryd.io; nothing was planned. Name the folder with your *.yaml files.");
        }
        const auto found = snapshot->problems();
        problems.insert(problems.end(), found.begin(), found.end());
        const auto accepted = parts_->engine->accept(std::move(*snapshot));
        if (!accepted) return std::unexpected(accepted.error());
    }
    for (const std::string& claim : parts_->engine->double_claims()) {
        problems.push_back({.code = "GD1030",
                            .severity = Severity::error,
                            .where = {.file = "sources", .line = 0, .column = 0},
                            .field = "",
                            .message = claim,
                            .remedy = ""});
    }
    ::malloc_trim(0);  // what parsing needed on its threads goes back before planning needs its own
    return problems;
}

Status Session::sign_in() {
    if (parts_->engine->needs_no_credential()) return {};  // each gallery's own tells by itself
    const auto token = run(parts_->credential->token());
    if (!token) return std::unexpected(token.error());
    if (const auto identity = azure::find_token_identity(*token))
        parts_->bearer = {.object_id = identity->object_id, .app_id = identity->app_id, .is_user = identity->is_user};
    return {};
}

void Session::run_to_end(boost::asio::awaitable<void> task) {
    std::exception_ptr failure;
    parts_->context.restart();
    boost::asio::co_spawn(parts_->context, std::move(task), [&](const std::exception_ptr& error) {
        failure = error;
        parts_->context.stop();
    });
    parts_->context.run();
    if (failure) std::rethrow_exception(failure);
}

void Session::run_until(boost::asio::awaitable<void> task) {
    boost::asio::cancellation_signal cancel;
    boost::asio::signal_set signals(parts_->context, SIGINT, SIGTERM);
    signals.async_wait([&](const boost::system::error_code& error, int) {
        if (!error) cancel.emit(boost::asio::cancellation_type::terminal);
    });
    std::exception_ptr failure;
    parts_->context.restart();
    boost::asio::co_spawn(parts_->context, std::move(task),
                          boost::asio::bind_cancellation_slot(cancel.slot(), [&](const std::exception_ptr& error) {
                              failure = error;
                              parts_->context.stop();
                          }));
    parts_->context.run();
    if (failure && !is_cancellation(failure)) std::rethrow_exception(failure);
}

}  // namespace galleryd
