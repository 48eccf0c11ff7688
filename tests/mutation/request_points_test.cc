#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>
#include <memory>

#include "tests/mutation/scene.h"
#include "tests/support/temporary_directory.h"

// Points 10 to 12: brakes and approval, who may write, the record of the intent.
using namespace galleryd;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

EngineOptions one_an_hour() {
    EngineOptions options = WorldOptions::deleting_engine();
    options.deletes_per_hour_max = 1;
    return options;
}

// A second daemon that was started on the same state directory, by mistake: it opens the journal, looks at everything,
// and goes its own way.
struct SecondDaemon {
    SecondDaemon(World& world, std::unique_ptr<Journal> opened)
        : journal(std::move(opened)),
          engine(world.arm, *journal, world.daemon_clock, world.log, world.metrics, world.engine_options()),
          tasks(world.context.get_executor()) {
        REQUIRE(engine.load().has_value());
        REQUIRE(engine.accept(world.read_folder()).has_value());
    }
    boost::asio::awaitable<void> pass_all() {
        std::vector<std::string> names;
        for (const auto& [name, scope] : engine.scopes()) names.push_back(name);
        for (const std::string& name : names) {
            const auto result = co_await engine.pass(name);
            CHECK(result.has_value());
        }
    }
    void close(World& world) {
        boost::asio::co_spawn(world.context, tasks.close(), [](const std::exception_ptr&) {});
        world.round(seconds{1});
    }

    std::unique_ptr<Journal> journal;
    Engine engine;
    TaskGroup tasks;
};

}  // namespace

TEST_CASE("point 10: where approval is required nothing goes before a person gave it") {
    scene::check_is_missed(
        10, "nobody approved it", [] { return scene::aged({.approves = false}); },
        [](World& world) { world.pass_time(minutes{80}); });
}

TEST_CASE("point 10: more than the brake allows needs a person") {
    scene::check_is_missed(
        10, "more than the brake allows", [] { return scene::six(); },
        [](World& world) {
            scene::take_out(world, {"version-1.0.0.yaml", "version-1.1.0.yaml", "version-1.2.0.yaml"});
            world.approve(world.revision());
            world.guard.approved_source();
            world.look();
            world.pass_time(minutes{40});
        });
}

TEST_CASE("point 10: no more than so many deletions in an hour") {
    scene::check_is_missed(
        10, "more deletions within an hour", [] { return scene::aged({.engine = one_an_hour()}); },
        [](World& world) { world.pass_time(minutes{75}); });
}

TEST_CASE("point 10: outside the window nothing goes") {
    scene::check_is_missed(
        10, "outside the policy's window",
        [] {
            return scene::aged(
                {.retention = "approval: Required, window: {from: '04:00', to: '05:00', timeZone: UTC}"});
        },
        [](World& world) { world.pass_time(minutes{80}); });
}

TEST_CASE("point 10: `apply` deletes only what the person at the terminal said yes to") {
    scene::check_is_missed(
        10, "which nobody confirmed", [] { return scene::six(); },
        [](World& world) {
            scene::settle_removal(world);
            world.engine->confirm_only({});
            world.guard.confirmed.emplace();
            world.pass_time(minutes{3});
        });
}

TEST_CASE("point 11: a process that was told to stop sends no deletion any more") {
    scene::check_is_missed(
        11, "by a process that was told to stop", [] { return scene::six(); },
        [](World& world) {
            scene::settle_removal(world);
            world.faults("[{method: GET, path: '" + scene::victim + "*', count: 1, delay: 10}]");
            world.round(seconds{5});
            world.stop_writing();
            world.round(seconds{30});
        });
}

TEST_CASE("point 11: of two daemons on one state directory only the first one deletes") {
    const TemporaryDirectory directory;
    int number = 0;
    std::string path;
    const auto open = [&](TimePoint now) {
        journal::JournalOptions options;
        options.directory = path;
        options.now = now;
        return journal::open_journal(options);
    };
    scene::check_is_missed(
        11, "version in state Deleting deleted",
        [&] {
            path = directory.path() + "/" + std::to_string(++number);
            return scene::six({.open_journal = open});
        },
        [&](World& world) {
            scene::take_out(world, {scene::victim_file});
            auto opened = open(world.clock.now());
            if (!opened) {
                CHECK(opened.error().code == "GD4101");
                return;
            }
            SecondDaemon second(world, std::move(*opened));
            second.tasks.spawn(second.pass_all());
            world.pass_time(minutes{15});
            REQUIRE(second.engine.accept(world.read_folder()).has_value());
            world.faults("[{method: GET, path: '" + scene::victim + "*', count: 2, delay: 5}]");
            second.tasks.spawn(second.pass_all());
            world.round(seconds{60});
            second.close(world);
        });
}

TEST_CASE("point 12: the intent is in the journal before the request leaves") {
    scene::check_is_missed(
        12, "I3: no intent in the journal", [] { return scene::six(); },
        [](World& world) {
            scene::settle_removal(world);
            world.round();
        });
}

TEST_CASE("point 12: nothing is deleted once the journal cannot be written") {
    const auto open = [](TimePoint now) {
        journal::JournalOptions options;
        options.in_memory = true;
        options.now = now;
        options.pages_max = 2'000;
        return journal::open_journal(options);
    };
    scene::check_is_missed(
        12, "I3: no intent in the journal", [&] { return scene::six({.open_journal = open}); },
        [](World& world) {
            scene::settle_removal(world);
            const std::string much(1UL << 20, 'x');
            for (int i = 0; i < 10 && world.journal->writable(); ++i)
                static_cast<void>(world.journal->put_setting("filler" + std::to_string(i), much).has_value());
            REQUIRE_FALSE(world.journal->writable());
            world.round();
        });
}

TEST_CASE("a scene in which nobody would miss the point fails" * doctest::should_fail()) {
    scene::check_is_missed(
        7, "", [] { return scene::six(); }, [](World& world) { world.pass_time(minutes{5}); });
}
