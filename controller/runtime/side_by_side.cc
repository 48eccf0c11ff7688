#include "controller/runtime/side_by_side.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "controller/runtime/task_group.h"

namespace galleryd {
namespace {

namespace asio = boost::asio;

struct Turns {
    std::size_t next = 0, count = 0;
    std::function<asio::awaitable<bool>(std::size_t)> work;
};

asio::awaitable<void> take_turns(Turns& turns) {
    while (turns.next < turns.count) {
        const std::size_t mine = turns.next++;
        bool go_on = false;
        try {
            go_on = co_await turns.work(mine);
        } catch (...) {
            turns.next = turns.count;
            throw;
        }
        if (!go_on) turns.next = turns.count;
    }
}

}  // namespace

asio::awaitable<void> run_side_by_side(std::size_t count, std::size_t width,
                                       std::function<asio::awaitable<bool>(std::size_t)> work) {
    Turns turns{.count = count, .work = std::move(work)};
    const std::size_t wanted = std::min(count, std::max<std::size_t>(width, 1));
    if (wanted <= 1) {  // nothing runs beside it: the caller's own coroutine will do
        co_await take_turns(turns);
        co_return;
    }
    const auto executor = co_await asio::this_coro::executor;
    TaskGroup group(executor);
    for (std::size_t i = 0; i < wanted; ++i) group.spawn(take_turns(turns));
    co_await group.finish();
}

}  // namespace galleryd
