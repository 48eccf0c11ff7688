#include "controller/program/command_apply.h"

#include <algorithm>
#include <ostream>
#include <set>

#include "controller/program/command_plan.h"
#include "controller/program/diagnostic_text.h"
#include "controller/program/patience.h"
#include "controller/program/plan_text.h"
#include "controller/program/plan_text_rows.h"
#include "controller/program/saved_plan.h"
#include "controller/runtime/task_group.h"

namespace galleryd {
namespace {

constexpr std::chrono::seconds pause_between_rounds{1};
constexpr std::chrono::seconds pause_between_reads{5};  // while nothing but reads that have to agree is left
constexpr int rounds_without_progress_max = 3;

struct ApplyState {
    std::ostream& out;
    std::ostream* err;
    std::chrono::nanoseconds deadline;
    int writes = 0;
    std::map<std::string, Plan> last = {};
    std::map<std::string, Error> failures = {};
    // By kind and address: what is not believed to be gone yet, and how many reads have to agree still.
    struct Unconfirmed {
        std::string scope;
        int reads_left = 0;
        Error why;
    };
    std::map<std::string, Unconfirmed> unconfirmed = {};
    int reads_left_told = 0;
    int running_operations = 0;
};

enum class ApplyEnd : std::uint8_t { converged, stuck, timed_out };

boost::asio::awaitable<void> follow(Engine& engine, ApplyState& state, OperationRecord operation) {
    ++state.running_operations;
    const std::string resource = operation.resource, step = operation.step;
    const auto ended = co_await engine.follow(std::move(operation));
    --state.running_operations;
    state.out << "  " << (ended ? "finished" : "lost sight of") << "  " << step << " " << ResourceId(resource).name()
              << std::endl;
}

std::string name_of(const ChangeOutcome& outcome) { return outcome.kind + " " + outcome.address; }

bool is_unconfirmed(const PassResult& result, const std::string& name) {
    return std::ranges::any_of(result.applied.outcomes, [&](const ChangeOutcome& outcome) {
        return outcome.result == ChangeResult::unconfirmed && name_of(outcome) == name;
    });
}

void tell(ApplyState& state, const PassResult& result) {
    std::erase_if(state.unconfirmed, [&](const auto& open) {
        return open.second.scope == result.scope && !is_unconfirmed(result, open.first);
    });
    for (const ChangeOutcome& outcome : result.applied.outcomes) {
        if (outcome.result == ChangeResult::done || outcome.result == ChangeResult::accepted) {
            state.out << "  " << (outcome.result == ChangeResult::done ? "done    " : "started ") << "  "
                      << to_string(outcome.action) << " " << outcome.kind << " " << outcome.address << std::endl;
        } else if (outcome.result == ChangeResult::unconfirmed) {
            const bool is_new =
                state.unconfirmed
                    .insert_or_assign(name_of(outcome),
                                      ApplyState::Unconfirmed{result.scope, outcome.reads_left, *outcome.error})
                    .second;
            if (is_new)
                state.out << "  waiting   " << to_string(outcome.action) << " " << outcome.kind << " "
                          << outcome.address << ": " << outcome.error->message << std::endl;
        } else if (outcome.error && outcome.error->kind != ErrorKind::conflict &&
                   outcome.result != ChangeResult::paused) {
            state.out << "  failed    " << to_string(outcome.action) << " " << outcome.kind << " " << outcome.address
                      << ": " << outcome.error->message << std::endl;
        }
    }
}

// A sign of life for each read that agreed: they take minutes together.
void tell_reads_left(ApplyState& state) {
    int most = 0;
    for (const auto& [address, open] : state.unconfirmed) most = std::max(most, open.reads_left);
    if (most > 0 && most != state.reads_left_told) {
        state.out << "  waiting   for " << plural(static_cast<std::size_t>(most), "more read") << " that "
                  << (most == 1 ? "has" : "have") << " to agree that " << plural(state.unconfirmed.size(), "resource")
                  << (state.unconfirmed.size() == 1 ? " is" : " are") << " gone" << std::endl;
    }
    state.reads_left_told = most;
}

// One pass over every scope. True when something was written or is under way.
Task<bool> one_round(Engine& engine, ApplyState& state, TaskGroup& operations) {
    bool progress = false;
    std::vector<std::string> names;
    for (const auto& [name, scope] : engine.scopes()) names.push_back(name);
    for (const std::string& name : names) {
        auto result = co_await engine.pass(name);
        if (!result) co_return std::unexpected(result.error());
        for (const OperationRecord& operation : result->applied.operations)
            operations.spawn(follow(engine, state, operation));
        state.writes += result->applied.writes;
        tell(state, *result);
        progress = progress || !state.unconfirmed.empty();
        state.failures.erase(name);
        if (result->error) {
            if (result->error->kind == ErrorKind::bug) co_return std::unexpected(*result->error);
            state.failures.insert_or_assign(name, *result->error);
            progress =
                progress || result->error->kind == ErrorKind::transient || result->error->kind == ErrorKind::throttled;
        }
        for (const ChangeOutcome& outcome : result->applied.outcomes) {
            if (outcome.result == ChangeResult::done || outcome.result == ChangeResult::accepted) progress = true;
            const bool is_failure = outcome.result == ChangeResult::failed || outcome.result == ChangeResult::paused;
            if (outcome.error && is_failure && outcome.error->kind != ErrorKind::conflict)
                state.failures.insert_or_assign(name, *outcome.error);
            if (outcome.error &&
                (outcome.error->kind == ErrorKind::transient || outcome.error->kind == ErrorKind::throttled ||
                 outcome.error->kind == ErrorKind::conflict))
                progress = true;
        }
        if (result->plan) {
            // What waits for something that failed waits for a person; operations under way are counted below.
            progress = progress || (!result->plan->waiting.empty() && state.failures.empty());
            state.last.insert_or_assign(name, std::move(*result->plan));
        }
    }
    tell_reads_left(state);
    engine.remember_usage(true);  // the next run goes on with the waits that this one began
    co_return progress || state.running_operations > 0;
}

bool is_converged(const ApplyState& state) {
    return state.failures.empty() && state.running_operations == 0 &&
           std::ranges::all_of(state.last, [](const auto& entry) { return entry.second.converged(); });
}

Task<ApplyEnd> rounds(Session& session, ApplyState& state, TaskGroup& operations) {
    Engine& engine = session.engine();
    Clock& clock = session.clock();
    const auto in_flight = engine.operations_in_flight();
    if (!in_flight) co_return std::unexpected(in_flight.error());
    for (const OperationRecord& operation : *in_flight) operations.spawn(follow(engine, state, operation));
    int idle_rounds = 0, written = 0;
    auto refresh_at = clock.monotonic() + engine.options().drift_interval;
    while (idle_rounds < rounds_without_progress_max) {
        if (clock.monotonic() >= refresh_at) {
            const auto refreshed = co_await refresh_for_command(engine, clock, false, state.err);
            if (!refreshed) engine.note_inventory_error(refreshed.error());  // then the scopes are read
            refresh_at = clock.monotonic() + engine.options().drift_interval;
        }
        const auto progress = co_await one_round(engine, state, operations);
        if (!progress) co_return std::unexpected(progress.error());
        if (is_converged(state) && engine.looked_everywhere()) co_return ApplyEnd::converged;
        // Without a journal nothing is sent, and waiting makes no disk whole.
        if (const Status sound = session.journal().sound(); !sound) co_return std::unexpected(sound.error());
        if (clock.monotonic() > state.deadline) co_return *progress ? ApplyEnd::timed_out : ApplyEnd::stuck;
        idle_rounds = *progress ? 0 : idle_rounds + 1;
        const bool only_reads = !state.unconfirmed.empty() && state.running_operations == 0 && state.writes == written;
        written = state.writes;
        co_await clock.sleep_for(only_reads ? pause_between_reads : pause_between_rounds);
    }
    co_return ApplyEnd::stuck;
}

// A signal cancels the rounds; what follows operations is joined all the same, and the journal lets the next start go
// on.
Task<ApplyEnd> apply_rounds(Session& session, ApplyState& state) {
    const auto executor = co_await boost::asio::this_coro::executor;
    TaskGroup operations(executor);
    auto work = rounds(session, state, operations);
    co_return co_await operations.finish(std::move(work));
}

std::vector<Plan> plans_of(const ApplyState& state) {
    std::vector<Plan> plans;
    for (const auto& [name, plan] : state.last) plans.push_back(plan);
    return plans;
}

bool confirm_deletions(const ApplyOptions& options, int deletions, std::ostream& err) {
    if (options.approve_deletes == deletions || (deletions == 0 && options.approve_deletes < 0)) return true;
    if (deletions == 0) {
        err << "galleryd: --approve-deletes=" << options.approve_deletes
            << ", but the plan takes nothing away; nothing was done. Leave the flag out. (GD5007)\n";
        return false;
    }
    err << "galleryd: the plan takes away " << deletions << " thing" << (deletions == 1 ? "" : "s")
        << " (listed above); nothing was done. Repeat with --approve-deletes=" << deletions
        << " to approve exactly that. (GD5007)\n";
    return false;
}

// How many writes there were, and whether Azure went away before the end: what is not done then is no choice of
// anybody.
void print_summary(std::ostream& out, const ApplyState& state, Session& session) {
    out << "\n" << state.writes << " write" << (state.writes == 1 ? "" : "s") << " to Azure.";
    const std::string trouble = session.contact().trouble();
    if (!trouble.empty()) {
        const std::size_t scopes = session.engine().scopes().size();
        const auto done = static_cast<std::size_t>(std::ranges::count_if(state.last, [&](const auto& entry) {
            return entry.second.converged() && !state.failures.contains(entry.first);
        }));
        out << " " << trouble << ". " << scopes - std::min(done, scopes) << " of " << plural(scopes, "scope")
            << " could not be ended; what was started goes on in Azure.";
    }
    out << "\n";
}

std::vector<std::pair<std::string, Error>> failures_of(const ApplyState& state) {
    return {state.failures.begin(), state.failures.end()};
}

// What could not be made anew in time. Another run counts its reads from the beginning.
void print_unconfirmed(std::ostream& err, const ApplyState& state) {
    std::vector<std::pair<std::string, Error>> open;
    for (const auto& [name, one] : state.unconfirmed) open.emplace_back(name, one.why);
    print_failures(err, open, "not made anew yet");
}

int report_end(ApplyEnd end, ApplyState& state, Session& session, bool is_partial, std::ostream& out,
               std::ostream& err) {
    print_summary(out, state, session);
    if (end == ApplyEnd::converged) {
        out << (is_partial ? "What could be read is as declared; documents with errors were left alone.\n"
                           : "Azure matches the manifests.\n");
        return exit_done;
    }
    if (end == ApplyEnd::timed_out) {
        print_failures(err, failures_of(state), "not done yet");
        print_unconfirmed(err, state);
        const bool only_waited = state.writes == 0 && state.running_operations == 0;
        err << (!only_waited ? "galleryd: timed out; what was started goes on in Azure. Run apply again to follow it."
                             : "galleryd: timed out; nothing was started. Run apply again with a longer --timeout")
            << (!only_waited                ? ""
                : state.unconfirmed.empty() ? "."
                                            : ": reads have to agree for minutes, and each run counts them anew.")
            << " (GD5008)\n";
        return exit_gate;
    }
    print_plan_text(out, plans_of(state), plan_header(session), TextOptions{});
    print_failures(err, failures_of(state), "not done");
    if (!state.failures.empty()) return exit_error;
    err << "galleryd: what is left needs a person: conflicts, approvals and blocks are listed above. (GD5009)\n";
    return exit_approval;
}

// A plan saved earlier decides what is applied: its sources and its Azure, unless the command line names others.
Result<std::optional<SavedPlan>> open_saved_plan(const ApplyOptions& options, CommonOptions& common) {
    if (options.plan_file.empty()) return std::nullopt;
    auto saved = read_saved_plan(options.plan_file);
    if (!saved) return std::unexpected(saved.error());
    if (common.sources.empty()) common.sources = saved->header.sources;
    if (common.azure == CommonOptions{}.azure) common.azure = saved->header.azure;
    return std::optional(std::move(*saved));
}

bool still_fits(const SavedPlan& saved, const std::vector<Plan>& plans, const std::string& file, std::ostream& err) {
    const std::vector<std::string> moved = compare(saved, plans);
    if (moved.empty()) return true;
    err << "galleryd: the saved plan no longer fits what is observed; nothing was done (GD5006):\n";
    for (const std::string& line : moved) err << "  " << line << "\n";
    err << "Make a new one: galleryd plan --out " << file << "\n";
    return false;
}

}  // namespace

int run_apply(const ApplyOptions& options, std::ostream& out, std::ostream& err) {
    const auto timeout = parse_duration_flag("--timeout", options.timeout);
    if (!timeout) return exit_with(err, timeout.error());
    CommonOptions common = options.plan.common;
    const auto saved = open_saved_plan(options, common);
    if (!saved) return exit_with(err, saved.error());
    auto session = Session::open(common, JournalUse::exclusive, "apply");
    if (!session) return exit_with(err, session.error());
    const auto problems = (*session)->read_sources();
    if (!problems) return exit_with(err, problems.error());
    print_diagnostics(*problems, err);
    if (const Status signed_in = (*session)->sign_in(); !signed_in) {
        print_error(err, signed_in.error());
        return signed_in.error().reason == "Interrupted" ? exit_interrupted : exit_error;
    }
    const bool is_partial = has_errors(*problems);
    auto planned = (*session)->run(plan_every_scope(**session, &err));
    if (!planned) return exit_with(err, planned.error());
    if (*saved && !still_fits(**saved, planned->plans, options.plan_file, err)) return exit_gate;
    if (sees_nothing(*planned)) {
        print_failures(err, planned->failures);
        return exit_error;
    }
    std::vector<Plan> shown = planned->plans;
    if (is_partial) shown.push_back(unread_documents());
    print_plan_text(out, shown, plan_header(**session),
                    TextOptions{.colour = false, .wide = false, .summary_only = options.plan.summary});
    if (common.observe) {
        out << "\nNothing was written: --observe.\n";
        return is_partial || !planned->failures.empty() ? exit_error : exit_done;
    }
    if (!confirm_deletions(options, common.allow_deletes ? deletions_in(planned->plans) : 0, err)) return exit_approval;
    out << std::endl;
    (*session)->engine().confirm_only(planned->plans);
    ApplyState state{.out = out, .err = &err, .deadline = (*session)->clock().monotonic() + *timeout};
    (*session)->contact().on_change = [&err](bool, const std::string& text) {
        err << "galleryd: " << text << std::endl;
    };
    const auto end = (*session)->run(apply_rounds(**session, state));
    if (!end) {
        print_summary(out, state, **session);
        return exit_with(err, end.error());
    }
    const int code = report_end(*end, state, **session, is_partial, out, err);
    return code == exit_done && is_partial ? exit_error : code;
}

}  // namespace galleryd
