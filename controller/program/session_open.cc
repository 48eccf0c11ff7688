#include <unistd.h>

#include <sstream>

#include "controller/adapters/clock/zone_files.h"
#include "controller/adapters/documents/parsed_cache.h"
#include "controller/adapters/documents/reader.h"
#include "controller/adapters/folder/folder_source.h"
#include "controller/adapters/http/client.h"
#include "controller/adapters/journal/journal.h"
#include "controller/adapters/telemetry/log.h"
#include "controller/core/digest.h"
#include "controller/program/build_id.h"
#include "controller/program/credentials.h"
#include "controller/program/estate_file.h"
#include "controller/program/prices.h"
#include "controller/program/session_parts.h"
#include "controller/program/state_directory.h"

namespace galleryd {
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

bool only_looks(const SessionParts& parts, JournalUse use) {
    return use == JournalUse::read_only || (use == JournalUse::exclusive && parts.options.observe);
}

void tell_about_journal(const SessionParts& parts, const std::string& code, const std::string& detail) {
    parts.log->warning("state directory", {{"code", code}, {"detail", detail}});
}

// Who only looks goes on without a journal (reliability R14), as at a first start; what is wrong is said, once.
Status know_nothing(SessionParts& parts, const Error& why) {
    auto opened = journal::open_journal({.directory = {}, .in_memory = true, .now = parts.clock().now()});
    if (!opened) return std::unexpected(opened.error());
    parts.journal = std::move(*opened);
    if (why.code == "GD4107") return {};  // no daemon has been here: nothing is wrong
    tell_about_journal(parts, why.code,
                       why.message +
                           "; looking on without it, so what only the journal knows (which documents were "
                           "removed, what was approved) is missing here");
    return {};
}

Status open_state(SessionParts& parts, JournalUse use) {
    if (parts.options.state_dir.empty()) parts.options.state_dir = default_state_directory();
    journal::OpenReport report;
    journal::JournalOptions options{
        .directory = parts.options.state_dir, .now = parts.clock().now(), .report = &report};
    options.read_only = use == JournalUse::read_only;
    options.beside_a_daemon = use == JournalUse::alongside;
    auto opened = journal::open_journal(options);
    if (!opened && use == JournalUse::alongside && opened.error().code == "GD4107") {  // none yet: it is made
        options.beside_a_daemon = false;
        opened = journal::open_journal(options);
    }
    if (!opened && only_looks(parts, use) && opened.error().code != "GD4101")
        return know_nothing(parts, opened.error());
    if (!opened) return std::unexpected(opened.error());
    parts.journal = std::move(*opened);
    if (!report.notice.empty()) tell_about_journal(parts, report.notice_code, report.notice);
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
bool is_command(std::string_view asked_by) { return asked_by != "daemon" && asked_by != "demo"; }

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
    options.reconcile_held_back = !is_command(asked_by);
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

}  // namespace

Status open_parts(SessionParts& parts, JournalUse use, const std::string& asked_by) {
    if (const Status opened = open_clock(parts); !opened) return opened;
    if (const Status opened = open_log(parts); !opened) return opened;
    if (const Status opened = open_sources(parts, use); !opened) return opened;
    if (const Status opened = open_azure(parts, asked_by); !opened) return opened;
    if (const Status opened = open_state(parts, use); !opened) return opened;
    Status loaded = open_engine(parts, use, asked_by);
    // Who looks has not checked every row, and this one is read when the plan is under way.
    if (const auto approvals = parts.journal->approvals(); loaded && !approvals)
        loaded = std::unexpected(approvals.error());
    if (loaded || !loaded.error().code.starts_with("GD41") || !only_looks(parts, use)) return loaded;
    if (const Status opened = know_nothing(parts, loaded.error()); !opened) return opened;
    return open_engine(parts, use, asked_by);
}

}  // namespace galleryd
