#include <algorithm>

#include "controller/program/engine.h"
#include "reconcilers/image_definition/forecast.h"

// Looking ahead with the same eyes and the same planner: only the time that the planner is told is another one.
namespace galleryd {
namespace {

bool names_something(const Forecast& forecast) {
    return std::ranges::any_of(forecast.versions,
                               [](const VersionForecast& version) { return version.named || version.deleted; });
}

}  // namespace

Forecast Engine::forecast(const Scope& scope, const DefinitionView& view, UsageView seen_by, TimePoint at) {
    const auto objects = declared_.objects_of(scope);
    ForecastInput input{.scope = input_of(scope, *objects, view),
                        .policy = policy_for(scope, view, seen_by),
                        .approvals_until = journal_.approvals().value_or(std::map<std::string, TimePoint>{}),
                        .now = clock_.now(),
                        .at = at};
    return forecast_retention(std::move(input));
}

// Resource Graph is enough where nothing is ever named; its rows leave out what a date may depend on.
Task<Forecast> Engine::forecast_scope(std::string name, TimePoint at) {
    const auto gone = [&name] { return fail(ErrorKind::conflict, "ScopeGone", name + " is no longer declared"); };
    auto seen = co_await look(name);
    if (!seen) co_return std::unexpected(seen.error());
    const Scope* found = declared_.find_scope(name);
    if (found == nullptr) co_return gone();
    const Scope scope = *found;
    if (!seen->was_read() || !seen->definition_view) {
        if (seen->definition_view) {
            Forecast hint = forecast(scope, *seen->definition_view, UsageView::rows, at);
            if (!names_something(hint)) co_return hint;
        }
        seen = co_await read_and_plan(scope);
        if (!seen) co_return std::unexpected(seen.error());
        if (!seen->definition_view) co_return gone();
    }
    Forecast told = forecast(scope, *seen->definition_view, UsageView::reads, at);
    if (!told.asks_usage) co_return told;
    const auto learnt = co_await learns_usage(scope, *told.asks_usage);
    if (!learnt) co_return std::unexpected(learnt.error());
    if (*learnt) told = forecast(scope, *seen->definition_view, UsageView::reads, at);
    co_return told;
}

}  // namespace galleryd
