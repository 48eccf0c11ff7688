#include "controller/program/session.h"

#include <boost/asio/signal_set.hpp>
#include <csignal>

#include "controller/program/memory_use.h"
#include "controller/program/session_parts.h"
#include "controller/runtime/task_group.h"

namespace galleryd {
namespace {

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
    const bool asks_azure_alone = asked_by == "usage" || use == JournalUse::alongside;
    if (options.sources.empty() && !asks_azure_alone)
        return wrong_usage("GD5012", "no manifests. Name a folder or file, or --source dir:PATH");
    auto parts = std::make_unique<SessionParts>();
    parts->options = std::move(options);
    if (const Status opened = open_parts(*parts, use, asked_by); !opened) return std::unexpected(opened.error());
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
Session::Eyes Session::eyes_on(const ResourceId& gallery) {
    const CredentialChoice* const choice = parts_->gallery_credentials.find(gallery);
    const std::string name = choice == nullptr ? "" : choice->problem.empty() ? choice->name : choice->problem;
    const UsageAskers askers = choice == nullptr
                                   ? UsageAskers{.reader = parts_->inventory.get(), .lists = parts_->arm.get()}
                                   : parts_->gallery_clients->usage(*choice);
    const auto memory = journal().setting(usage_setting_of(name));
    return Eyes{.api = parts_->galleries->acting_for(gallery),
                .reader = *askers.reader,
                .lists = *askers.lists,
                .care = choice == nullptr ? *parts_->arm : parts_->gallery_clients->care(*choice),
                .memory = memory.value_or(std::string()),
                .credential = name};
}
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
    give_back_memory();  // what parsing needed on its threads goes back before planning needs its own
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
