#include "controller/program/command_retention.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>

#include "controller/program/command_plan.h"
#include "controller/program/diagnostic_text.h"
#include "controller/program/messages.h"
#include "controller/program/patience.h"
#include "controller/program/retention_output.h"
#include "controller/program/session.h"
#include "controller/runtime/side_by_side.h"

namespace galleryd {
namespace {

constexpr std::size_t scopes_at_a_time = 16;
constexpr std::chrono::days ahead_max{36525};

struct Sweep {
    std::vector<std::string> names;
    std::map<std::string, Result<Forecast>> results;
};

boost::asio::awaitable<bool> forecast_one(Engine& engine, Sweep& work, std::string name, TimePoint at) {
    auto forecast = co_await engine.forecast_scope(name, at);
    work.results.emplace(std::move(name), std::move(forecast));
    co_return true;
}

// Every definition; the galleries themselves have nothing that ages.
Task<std::map<std::string, Result<Forecast>>> forecast_every_scope(Session& session, TimePoint at, std::ostream* err) {
    Engine& engine = session.engine();
    Sweep work;
    for (const auto& [name, scope] : engine.scopes()) {
        if (scope.kind == ScopeKind::definition) work.names.push_back(name);
    }
    const auto refreshed = co_await refresh_for_command(engine, session.clock(), true, err);
    if (!refreshed) {
        const std::string& reason = refreshed.error().reason;
        if (reason == "NetworkError" || reason == "TlsError") co_return std::unexpected(refreshed.error());
        engine.note_inventory_error(refreshed.error());  // then every scope is read
    }
    std::function<boost::asio::awaitable<bool>(std::size_t)> part = [&](std::size_t i) {
        return forecast_one(engine, work, work.names[i], at);
    };
    co_await run_side_by_side(work.names.size(), scopes_at_a_time, std::move(part));
    co_return std::move(work.results);
}

}  // namespace

Result<TimePoint> parse_preview_date(const std::string& text) {
    const auto instant = parse_rfc3339(text);
    const auto day = instant || text.size() != 10 ? instant : parse_rfc3339(text + "T23:59:59Z");
    if (day) return *day;
    return wrong_usage("GD5030", "--at " + text +
                                     ": not a date. Write 2027-06-01 (the end of that day, UTC) or "
                                     "2027-06-01T06:00:00+02:00");
}

Status check_preview_date(TimePoint at, TimePoint now, const std::string& text) {
    if (at < now)
        return wrong_usage("GD5030", "--at " + text + ": in the past (now is " +
                                         format_rfc3339(std::chrono::floor<std::chrono::seconds>(now)) +
                                         "). What was in Azure then is not known; `galleryd events` tells what was "
                                         "done");
    if (at - now > ahead_max) return wrong_usage("GD5030", "--at " + text + ": more than a hundred years ahead");
    return {};
}

int run_retention_preview(const RetentionOptions& options, std::ostream& out, std::ostream& err) {
    std::optional<TimePoint> at;
    if (!options.at.empty()) {
        const auto date = parse_preview_date(options.at);
        if (!date) return exit_with(err, date.error());
        at = *date;
    }
    CommonOptions common = options.common;
    common.observe = false;  // it writes nothing anyway, and a daemon that observes would never mark
    auto session = Session::open(std::move(common), JournalUse::read_only, "plan");
    if (!session) return exit_with(err, session.error());
    const TimePoint now = (*session)->clock().now();
    if (at) {
        if (const Status checked = check_preview_date(*at, now, options.at); !checked)
            return exit_with(err, checked.error());
    }
    const auto problems = (*session)->read_sources();
    if (!problems) return exit_with(err, problems.error());
    print_diagnostics(*problems, err);
    if (const Status signed_in = (*session)->sign_in(); !signed_in) {
        print_error(err, signed_in.error());
        return signed_in.error().reason == "Interrupted" ? exit_interrupted : exit_error;
    }
    auto results = (*session)->run(forecast_every_scope(**session, at.value_or(now), &err));
    if (!results) return exit_with(err, results.error());
    RetentionPreview preview;
    preview.header = plan_header(**session);
    preview.documents_whole = !has_errors(*problems);
    preview.now = now;
    preview.at = at.value_or(now);
    std::vector<std::pair<std::string, Error>> failures;
    for (auto& [name, forecast] : *results) {
        if (forecast) {
            preview.forecasts.push_back(std::move(*forecast));
        } else {
            preview.unseen.emplace_back(name, forecast.error().message);
            failures.emplace_back(name, forecast.error());
        }
    }
    if (options.output == "json") {
        out << retention_to_json(preview).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
    } else if (failures.empty() || !preview.forecasts.empty()) {
        print_retention_text(out, preview);
    }
    print_failures(err, failures, "could not be looked at; what goes there is not known");
    return failures.empty() && !has_errors(*problems) ? exit_done : exit_error;
}

}  // namespace galleryd
