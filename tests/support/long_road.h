#pragma once
#include <chrono>
#include <utility>

#include "controller/adapters/http/transport.h"
#include "controller/ports/clock.h"
#include "controller/simulator/simulator.h"

namespace galleryd {

// The road to the built-in Azure and back takes time; whoever derives from it writes down what passes.
class LongRoad : public http::Transport {
  public:
    LongRoad(simulator::Simulator& azure, Clock& clock, std::chrono::nanoseconds one_way)
        : clock_(clock), inner_(azure, clock), one_way_(one_way) {}

    Task<http::Response> send(http::Origin origin, http::Request request, http::CallLimits limits) override {
        note_departure(request);
        co_await clock_.sleep_for(one_way_);
        auto answer = co_await inner_.send(std::move(origin), std::move(request), limits);
        if (answer) note_answer(*answer);
        co_await clock_.sleep_for(one_way_);
        if (answer) note_return(*answer);
        co_return answer;
    }

  protected:
    virtual void note_departure(const http::Request&) {}
    virtual void note_answer(const http::Response&) {}  // when Azure gave it
    virtual void note_return(const http::Response&) {}  // when it has arrived
    Clock& clock_;

  private:
    simulator::InProcessTransport inner_;
    std::chrono::nanoseconds one_way_;
};

}  // namespace galleryd
