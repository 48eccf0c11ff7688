#include "controller/program/azure_contact.h"

#include <algorithm>

#include "controller/core/time.h"

namespace galleryd {
namespace {

constexpr std::size_t misses_min = 3, targets_min = 2;
constexpr std::chrono::seconds silence_min{2}, silence_of_one_min{10};
constexpr std::chrono::minutes told_first{5}, told_pause_max{60};

bool is_gateways(int status) { return status == 502 || status == 503 || status == 504; }

}  // namespace

std::string AzureContact::since_text() const {
    return format_rfc3339(std::chrono::floor<std::chrono::seconds>(since_));
}

std::string AzureContact::trouble() const {
    if (!away_) return {};
    return "Azure does not answer since " + since_text() + " (" + std::to_string(misses_) + " requests): " + why_;
}

void AzureContact::note_answer() {
    if (away_) {
        away_ = false;
        const auto lasted = std::chrono::duration_cast<std::chrono::seconds>(clock_.monotonic() - began_);
        if (on_change)
            on_change(false, "Azure answers again after " + format_duration(lasted) + "; " + std::to_string(misses_) +
                                 " requests had no answer; what they were for is asked again.");
    }
    misses_ = 0;
    targets_.clear();
}

void AzureContact::note_silence(const std::string& target, const std::string& why, bool is_network) {
    const auto now = clock_.monotonic();
    is_network_ = is_network && (misses_ == 0 || is_network_);
    if (misses_++ == 0) {
        since_ = clock_.now();
        began_ = now;
    }
    why_ = why;
    if (targets_.size() < targets_min) targets_.insert(target);
    if (away_ && now >= tell_at_) {
        log_.warning(
            "azure still does not answer",
            {{"since", since_text()}, {"requests", std::to_string(misses_)}, {"code", "GD3008"}, {"detail", why_}});
        pause_ = std::min<std::chrono::nanoseconds>(pause_ * 2, told_pause_max);
        tell_at_ = now + pause_;
    }
    const bool is_one_thing = targets_.size() < targets_min;
    if (away_ || misses_ < misses_min || (is_one_thing && !is_network_)) return;
    if (now - began_ < (is_one_thing ? silence_of_one_min : silence_min)) return;
    away_ = true;
    pause_ = told_first;
    tell_at_ = now + pause_;
    if (on_change)
        on_change(true, "Azure does not answer: " + why_ +
                            " (GD3008). Nothing is read or written until it does; it is asked again and again. Where "
                            "it lasts, look at the network, the proxy and --azure from this machine: galleryd doctor.");
}

Task<http::Response> WatchedTransport::send(http::Origin origin, http::Request request, http::CallLimits limits) {
    const bool is_watched = watched_.contains(http::to_string(origin));
    const std::string target = request.target.substr(0, request.target.find('?'));
    auto answer = co_await transport_->send(std::move(origin), std::move(request), limits);
    if (!is_watched) co_return answer;
    if (!answer && answer.error().kind != ErrorKind::invalid)
        contact_.note_silence(target, answer.error().message, answer.error().reason == "NetworkError");
    else if (answer && is_gateways(answer->status))
        contact_.note_silence(target, "a gateway says HTTP " + std::to_string(answer->status));
    else contact_.note_answer();
    co_return answer;
}

}  // namespace galleryd
