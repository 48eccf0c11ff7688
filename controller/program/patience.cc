#include "controller/program/patience.h"

#include <ostream>

#include "controller/core/time.h"
#include "controller/runtime/within.h"

namespace galleryd {
namespace {

constexpr std::chrono::seconds quiet_for{2}, again_after{30};

// "Azure Resource Graph (3 subscriptions)".
std::string graph_of(const Engine& engine) {
    std::set<std::string> subscriptions;
    for (const auto& [name, scope] : engine.scopes()) subscriptions.insert(fold_case(scope.gallery_id.subscription()));
    return "Azure Resource Graph (" + std::to_string(subscriptions.size()) +
           (subscriptions.size() == 1 ? " subscription)" : " subscriptions)");
}

}  // namespace

boost::asio::awaitable<void> detail::tell_waiting(Clock& clock, std::ostream* err, std::string what) {
    co_await clock.sleep_for(quiet_for);
    *err << "Waiting for " << what << " …" << std::endl;
    std::chrono::seconds waited = quiet_for;
    while (true) {
        co_await clock.sleep_for(again_after);
        waited += again_after;
        *err << "Still waiting for " << what << " (" << format_duration(waited) << ") …" << std::endl;
    }
}

Task<std::set<std::string>> refresh_for_command(Engine& engine, Clock& clock, bool full, std::ostream* err) {
    Task<std::set<std::string>> refresh = engine.refresh(full);
    auto in_time = within(clock, Engine::refresh_deadline, "inventory of Azure", std::move(refresh));
    co_return co_await with_patience(clock, err, graph_of(engine), std::move(in_time));
}

}  // namespace galleryd
