#include "controller/program/command_plan.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <ostream>

#include "controller/core/steps.h"
#include "controller/program/diagnostic_text.h"
#include "controller/program/patience.h"
#include "controller/program/plan_json.h"
#include "controller/program/plan_text.h"
#include "controller/program/saved_plan.h"
#include "controller/runtime/side_by_side.h"

namespace galleryd {
namespace {

constexpr std::size_t scopes_at_a_time = 16;

struct Sweep {
    std::vector<std::string> names;
    std::map<std::string, Result<Plan>> results;
    std::optional<Error> nobody;  // answers at that host
};

boost::asio::awaitable<bool> plan_one(Engine& engine, Sweep& work, std::string name) {
    auto plan = co_await engine.plan_scope(name);
    work.results.emplace(name, std::move(plan));
    co_return true;
}

boost::asio::awaitable<bool> ask_inventory(Session& session, Sweep& work, std::ostream* err) {
    const auto refreshed = co_await refresh_for_command(session.engine(), session.clock(), true, err);
    if (refreshed) co_return true;
    if (refreshed.error().reason == "NetworkError" || refreshed.error().reason == "TlsError") {
        work.nobody = refreshed.error();
        co_return false;
    }
    session.engine().note_inventory_error(refreshed.error());  // then every scope is read
    co_return true;
}

PlannedScopes gather(std::map<std::string, Result<Plan>> results) {
    PlannedScopes planned;
    for (auto& [name, plan] : results) {
        if (plan) {
            planned.plans.push_back(std::move(*plan));
        } else {
            planned.failures.emplace_back(name, plan.error());
            Plan unseen;  // so that nobody reads "no changes" where nobody could look
            unseen.scope = name;
            unseen.complete = false;
            unseen.notices.push_back(std::string(unseen_notice) + plan.error().message);
            planned.plans.push_back(std::move(unseen));
        }
    }
    return planned;
}

// Each scope would wait for the same host in vain.
PlannedScopes nobody_answers(const Engine& engine, const Error& error) {
    std::map<std::string, Result<Plan>> results;
    for (const auto& [name, scope] : engine.scopes()) results.emplace(name, std::unexpected(error));
    return gather(std::move(results));
}

bool wants_colour(const std::string& setting) {
    if (setting != "auto") return setting == "always";
    const char* terminal = std::getenv("TERM");
    return ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr &&
           (terminal == nullptr || std::string_view(terminal) != "dumb");
}

}  // namespace

// Few scopes are read whatever Resource Graph says, so both are asked at once.
Task<PlannedScopes> plan_every_scope(Session& session, std::ostream* err) {
    Engine& engine = session.engine();
    Sweep work;
    for (const auto& [name, scope] : engine.scopes()) work.names.push_back(name);
    const std::size_t asked_beside = engine.reads_every_scope() ? 1 : 0;
    if (asked_beside == 0) co_await ask_inventory(session, work, err);
    if (!work.nobody) {
        std::function<boost::asio::awaitable<bool>(std::size_t)> part = [&](std::size_t i) {
            return i < asked_beside ? ask_inventory(session, work, err)
                                    : plan_one(engine, work, work.names[i - asked_beside]);
        };
        co_await run_side_by_side(work.names.size() + asked_beside, scopes_at_a_time + asked_beside, std::move(part));
    }
    if (work.nobody) co_return nobody_answers(engine, *work.nobody);
    co_return gather(std::move(work.results));
}

bool sees_nothing(const PlannedScopes& planned) {
    return !planned.plans.empty() && planned.failures.size() == planned.plans.size();
}

bool has_changes(const std::vector<Plan>& plans) {
    return std::ranges::any_of(plans, [](const Plan& plan) { return !plan.changes.empty(); });
}

bool has_errors(const std::vector<Diagnostic>& problems) {
    return std::ranges::any_of(problems, [](const Diagnostic& d) { return d.severity == Severity::error; });
}

Plan unread_documents() {
    Plan unread;
    unread.scope = "manifests";
    unread.complete = false;
    unread.notices.push_back("documents with errors were not compared; they are listed on standard error");
    return unread;
}

namespace {

// What is the same for every scope that it meets; other failures are each about their own resource.
std::string cause_of(const Error& error) {
    const bool is_of_one_credential = error.code == "GD3029";  // says which, and why
    const bool is_shared =
        !is_of_one_credential &&
        (error.kind == ErrorKind::transient || error.kind == ErrorKind::throttled ||
         error.reason == "AuthorizationFailed" || error.reason == "AuthenticationFailed" || error.reason == "TlsError");
    return error.code + error.reason + (is_shared ? std::string() : error.message);
}

}  // namespace

void print_failures(std::ostream& err, const std::vector<std::pair<std::string, Error>>& failures,
                    const std::string& what) {
    std::map<std::string, std::vector<const std::pair<std::string, Error>*>> alike;
    for (const auto& failure : failures) alike[cause_of(failure.second)].push_back(&failure);
    for (const auto& [reason, group] : alike) {
        std::vector<std::string> names;
        for (const auto* failure : group) names.push_back(failure->first);
        err << "galleryd: " << some_of(names) << " " << what << "\n";
        print_error(err, group.front()->second);
    }
}

int deletions_in(const std::vector<Plan>& plans) {
    int count = 0;
    for (const Plan& plan : plans)
        count += static_cast<int>(
            std::ranges::count_if(plan.changes, [](const Change& change) { return takes_away(change); }));
    return count;
}

PlanHeader plan_header(Session& session) {
    PlanHeader header;
    header.sources = session.options().sources;
    header.revision = session.engine().revision();
    header.azure = session.options().azure;
    header.observe = session.options().observe;
    if (!header.sources.empty() && header.sources.front().starts_with("dir:"))
        header.path = header.sources.front().substr(4);
    header.currency = session.engine().options().prices.currency;
    header.price_date = session.engine().options().prices.date;
    return header;
}

namespace {

// As a shell takes it.
std::string quoted(const std::string& word) {
    constexpr const char* plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@%+,~";
    if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
    std::string made = "'";
    for (const char c : word) made += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return made + "'";
}

// The flags without which the next command would speak to another Azure or another memory, or would do less.
std::string flags_again(const CommonOptions& options) {
    const CommonOptions usual;
    std::string text;
    const auto add = [&text](const char* name, const std::string& value, const std::string& unless) {
        if (value != unless) text += std::string(" ") + name + " " + quoted(value);
    };
    add("--azure", options.azure, usual.azure);
    add("--azure-ca-file", options.azure_ca_file, usual.azure_ca_file);
    add("--simulator-state", options.simulator_state, usual.simulator_state);
    add("--time-scale", options.time_scale, usual.time_scale);
    add("--credential", options.credential, usual.credential);
    add("--credentials-dir", options.credentials_dir, usual.credentials_dir);
    add("--instance", options.instance, usual.instance);
    add("--state-dir", options.state_dir, usual.state_dir);
    if (options.allow_deletes) text += " --allow-deletes";
    if (options.prune) text += " --prune";
    return text;
}

std::string paths_again(const CommonOptions& options) {
    std::string text;
    for (const std::string& source : options.sources)
        text += " " + quoted(source.starts_with("dir:") ? source.substr(4) : source);
    return text;
}

}  // namespace

std::string next_command(const PlanOptions& options) {
    const std::string flags = flags_again(options.common);
    if (options.common.azure == "simulator")  // a saved plan would meet another one
        return "galleryd apply" + paths_again(options.common) + flags +
               "    # a rehearsal: this simulator ends with its command; galleryd simulate keeps one";
    if (!options.out.empty()) return "galleryd apply " + quoted(options.out) + flags;
    return "galleryd plan" + paths_again(options.common) + " --out plan.json" + flags + " && galleryd apply plan.json" +
           flags;
}

int run_plan(const PlanOptions& options, std::ostream& out, std::ostream& err) {
    auto session = Session::open(options.common, JournalUse::read_only, "plan");
    if (!session) return exit_with(err, session.error());
    const auto problems = (*session)->read_sources();
    if (!problems) return exit_with(err, problems.error());
    print_diagnostics(*problems, err);
    if (const Status signed_in = (*session)->sign_in(); !signed_in) {
        print_error(err, signed_in.error());
        return signed_in.error().reason == "Interrupted" ? exit_interrupted : exit_error;
    }
    auto planned = (*session)->run(plan_every_scope(**session, &err));
    if (!planned) return exit_with(err, planned.error());
    if (sees_nothing(*planned) && options.output != "json") {  // no plan, and none is saved
        print_failures(err, planned->failures);
        return exit_error;
    }
    if (has_errors(*problems)) planned->plans.push_back(unread_documents());
    PlanHeader header = plan_header(**session);
    if (has_changes(planned->plans) || !options.out.empty()) header.next = next_command(options);
    if (options.output == "json") {
        out << plan_to_json(planned->plans, header).dump(2, ' ', false, nlohmann::json::error_handler_t::replace)
            << "\n";
    } else {
        const TextOptions text{.colour = wants_colour(options.color), .wide = false, .summary_only = options.summary};
        print_plan_text(out, planned->plans, header, text);
        if (options.explain) print_versions_text(out, planned->plans, text);
    }
    print_failures(err, planned->failures);
    if (!options.out.empty()) {
        if (const Status saved = write_saved_plan(options.out, planned->plans, header); !saved) {
            print_error(err, saved.error());
            return exit_error;
        }
    }
    if (!planned->failures.empty() || has_errors(*problems)) return exit_error;
    return options.detailed_exitcode && has_changes(planned->plans) ? exit_changes : exit_done;
}

}  // namespace galleryd
