#include "controller/adapters/process/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <optional>

#include "controller/adapters/process/spawn.h"

namespace galleryd::process {
namespace {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;
using boost::system::error_code;

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::seconds farewell{1};  // between SIGTERM and SIGKILL
constexpr std::size_t dying_max = 64;

enum class Verdict : std::uint8_t { ended, too_late, too_much };

// What has been read so far; at most `limit` bytes.
struct Output {
    std::string text;
    std::size_t limit = 0;
    bool overflowed = false;
    void add(const char* data, std::size_t size) {
        overflowed = overflowed || size > limit - text.size();
        text.append(data, std::min(size, limit - text.size()));
    }
};

bool was_cancelled(const std::exception_ptr& exception) {
    try {
        std::rethrow_exception(exception);
    } catch (const boost::system::system_error& error) {
        return error.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

// Ends when there is too much, else with the child: a closed pipe alone says nothing.
asio::awaitable<void> read_all(stream_descriptor& pipe, stream_descriptor& watch, Output& output) {
    std::array<char, 4096> buffer{};
    while (!output.overflowed) {
        const auto space = asio::buffer(buffer);
        const auto [error, size] = co_await pipe.async_read_some(space, use_tuple);
        if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
        output.add(buffer.data(), size);
        if (error) break;
    }
    if (!output.overflowed) co_await watch.async_wait(stream_descriptor::wait_read, asio::use_awaitable);
}

asio::awaitable<void> wait_for_end(stream_descriptor& watch) {
    co_await watch.async_wait(stream_descriptor::wait_read, asio::use_awaitable);
}

void read_rest(int pipe, Output& output) {  // what lies in the pipe, without waiting
    std::array<char, 4096> buffer{};
    while (!output.overflowed) {
        const ssize_t size = ::read(pipe, buffer.data(), buffer.size());
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return;
        output.add(buffer.data(), static_cast<std::size_t>(size));
    }
}

// Killed children that had not ended yet when their call was given up. Shared with the calls: their frames may die
// after the runner, together with the executor.
class Dying {
  public:
    ~Dying() { reap_all(); }
    void add(int watch) {
        reap_all();
        if (watches_.size() < dying_max) watches_.emplace_back(::fcntl(watch, F_DUPFD_CLOEXEC, 0));
    }
    void reap_all() {
        Ended ignored;
        std::erase_if(watches_, [&](const Descriptor& watch) { return reap(watch.get(), ignored); });
    }

  private:
    std::vector<Descriptor> watches_;
};

class SystemRunner : public Runner {
  public:
    explicit SystemRunner(Clock& clock) : clock_(clock), dying_(std::make_shared<Dying>()) {}
    Task<Ended> run(Command command) override;

  private:
    Clock& clock_;
    std::shared_ptr<Dying> dying_;
};

// One running child. Its destructor kills the group, whatever happened: on success only leftovers are in it.
class Child {
  public:
    Child(std::shared_ptr<Dying> dying, asio::any_io_executor executor, Clock& clock, Spawned spawned,
          std::size_t limit)
        : dying_(std::move(dying)),
          clock_(clock),
          group_(spawned.group),
          watch_(executor, spawned.watch.release()),
          output_pipe_(executor, spawned.output.release()),
          errors_pipe_(executor, spawned.errors.release()),
          output_{.text = {}, .limit = limit},
          errors_{.text = {}, .limit = limit} {}
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        if (reaped_) return;
        signal_group(group_, SIGKILL);
        Ended ignored;
        if (!reap(watch_.native_handle(), ignored)) dying_->add(watch_.native_handle());
    }

    // Ended, too much output, or too late; in the last two cases the group has been told to go.
    asio::awaitable<Verdict> follow(std::chrono::nanoseconds limit);
    asio::awaitable<void> end();
    std::optional<Ended> take();  // nullopt: too much output. Requires: the child has ended

  private:
    std::shared_ptr<Dying> dying_;
    Clock& clock_;
    pid_t group_;
    stream_descriptor watch_, output_pipe_, errors_pipe_;
    Output output_, errors_;
    bool reaped_ = false;
};

asio::awaitable<Verdict> Child::follow(std::chrono::nanoseconds limit) {
    const auto executor = co_await asio::this_coro::executor;
    auto race = asio::experimental::make_parallel_group(
        asio::co_spawn(executor, wait_for_end(watch_), asio::deferred),
        asio::co_spawn(executor, read_all(output_pipe_, watch_, output_), asio::deferred),
        asio::co_spawn(executor, read_all(errors_pipe_, watch_, errors_), asio::deferred),
        asio::co_spawn(executor, clock_.sleep_for(limit), asio::deferred));
    auto first = std::move(race).async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    const auto [order, ended, output, errors, timer] = co_await std::move(first);
    const auto state = co_await asio::this_coro::cancellation_state;
    for (const std::exception_ptr& failed : {ended, output, errors, timer}) {
        if (failed && !was_cancelled(failed)) std::rethrow_exception(failed);
    }
    if (state.cancelled() != asio::cancellation_type::none)
        throw boost::system::system_error(asio::error::operation_aborted);
    if (output_.overflowed || errors_.overflowed) co_return Verdict::too_much;
    co_return order[0] == 3 ? Verdict::too_late : Verdict::ended;
}

asio::awaitable<void> Child::end() {
    signal_group(group_, SIGTERM);
    const auto executor = co_await asio::this_coro::executor;
    auto race =
        asio::experimental::make_parallel_group(asio::co_spawn(executor, wait_for_end(watch_), asio::deferred),
                                                asio::co_spawn(executor, clock_.sleep_for(farewell), asio::deferred));
    auto first = std::move(race).async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    const auto [order, ended, timer] = co_await std::move(first);
    signal_group(group_, SIGKILL);
    if (order[0] == 1) co_await watch_.async_wait(stream_descriptor::wait_read, asio::use_awaitable);
}

std::optional<Ended> Child::take() {
    signal_group(group_, SIGKILL);
    read_rest(output_pipe_.native_handle(), output_);
    read_rest(errors_pipe_.native_handle(), errors_);
    Ended result;
    reaped_ = reap(watch_.native_handle(), result);
    if (output_.overflowed || errors_.overflowed) return std::nullopt;
    result.output = std::move(output_.text);
    result.errors = std::move(errors_.text);
    return result;
}

Task<Ended> SystemRunner::run(Command command) {
    dying_->reap_all();
    auto spawned = spawn(command);
    if (!spawned) co_return std::unexpected(spawned.error());
    const auto executor = co_await asio::this_coro::executor;
    Child child(dying_, executor, clock_, std::move(*spawned), command.output_bytes_max);
    const Verdict verdict = co_await child.follow(command.deadline);
    if (verdict == Verdict::ended) {
        auto ended = child.take();
        if (ended) co_return std::move(*ended);
    } else {
        co_await child.end();
    }
    if (verdict == Verdict::too_late) {
        co_return fail(ErrorKind::transient, "DeadlineExceeded",
                       command.program + " did not end within " +
                           std::to_string(std::chrono::ceil<std::chrono::seconds>(command.deadline).count()) + " s");
    }
    co_return fail(ErrorKind::invalid, "OutputTooLarge",
                   command.program + " printed more than " + std::to_string(command.output_bytes_max) + " bytes");
}

}  // namespace

std::unique_ptr<Runner> make_runner(Clock& clock) { return std::make_unique<SystemRunner>(clock); }

std::string find_program(const std::string& name, const std::string& path) {
    if (name.empty() || name.find('/') != std::string::npos) return {};
    for (std::size_t from = 0; from <= path.size();) {
        const std::size_t end = std::min(path.find(':', from), path.size());
        const std::string folder = path.substr(from, end - from);
        from = end + 1;
        if (!folder.starts_with('/')) continue;
        const std::string found = folder + "/" + name;
        struct stat about {};
        if (::stat(found.c_str(), &about) == 0 && S_ISREG(about.st_mode) && ::access(found.c_str(), X_OK) == 0)
            return found;
    }
    return {};
}

}  // namespace galleryd::process
