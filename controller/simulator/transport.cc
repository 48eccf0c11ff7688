#include <algorithm>
#include <cmath>

#include "controller/simulator/simulator.h"

namespace galleryd::simulator {

Task<http::Response> InProcessTransport::send(http::Origin origin, http::Request request, http::CallLimits limits) {
    http::ServerRequest served;
    static_cast<http::Request&>(served) = std::move(request);
    served.tls = origin.scheme == "https";
    const std::string url = http::to_string(origin);
    served.host = url.substr(url.find("//") + 2);
    http::ServerResponse answered = simulator_.handle(served);
    if (answered.delay >= limits.deadline) {
        co_await clock_.sleep_for(limits.deadline);
        co_return fail(ErrorKind::transient, "DeadlineExceeded",
                       "no answer to " + served.method + " within the deadline");
    }
    if (answered.delay.count() > 0) co_await clock_.sleep_for(answered.delay);
    if (answered.cut_after_bytes >= 0) {
        co_return fail(ErrorKind::transient, "NetworkError",
                       "the connection was closed while reading the answer to " + served.method);
    }
    if (answered.body.size() > limits.body_bytes_max)
        co_return fail(ErrorKind::invalid, "AnswerTooLarge", "the answer is larger than allowed");
    http::Response response = std::move(static_cast<http::Response&>(answered));
    if (served.method == "HEAD") response.body.clear();
    co_return response;
}

ScaledClock::ScaledClock(Clock& clock, double scale)
    : clock_(clock), scale_(scale > 0 ? scale : 1), start_(clock.now()), monotonic_start_(clock.monotonic()) {}

std::chrono::nanoseconds ScaledClock::monotonic() const {
    const auto passed = static_cast<double>((clock_.monotonic() - monotonic_start_).count());
    return monotonic_start_ + std::chrono::nanoseconds(static_cast<std::int64_t>(passed * scale_));
}

TimePoint ScaledClock::now() const {
    return start_ + std::chrono::duration_cast<Duration>(monotonic() - monotonic_start_);
}

boost::asio::awaitable<void> ScaledClock::sleep_for(std::chrono::nanoseconds duration) {
    const auto real =
        std::chrono::nanoseconds(static_cast<std::int64_t>(std::ceil(static_cast<double>(duration.count()) / scale_)));
    co_await clock_.sleep_for(real);
}

}  // namespace galleryd::simulator
