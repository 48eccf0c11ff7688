#include <doctest/doctest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>

#include "tests/unit/folder/sample_source.h"

using namespace galleryd;
using namespace galleryd::folder;
using namespace galleryd::folder::samples;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

// Waits for changed() beside the test.
struct Waiting {
    explicit Waiting(World& world) {
        boost::asio::co_spawn(world.io, world.source().changed(),
                              boost::asio::bind_cancellation_slot(signal.slot(), [this](std::exception_ptr failed) {
                                  is_done = true;
                                  exception = failed;
                              }));
        run_until_idle(world.io);
    }
    boost::asio::cancellation_signal signal;
    bool is_done = false;
    std::exception_ptr exception;
};

}  // namespace

TEST_CASE("a change in any folder wakes the waiter once, a hundred milliseconds later") {
    const TemporaryDirectory home;
    home.write("root/sub/a.yaml", "one");
    World world(home.file("root"));
    world.look();
    const auto wakes_after = [&](const std::function<void()>& edit) {
        const Waiting waiting(world);
        REQUIRE_FALSE(waiting.is_done);
        edit();
        run_until_idle(world.io);
        CHECK_FALSE(waiting.is_done);
        world.clock.advance(99ms);
        CHECK_FALSE(waiting.is_done);
        world.clock.advance(1ms);
        CHECK(waiting.is_done);
        CHECK(waiting.exception == nullptr);
    };
    wakes_after([&] { home.write("root/sub/a.yaml", "two"); });
    wakes_after([&] { home.write("root/sub/deeper/b.yaml", "three"); });
    CHECK(names(world.look()) == std::vector<std::string>{"three", "two"});
    wakes_after([&] { home.write("root/sub/deeper/b.yaml", "four"); });  // the new folder is watched since the look
    wakes_after([&] { fs::rename(home.file("root"), home.file("away")); });
    CHECK_FALSE(world.look().readable);
    wakes_after([&] { fs::rename(home.file("away"), home.file("root")); });
    CHECK(world.look().readable);
    CHECK(world.log.lines.empty());
}

TEST_CASE("a root that is a link wakes the waiter when it is swapped") {
    const TemporaryDirectory home;
    home.write("r1/a.yaml", "one");
    home.write("r2/a.yaml", "two");
    fs::create_symlink("r1", home.file("current"));
    World world(home.file("current"));
    CHECK(names(world.look()) == std::vector<std::string>{"one"});
    const Waiting waiting(world);
    home.write("beside.txt", "not ours");
    world.clock.advance(5s);
    CHECK_FALSE(waiting.is_done);
    fs::create_symlink("r2", home.file("current.tmp"));
    fs::rename(home.file("current.tmp"), home.file("current"));
    world.clock.advance(100ms);
    CHECK(waiting.is_done);
    CHECK(names(world.look()) == std::vector<std::string>{"two"});
}

TEST_CASE("without an event the folder is looked at every thirty seconds, sooner while something is unreadable") {
    const TemporaryDirectory home;
    home.write("root/a.yaml", "one");
    World world(home.file("root"));
    world.look();
    {
        const Waiting waiting(world);
        world.clock.advance(29'999ms);
        CHECK_FALSE(waiting.is_done);
        world.clock.advance(1ms);
        CHECK(waiting.is_done);
    }
    fs::remove_all(home.file("root"));
    world.look();
    const Waiting waiting(world);
    world.clock.advance(5s);
    CHECK(waiting.is_done);
}

TEST_CASE("waiting for a change can be cancelled") {
    const TemporaryDirectory home;
    World world(home.path());
    world.look();
    Waiting waiting(world);
    waiting.signal.emit(boost::asio::cancellation_type::terminal);
    run_until_idle(world.io);
    CHECK(waiting.is_done);
    REQUIRE(waiting.exception != nullptr);
    CHECK(world.clock.sleepers() == 0);
}
