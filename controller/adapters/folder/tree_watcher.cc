#include "controller/adapters/folder/tree_watcher.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>

namespace galleryd::folder {
namespace asio = boost::asio;

namespace {

constexpr std::uint32_t changes = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE | IN_MODIFY |
                                  IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr std::uint32_t name_changes = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR;

}  // namespace

struct TreeWatcher::Impl {
    Impl(asio::any_io_executor executor, Clock& the_clock, Log& the_log, std::string the_root)
        : clock(the_clock), log(the_log), root(std::move(the_root)), stream(std::move(executor)) {
        const int descriptor = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        if (descriptor >= 0) stream.assign(descriptor);
        else limit_reached(errno);
    }

    void limit_reached(int number) {
        complete = false;
        if (std::exchange(is_limit_logged, true)) return;
        log.warning("folder cannot be watched, looking at it at an interval only",
                    {{"code", "GD4012"},
                     {"folder", root},
                     {"cause", std::strerror(number)},
                     {"setting", "fs.inotify.max_user_watches"}});
    }

    // Watch descriptor, or -1. A folder that vanished meanwhile is no failure: the next look sees it.
    int add(const std::string& path, std::uint32_t mask) {
        if (!stream.is_open()) return -1;
        const int watch = ::inotify_add_watch(stream.native_handle(), path.c_str(), mask);
        if (watch < 0 && errno != ENOENT && errno != ENOTDIR && errno != EACCES) limit_reached(errno);
        return watch;
    }

    bool matters(const inotify_event& event) const {
        if ((event.mask & IN_IGNORED) != 0) return false;  // the end of a watch, always after the event that caused it
        if (event.wd != parent_watch || watches.contains(event.wd)) return true;
        return event.len > 0 && root_name == event.name;  // somebody else's file beside our root
    }

    Clock& clock;
    Log& log;
    std::string root, root_name;
    asio::posix::stream_descriptor stream;
    std::map<int, std::string> watches;  // watch descriptor -> folder
    int parent_watch = -1;
    bool complete = true;
    bool is_limit_logged = false;
};

TreeWatcher::TreeWatcher(asio::any_io_executor executor, Clock& clock, Log& log, std::string root)
    : impl_(std::make_unique<Impl>(std::move(executor), clock, log, std::move(root))) {
    watch_root_name();
}

TreeWatcher::~TreeWatcher() = default;

void TreeWatcher::watch_root_name() {
    std::filesystem::path path(impl_->root);
    if (path.filename().empty()) path = path.parent_path();  // "manifests/"
    impl_->root_name = path.filename().string();
    if (impl_->root_name.empty() || impl_->root_name == "." || impl_->root_name == "..") return;
    const std::string parent = path.has_parent_path() ? path.parent_path().string() : ".";
    impl_->parent_watch = impl_->add(parent, name_changes | IN_MASK_ADD);
}

void TreeWatcher::watch(const std::vector<FoundFolder>& folders) {
    impl_->complete = impl_->stream.is_open();
    std::map<int, std::string> now;
    for (const FoundFolder& folder : folders) {
        const std::string path = folder.path.empty() ? impl_->root : impl_->root + "/" + folder.path;
        const int watch = impl_->add(path, changes | IN_MASK_ADD);  // the same folder gives the same number again
        if (watch >= 0) now.emplace(watch, folder.path);
    }
    for (const auto& [watch, path] : impl_->watches) {
        if (!now.contains(watch) && watch != impl_->parent_watch)
            ::inotify_rm_watch(impl_->stream.native_handle(), watch);
    }
    impl_->watches = std::move(now);
    watch_root_name();  // the parent may have been replaced too
}

bool TreeWatcher::drain() {
    if (!impl_->stream.is_open()) return false;
    bool changed = false;
    alignas(inotify_event) char buffer[16 * 1024];
    for (;;) {
        const ssize_t size = ::read(impl_->stream.native_handle(), buffer, sizeof buffer);
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return changed;
        for (const char* at = buffer; at < buffer + size;) {
            inotify_event event;
            std::memcpy(&event, at, sizeof event);
            const auto* whole = reinterpret_cast<const inotify_event*>(at);
            changed = changed || (event.mask & IN_Q_OVERFLOW) != 0 || impl_->matters(*whole);
            at += sizeof(inotify_event) + event.len;
        }
    }
}

asio::awaitable<bool> TreeWatcher::wait(std::chrono::nanoseconds interval) {
    const auto executor = co_await asio::this_coro::executor;
    const auto end = impl_->clock.monotonic() + interval;
    while (!drain()) {
        const auto left = end - impl_->clock.monotonic();
        if (left <= std::chrono::nanoseconds::zero()) co_return false;
        if (!impl_->stream.is_open()) {
            co_await impl_->clock.sleep_for(left);
            continue;
        }
        auto race = asio::experimental::make_parallel_group(
            impl_->stream.async_wait(asio::posix::stream_descriptor::wait_read, asio::deferred),
            asio::co_spawn(executor, impl_->clock.sleep_for(left), asio::deferred));
        auto ended = std::move(race).async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
        static_cast<void>(co_await std::move(ended));
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none)
            throw boost::system::system_error(asio::error::operation_aborted);
    }
    co_return true;
}

bool TreeWatcher::is_complete() const { return impl_->complete; }

}  // namespace galleryd::folder
