#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <csignal>

#include "controller/runtime/blocking_pool.h"
#include "tests/support/run_task.h"

using namespace galleryd;

namespace {

bool is_blocked(int signal) {
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    return sigismember(&mask, signal) == 1;
}

Task<std::vector<bool>> ask(BlockingPool& pool) {
    auto look = [] { return std::vector<bool>{is_blocked(SIGTERM), is_blocked(SIGINT)}; };
    auto blocked = co_await pool.run(std::move(look));
    co_return blocked;
}

}  // namespace

TEST_CASE("threads of the pool never take a signal, and the thread that made them still does") {
    boost::asio::io_context context;
    BlockingPool pool(2);
    const auto blocked = run_task(context, ask(pool));
    REQUIRE(blocked.has_value());
    CHECK(*blocked == std::vector<bool>{true, true});
    CHECK_FALSE(is_blocked(SIGTERM));
    CHECK_FALSE(is_blocked(SIGINT));
}
