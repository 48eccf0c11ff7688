#include "controller/program/command_simulate.h"

#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "controller/adapters/clock/system_clock.h"
#include "controller/adapters/http/tls_authority.h"
#include "controller/program/estate_file.h"
#include "controller/simulator/face.h"
#include "controller/simulator/simulator.h"

namespace galleryd {
namespace {

int complain(const std::string& text, const char* code, int exit = 1) {
    std::fprintf(stderr, "galleryd: %s (%s, see `galleryd explain %s`)\n", text.c_str(), code, code);
    return exit;
}

std::optional<std::string> read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return std::nullopt;
    return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
}

// Whole or not at all: a crash while writing leaves the old file.
bool write_file(const std::string& path, const std::string& text, mode_t mode) {
    const std::string fresh = path + ".new";
    const mode_t before = ::umask(static_cast<mode_t>(0777 & ~mode));
    std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
    ::umask(before);
    file << text;
    file.close();
    if (!file) return false;
    std::error_code error;
    std::filesystem::rename(fresh, path, error);
    return !error;
}

struct Certificate {
    std::string chain_pem, key_pem;
};

// Made on the first start; later starts use the same, so that clients need to trust it once.
Result<Certificate> certificate_of(const std::string& directory, TimePoint now) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    const std::string ca = directory + "/ca.pem";
    const std::string chain = directory + "/server.pem";
    const std::string key = directory + "/server-key.pem";
    const auto old_chain = read_file(chain);
    const auto old_key = read_file(key);
    if (old_chain && old_key && std::filesystem::exists(ca))
        return Certificate{.chain_pem = *old_chain, .key_pem = *old_key};
    const auto made = http::make_tls_authority(now);
    if (!made) return std::unexpected(made.error());
    const bool written = write_file(key, made->key_pem, 0600) && write_file(chain, made->chain_pem, 0644) &&
                         write_file(ca, made->ca_pem, 0644);
    if (!written) return fail(ErrorKind::invalid, "FileUnwritable", "cannot write the certificate to " + directory);
    return Certificate{.chain_pem = made->chain_pem, .key_pem = made->key_pem};
}

int check_usage(const SimulateOptions& options) {
    if (options.limits != "azure" && options.limits != "none")
        return complain("--limits must be azure or none, not '" + options.limits + "'", "GD5002", 64);
    if (!(options.time_scale > 0) || options.time_scale > 1e6)
        return complain("--time-scale must be above 0 and at most 1000000", "GD5015", 64);
    if (options.persist && options.state.empty()) return complain("--persist needs --state FILE", "GD5002", 64);
    if (!options.listen_tls.empty() && options.tls_dir.empty())
        return complain("--listen-tls needs --tls-dir DIR", "GD5002", 64);
    if (options.listen.empty() && options.listen_tls.empty())
        return complain("nothing to listen on: leave --listen out, or name HOST:PORT", "GD5002", 64);
    if (!options.listen.empty() && !simulator::is_loopback(options.listen))
        return complain("--listen " + options.listen +
                            ": plain HTTP is for loopback addresses only; use 127.0.0.1:PORT or --listen-tls",
                        "GD5011", 64);
    return 0;
}

// How the simulated Azure is to behave; a message about a wrong flag.
Result<simulator::Options> simulator_options(const SimulateOptions& options) {
    simulator::Options how;
    how.limits = options.limits == "azure";
    how.time_scale = options.time_scale;
    how.anonymous = true;
    how.noise = options.noise;
    const auto times = simulator::parse_service_times(options.service_times);
    if (!times) return fail(ErrorKind::invalid, "WrongUsage", "--service-times: " + times.error().message);
    how.service_times = *times;
    const auto lasts = parse_duration(options.operation_time);
    if (!options.operation_time.empty() && !lasts)
        return fail(ErrorKind::invalid, "WrongUsage",
                    "--operation-time " + options.operation_time + ": write 7m or 90s");
    if (lasts)
        how.operation_length = [lasts](std::string_view, std::string_view) { return std::optional<Duration>(*lasts); };
    const auto lag = parse_duration(options.graph_lag);
    if (!options.graph_lag.empty() && !lag)
        return fail(ErrorKind::invalid, "WrongUsage", "--graph-lag " + options.graph_lag + ": write 0s, 30s or 5m");
    if (lag) how.graph_lag = how.graph_change_lag = *lag;
    return how;
}

int load_files(const SimulateOptions& options, simulator::Simulator& azure) {
    if (!options.state.empty()) {
        const auto text = read_file(options.state);
        if (!text && !options.persist)
            return complain("cannot read the state file " + options.state + "; with --persist a missing one is made",
                            "GD5014");
        if (text) {
            if (const Status right = check_estate_keys(options.state, *text); !right)
                return complain(right.error().message, right.error().code.c_str(), 64);
            const auto loaded = azure.load_state(*text);
            if (!loaded) return complain(options.state + ": " + loaded.error().message, "GD5028");
        }
    }
    if (!options.faults.empty()) {
        const auto text = read_file(options.faults);
        if (!text) return complain("cannot read the faults file " + options.faults, "GD5014");
        const auto loaded = azure.load_faults(*text);
        if (!loaded) return complain(options.faults + ": " + loaded.error().message, "GD5029");
    }
    return 0;
}

}  // namespace

int run_simulate(const SimulateOptions& options) {
    if (const int wrong = check_usage(options); wrong != 0) return wrong;
    const auto how = simulator_options(options);
    if (!how) return complain(how.error().message, "GD5002", 64);
    SystemClock real;
    simulator::ScaledClock simulated(real, options.time_scale);
    simulator::Simulator azure(simulated, *how);
    if (const int wrong = load_files(options, azure); wrong != 0) return wrong;
    simulator::FaceOptions where{.listen = options.listen,
                                 .listen_tls = options.listen_tls,
                                 .certificate_chain_pem = {},
                                 .private_key_pem = {},
                                 .control = options.control};
    if (!options.listen_tls.empty()) {
        const auto certificate = certificate_of(options.tls_dir, real.now());
        if (!certificate) return complain(certificate.error().message, "GD5014");
        where.certificate_chain_pem = certificate->chain_pem;
        where.private_key_pem = certificate->key_pem;
    }
    std::ofstream log;
    std::function<void(const std::string&)> log_line;
    if (!options.log_requests.empty()) {
        log.open(options.log_requests, std::ios::app);
        if (!log) return complain("cannot write the request log " + options.log_requests, "GD5014");
        log_line = [&log](const std::string& line) { log << line << '\n' << std::flush; };
    }
    boost::asio::io_context io(1);
    auto face = simulator::Face::start(io.get_executor(), azure, real, simulated, where, log_line);
    if (!face) return complain(face.error().message, face.error().code.empty() ? "GD5027" : face.error().code.c_str());
    boost::asio::signal_set signals(io, SIGINT, SIGTERM);
    signals.async_wait([&io](const boost::system::error_code& error, int) {
        if (!error) io.stop();
    });
    for (const std::string& url : (*face)->urls()) std::printf("galleryd: listening on %s\n", url.c_str());
    std::fflush(stdout);
    io.run();
    (*face)->stop();
    if (options.persist && !write_file(options.state, azure.save_state(), 0644))
        return complain("cannot write the state file " + options.state, "GD5014");
    return 0;
}

}  // namespace galleryd
