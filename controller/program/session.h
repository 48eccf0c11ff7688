#pragma once
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller/core/result.h"
#include "controller/ports/desired_source.h"
#include "controller/ports/journal.h"
#include "controller/ports/version_care.h"
#include "controller/program/azure_contact.h"
#include "controller/program/doctor/rights.h"
#include "controller/program/engine.h"
#include "controller/program/messages.h"
#include "controller/program/options.h"

namespace galleryd::telemetry {
class MetricsRegistry;
}

namespace galleryd {

enum class JournalUse : std::uint8_t {
    exclusive,  // run, demo, apply: writes, and keeps every other writer out
    read_only,  // plan: what is known, when there is a state directory; else nothing is known
    alongside,  // hold, release: writes down what it sends, also while a daemon holds the directory
};

struct SessionParts;

// Everything between the flags and the engine: clock, log, metrics, journal, Azure client, sources. One per process;
// owned by main's thread.
class Session {
  public:
    static Result<std::unique_ptr<Session>> open(CommonOptions options, JournalUse use, std::string asked_by);
    ~Session();

    boost::asio::io_context& context();
    Engine& engine();
    GalleryApi& azure();
    UsageReader& usage_reader();
    // Who the daemon asks about a gallery: its own credential where the journal names one (decision 0030).
    struct Eyes {
        GalleryApi& api;
        UsageReader& reader;
        MachineLists& lists;
        VersionCare& care;
        std::string memory;      // of who used what, the journal's; "" = none
        std::string credential;  // "images/team-a"; "" = galleryd's own
    };
    Eyes eyes_on(const ResourceId& gallery);
    MachineLists& machine_lists();
    Journal& journal();
    Clock& clock();
    Random& random();
    Log& log();
    Metrics& metrics();
    AzureContact& contact();  // whether Azure answers at all
    std::vector<DesiredSource*> sources();
    const CommonOptions& options() const;
    telemetry::MetricsRegistry& registry();
    std::string azure_url() const;  // the ARM endpoint, for people

    // Reads every source once into the engine. Problems of documents are returned; an unreadable source is an error.
    Result<std::vector<Diagnostic>> read_sources();

    // One token before anything else: a sign-in that fails is then told once, not for each scope. For plan and apply;
    // the daemon goes on and reports. Not asked for when every gallery has a credential of its own.
    Status sign_in();
    const doctor::Bearer& bearer() const;  // who signed in, as far as the token says it

    // Runs the loop until the task has ended, or SIGINT/SIGTERM interrupts it (transient "Interrupted").
    template <class T>
    Result<T> run(Task<T> task) {
        std::optional<Result<T>> outcome;
        run_until(hold(std::move(task), outcome));
        if (!outcome) return fail(ErrorKind::transient, "Interrupted", "interrupted by a signal");
        return std::move(*outcome);
    }

    // Runs the loop until the task has ended; signals are the task's business.
    void run_to_end(boost::asio::awaitable<void> task);
    // Lets what was stopped or cancelled unwind, while what it refers to still lives.
    void drain();

  private:
    explicit Session(std::unique_ptr<SessionParts> parts);
    template <class T>
    static boost::asio::awaitable<void> hold(Task<T> task, std::optional<Result<T>>& outcome) {
        outcome = co_await std::move(task);
    }
    void run_until(boost::asio::awaitable<void> task);

    std::unique_ptr<SessionParts> parts_;
};

}  // namespace galleryd
