#include "controller/program/command_doctor.h"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>
#include <ostream>

#include "controller/adapters/azure/credential_certificate.h"
#include "controller/adapters/clock/system_clock.h"
#include "controller/adapters/http/client.h"
#include "controller/adapters/telemetry/log.h"
#include "controller/adapters/telemetry/metrics_registry.h"
#include "controller/program/credentials.h"
#include "controller/program/credentials_environment.h"
#include "controller/program/credentials_file.h"
#include "controller/program/doctor/checkup.h"
#include "controller/program/doctor/local_checks.h"
#include "controller/program/doctor/print.h"
#include "controller/program/estate_file.h"
#include "controller/program/messages.h"
#include "controller/program/read_paths.h"
#include "controller/program/state_directory.h"
#include "controller/runtime/task_group.h"
#include "controller/simulator/simulator.h"

namespace galleryd {
namespace {

constexpr std::chrono::seconds question_deadline{15};

// Catches what the chain of credentials says about its choice; passes everything on.
class ChoiceLog : public Log {
  public:
    explicit ChoiceLog(std::unique_ptr<Log> log) : log_(std::move(log)) {}
    void write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) override {
        if (message == "azure sign-in") {
            for (const auto& [name, value] : fields) {
                if (name == "not_used") not_used_ = value;
            }
        }
        log_->write(level, message, fields);
    }
    const std::string& not_used() const { return not_used_; }

  private:
    std::unique_ptr<Log> log_;
    std::string not_used_;
};

// In the place of a credential that could not be made: what needs no token is checked all the same, and the sign-in's
// line says why there is none.
class NoCredential : public azure::TokenProvider {
  public:
    NoCredential(std::string name, Error why) : name_(std::move(name)), why_(std::move(why)) {}
    Task<std::string> token() override { co_return std::unexpected(why_); }
    void invalidate(std::string) override {}
    std::string_view name() const override { return name_; }

  private:
    std::string name_;
    Error why_;
};

// Everything between the flags and the questions; destroyed in the opposite order.
struct Practice {
    SystemClock clock;
    boost::asio::io_context context{1};
    std::unique_ptr<ChoiceLog> log;
    std::unique_ptr<telemetry::MetricsRegistry> metrics;
    std::unique_ptr<simulator::Simulator> azure;
    std::unique_ptr<http::Transport> transport;
    std::unique_ptr<azure::TokenProvider> credential;
};

Status open_log(Practice& practice, const CommonOptions& options) {
    // The table is the report; what the adapters log on the way only matters to somebody who asks for it.
    const bool is_default = options.log_level == CommonOptions{}.log_level;
    const auto level = telemetry::parse_log_level(is_default ? "error" : options.log_level);
    const auto format = telemetry::parse_log_format(options.log_format.empty() ? "text" : options.log_format);
    if (!level || !format)
        return wrong_usage("GD5013", "--log-format or --log-level: write text or json; debug, info, warning or error");
    practice.log = std::make_unique<ChoiceLog>(telemetry::make_log(
        {.format = *format, .level = *level, .descriptor = 2, .now = [&practice] { return practice.clock.now(); }}));
    practice.metrics = telemetry::make_metrics({.log = practice.log.get()});
    return {};
}

Status open_simulator(Practice& practice, const CommonOptions& options) {
    simulator::Options how;
    how.anonymous = true;
    practice.azure = std::make_unique<simulator::Simulator>(practice.clock, how);
    if (!options.simulator_state.empty()) {
        const auto estate = read_estate(options.simulator_state);
        if (!estate) return std::unexpected(estate.error());
        if (const Status loaded = practice.azure->load_state(*estate); !loaded) return loaded;
    }
    practice.transport = std::make_unique<simulator::InProcessTransport>(*practice.azure, practice.clock);
    return {};
}

doctor::SignInSetting sign_in_setting(const std::string& credential) {
    doctor::SignInSetting setting{.credential = credential,
                                  .tenant_id = environment_value("AZURE_TENANT_ID"),
                                  .client_id = environment_value("AZURE_CLIENT_ID"),
                                  .certificate_path = environment_value("AZURE_CLIENT_CERTIFICATE_PATH"),
                                  .token_file = environment_value("AZURE_FEDERATED_TOKEN_FILE"),
                                  .issuer = {},
                                  .subject = {},
                                  .audience = {}};
    if (setting.token_file.empty()) return setting;
    const auto content = read_credential_file({.path = setting.token_file, .bytes_max = 32UL * 1024});
    if (!content) return setting;
    if (const auto workload = azure::find_workload(content->reveal())) {
        setting.issuer = workload->issuer;
        setting.subject = workload->subject;
        setting.audience = workload->audience;
    }
    return setting;
}

std::optional<doctor::Finding> look_at_certificate(const doctor::SignInSetting& setting, TimePoint now) {
    if (setting.certificate_path.empty() || !environment_value("AZURE_CLIENT_SECRET").empty()) return std::nullopt;
    const auto content = read_credential_file({.path = setting.certificate_path, .bytes_max = 256UL * 1024});
    if (!content) return std::nullopt;  // the sign-in says it
    const auto certificate = azure::ClientCertificate::parse(
        *content, azure::Secret(environment_value("AZURE_CLIENT_CERTIFICATE_PASSWORD")));
    if (!certificate || certificate->not_after() <= now) return std::nullopt;  // the same
    return doctor::judge_certificate(setting, certificate->not_after(), now);
}

Status check_flags(const CommonOptions& options) {
    if (!(options.arm_share > 0 && options.arm_share <= 1))
        return wrong_usage("GD5021", "--arm-share: write a number above 0 and at most 1");
    if (options.azure.find('@') != std::string::npos)  // not shown: it may hold a password
        return wrong_usage("GD5004",
                           "--azure: the address has a name or a password before its host; write it without.");
    return {};
}

struct Documents {
    doctor::Finding finding;
    DesiredObjects objects;
};

Result<Documents> read_named_documents(const CommonOptions& options, TimePoint now) {
    std::vector<std::string> paths;
    for (const std::string& source : options.sources) {
        if (!source.starts_with("dir:") || source.size() == 4)
            return wrong_usage("GD5017", "--source " + source +
                                             ": write dir:PATH (git and kubernetes sources come with later versions)");
        paths.push_back(source.substr(4));
    }
    const auto files = paths.empty() ? Result<std::vector<DocumentFile>>{} : read_paths(paths);
    Result<ReadResult> read = ReadResult{};
    if (!files) read = std::unexpected(files.error());
    else read = read_documents(*files, {.now = now});
    Documents documents{.finding = doctor::judge_documents(paths, read, !paths.empty()), .objects = {}};
    if (read) documents.objects = std::move(read->objects);
    return documents;
}

// Runs the checkup to its end; SIGINT and SIGTERM cancel it.
boost::asio::awaitable<void> hold(Task<std::vector<doctor::Finding>> task,
                                  std::optional<Result<std::vector<doctor::Finding>>>& outcome) {
    outcome = co_await std::move(task);
}

Result<std::vector<doctor::Finding>> run_checkup(Practice& practice, doctor::Checkup& checkup) {
    std::optional<Result<std::vector<doctor::Finding>>> outcome;
    boost::asio::cancellation_signal cancel;
    boost::asio::signal_set signals(practice.context, SIGINT, SIGTERM);
    signals.async_wait([&](const boost::system::error_code& error, int) {
        if (!error) cancel.emit(boost::asio::cancellation_type::terminal);
    });
    std::exception_ptr failure;
    boost::asio::co_spawn(practice.context, hold(checkup.run(), outcome),
                          boost::asio::bind_cancellation_slot(cancel.slot(), [&](const std::exception_ptr& error) {
                              failure = error;
                              practice.context.stop();
                          }));
    practice.context.run();
    practice.context.restart();
    practice.context.poll();  // what was cancelled unwinds while what it refers to still lives
    if (failure && !is_cancellation(failure)) std::rethrow_exception(failure);
    if (!outcome) return fail(ErrorKind::transient, "Interrupted", "interrupted by a signal");
    return std::move(*outcome);
}

// As text each finding is printed as soon as it is known, so that who waits sees where it hangs and who interrupts
// keeps what was found; JSON is one document at the end.
class Report {
  public:
    Report(const DoctorOptions& options, std::ostream& out) : options_(options), out_(out) {}

    void say(const doctor::Finding& finding) const {
        if (options_.output == "json") return;
        doctor::print_line(out_, finding);
        out_.flush();
    }
    void add(doctor::Finding finding) {
        say(finding);
        findings_.push_back(std::move(finding));
    }
    int end(std::vector<doctor::Finding> said = {}) {
        std::ranges::move(said, std::back_inserter(findings_));
        if (options_.output == "json") doctor::print_json(out_, findings_, options_.common.azure);
        else doctor::print_counts(out_, findings_);
        return doctor::count(findings_).failed == 0 ? exit_done : exit_error;
    }

  private:
    const DoctorOptions& options_;
    std::ostream& out_;
    std::vector<doctor::Finding> findings_;
};

// What has to be there before Azure can be asked: CA file and credential. A finding when there is no way to ask at all.
Result<std::optional<doctor::Finding>> open_azure(Practice& practice, const CommonOptions& options, const Cloud& cloud,
                                                  const doctor::SignInSetting& setting) {
    if (!practice.azure) {
        auto client = http::make_client(practice.context.get_executor(), practice.clock,
                                        http::ClientOptions{.ca_file = options.azure_ca_file});
        if (!client)
            return doctor::failed(
                "endpoint", options.azure, client.error().message,
                {"openssl x509 -in " + options.azure_ca_file + " -noout -subject    # must print a name"}, "GD3009");
        practice.transport = std::move(*client);
    }
    auto credential = make_credential(options.credential, cloud, *practice.transport, practice.clock, *practice.log,
                                      *practice.metrics);
    if (!credential && credential.error().reason == "WrongUsage" && credential.error().code != "GD5005")
        return std::unexpected(credential.error());
    if (credential) practice.credential = std::move(*credential);
    else practice.credential = std::make_unique<NoCredential>(setting.credential, credential.error());
    return std::nullopt;
}

}  // namespace

int run_doctor(const DoctorOptions& options, std::ostream& out, std::ostream& err) {
    CommonOptions common = options.common;
    Practice practice;
    if (const Status opened = open_log(practice, common); !opened) return exit_with(err, opened.error());
    if (const Status right = check_flags(common); !right) return exit_with(err, right.error());
    auto documents = read_named_documents(common, practice.clock.now());
    if (!documents) return exit_with(err, documents.error());
    if (common.azure == "simulator") {
        if (const Status opened = open_simulator(practice, common); !opened) return exit_with(err, opened.error());
        if (common.credential == "default") common.credential = "none";
    }
    const auto cloud = find_cloud(practice.azure ? "http://127.0.0.1" : common.azure);
    if (!cloud) return exit_with(err, cloud.error());
    const std::string state = common.state_dir.empty() ? default_state_directory() : common.state_dir;
    const doctor::SignInSetting setting = sign_in_setting(common.credential);
    auto obstacle = open_azure(practice, common, *cloud, setting);
    if (!obstacle) return exit_with(err, obstacle.error());  // a wrong use: before the first line
    Report report(options, out);
    report.add(std::move(documents->finding));
    report.add(doctor::look_at_state_directory(state));
    if (auto certificate = look_at_certificate(setting, practice.clock.now())) report.add(std::move(*certificate));
    if (*obstacle) {
        report.add(std::move(**obstacle));
        for (doctor::Finding& finding : doctor::not_checked("Azure cannot be asked")) report.add(std::move(finding));
        return report.end();
    }
    azure::ArmOptions arm{.arm = cloud->arm, .deadline = question_deadline, .share = common.arm_share};
    arm.read_worth = azure::Worth::person;
    doctor::Questions questions(*practice.transport, *practice.credential, practice.clock, *practice.log,
                                *practice.metrics, std::move(arm));
    const auto tell = [&report, &practice](doctor::Finding& finding) {
        const bool is_chosen = finding.check == "sign-in" && finding.verdict == doctor::Verdict::ok;
        if (is_chosen && !practice.log->not_used().empty())
            finding.measured += "; not used: " + practice.log->not_used();
        report.say(finding);
    };
    doctor::Checkup checkup(questions, *practice.credential, practice.clock,
                            {.endpoint = {.url = http::to_string(cloud->arm), .ca_file = common.azure_ca_file},
                             .sign_in = setting,
                             .needs = doctor::find_needs(documents->objects, {.observe = common.observe,
                                                                              .allow_deletes = common.allow_deletes}),
                             .on_finding = tell});
    auto found = run_checkup(practice, checkup);
    if (!found) return exit_with(err, found.error());
    return report.end(std::move(*found));
}

}  // namespace galleryd
