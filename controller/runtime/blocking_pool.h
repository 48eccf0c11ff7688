#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

namespace galleryd {

// A few threads for work that blocks (git, file trees, hashing): values in, values out, nothing shared with the loop.
//
//     auto read = [path] { return read_tree(path); };           // named first, then awaited
//     const auto tree = co_await pool.run(std::move(read));
//
// The function runs on the pool, the coroutine resumes on its own executor, exceptions arrive there. A function that
// has begun cannot be stopped: a cancelled caller waits for it and is then cancelled. Work beyond the threads queues;
// the owner bounds it.
class BlockingPool {
  public:
    explicit BlockingPool(std::size_t threads) : pool_(threads) { starting_.end(); }
    ~BlockingPool() { pool_.join(); }

    template <class F>
    boost::asio::awaitable<std::invoke_result_t<F>> run(F function) {
        using R = std::invoke_result_t<F>;
        // No cancellation slot: emitting it would reach into the pool's thread (stack §1.5).
        auto token = boost::asio::bind_cancellation_slot(boost::asio::cancellation_slot(), boost::asio::use_awaitable);
        auto call = invoke<F>(std::move(function));
        if constexpr (std::is_void_v<R>) {
            co_await boost::asio::co_spawn(pool_, std::move(call), std::move(token));
        } else {
            auto result = co_await boost::asio::co_spawn(pool_, std::move(call), std::move(token));
            co_return std::move(*result);
        }
    }

  private:
    template <class F>
    static auto invoke(F function) -> boost::asio::awaitable<
        std::conditional_t<std::is_void_v<std::invoke_result_t<F>>, void, std::optional<std::invoke_result_t<F>>>> {
        if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
            function();
            co_return;
        } else {
            std::optional<std::invoke_result_t<F>> result(
                function());  // optional: co_spawn needs a default constructor
            co_return result;
        }
    }

    // Threads inherit the mask of the one that makes them. Signals are the loop's: one that reached a thread of the
    // pool after the loop's handler has gone would kill the process in the middle of its orderly end.
    class SignalsHeldBack {
      public:
        SignalsHeldBack() {
            sigset_t all;
            sigfillset(&all);
            pthread_sigmask(SIG_SETMASK, &all, &before_);
        }
        void end() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

      private:
        sigset_t before_{};
    };

    SignalsHeldBack starting_;  // before the pool: its threads begin with every signal blocked
    boost::asio::thread_pool pool_;
};

}  // namespace galleryd
