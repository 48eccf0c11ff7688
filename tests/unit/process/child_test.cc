#include "controller/adapters/process/child.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>

#include "tests/support/manual_clock.h"
#include "tests/support/run_task.h"
#include "tests/support/temporary_directory.h"

using namespace galleryd;
using namespace galleryd::process;
using std::chrono::seconds;

namespace {

// Real children on a clock that only the test moves.
struct Children {
    boost::asio::io_context io;
    ManualClock clock{io};
    std::unique_ptr<Runner> runner = make_runner(clock);
    TemporaryDirectory folder;

    Command script(const std::string& text) {
        folder.write("script", "#!/bin/sh\n" + text + "\n");
        ::chmod(folder.file("script").c_str(), 0700);
        return {.program = folder.file("script"), .environment = {"PATH=/usr/bin:/bin"}};
    }
    Result<Ended> run(Command command) { return run_task(io, runner->run(std::move(command))); }
    // Until the child has written this file (its process id): it lives then.
    pid_t wait_for(const std::string& name) {
        const auto written = [&] { return folder.read(name).ends_with("\n"); };
        REQUIRE(detail::run_until(io, written));
        return static_cast<pid_t>(std::stol(folder.read(name)));
    }
    bool lives(pid_t process) const { return ::kill(process, 0) == 0 && !is_zombie(process); }
    static bool is_zombie(pid_t process) {
        std::ifstream file("/proc/" + std::to_string(process) + "/stat");
        const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
        return text.find(") Z ") != std::string::npos;
    }
};

}  // namespace

TEST_CASE("a child's outputs and exit code come back") {
    Children children;
    const auto ended = children.run(children.script("echo out; echo err >&2; exit 3"));
    REQUIRE(ended.has_value());
    CHECK(ended->output == "out\n");
    CHECK(ended->errors == "err\n");
    CHECK(ended->exit_code == 3);
    CHECK(ended->signal == 0);
    const auto killed = children.run(children.script("kill -9 $$"));
    REQUIRE(killed.has_value());
    CHECK(killed->exit_code == -1);
    CHECK(killed->signal == SIGKILL);
}

TEST_CASE("arguments reach the child as they are, without a shell in between") {
    Children children;
    Command command = children.script("printf '%s|' \"$@\"");
    command.arguments = {"two words", "$(id)", "; rm -rf x", "", "*"};
    const auto ended = children.run(std::move(command));
    REQUIRE(ended.has_value());
    CHECK(ended->output == "two words|$(id)|; rm -rf x||*|");
}

TEST_CASE("a child gets its environment, the null device and two pipes, and nothing else of ours") {
    Children children;
    ::setenv("GALLERYD_TEST_CANARY", "canary-7781", 1);
    const int open_here = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC, as a library might
    REQUIRE(open_here > 2);
    Command command = children.script("env; ls -l /proc/self/fd; cat; ps -o pgid= -p $$ 2>/dev/null; exit 0");
    command.environment.emplace_back("GIVEN=yes");
    const auto ended = children.run(std::move(command));
    ::close(open_here);
    ::unsetenv("GALLERYD_TEST_CANARY");
    REQUIRE(ended.has_value());
    CHECK(ended->output.contains("GIVEN=yes"));
    CHECK_FALSE(ended->output.contains("canary-7781"));
    CHECK(ended->output.contains("0 -> /dev/null"));
    CHECK(ended->output.contains("1 -> pipe:"));
    CHECK_FALSE(ended->output.contains("socket:"));
    CHECK_FALSE(ended->output.contains("eventpoll"));
    CHECK_FALSE(ended->output.contains(std::to_string(open_here) + " -> /dev/null"));
}

TEST_CASE("blocked and ignored signals of ours are as usual in the child") {
    Children children;
    sigset_t blocked;
    sigset_t before;
    ::sigemptyset(&blocked);
    ::sigaddset(&blocked, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
    const auto old = ::signal(SIGPIPE, SIG_IGN);
    const auto ended = children.run(children.script("grep -E 'SigBlk|SigIgn' /proc/self/status"));
    ::signal(SIGPIPE, old);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    REQUIRE(ended.has_value());
    CHECK(ended->output.starts_with("SigBlk:\t0000000000000000\n"));
    const auto ignored = std::stoull(ended->output.substr(ended->output.find("SigIgn:\t") + 8), nullptr, 16);
    CHECK((ignored & 0x7fff'ffffU) == 0);  // 32 and 33 are the C library's own
}

TEST_CASE("at the deadline the whole group goes, also one that ignores the request to end") {
    Children children;
    Command command = children.script("trap '' TERM\nsleep 600 &\necho $! > " + children.folder.file("grandchild") +
                                      "\necho $$ > " + children.folder.file("child") + "\nwait\nsleep 600");
    command.deadline = seconds{30};
    StartedTask<Ended> task(children.io, children.runner->run(std::move(command)));
    const pid_t child = children.wait_for("child");
    const pid_t grandchild = children.wait_for("grandchild");
    CHECK(children.lives(child));
    children.clock.advance(seconds{29});
    CHECK_FALSE(task.done());
    children.clock.advance(seconds{1});  // SIGTERM
    children.clock.advance(seconds{1});  // SIGKILL
    REQUIRE(detail::run_until(children.io, [&] { return task.done(); }));
    CHECK(task.result().error().reason == "DeadlineExceeded");
    CHECK(task.result().error().kind == ErrorKind::transient);
    CHECK(task.result().error().message.contains("within 30 s"));
    CHECK_FALSE(children.lives(child));
    CHECK(::kill(child, 0) != 0);  // reaped, no zombie
    REQUIRE(detail::run_until(children.io, [&] { return !children.lives(grandchild); }));
}

TEST_CASE("too much output ends the child, and memory stays bounded") {
    Children children;
    for (const char* where : {"", " >&2"}) {
        CAPTURE(where);
        Command command = children.script(std::string("while :; do echo 0123456789012345678901234567890123456789") +
                                          where + "; done");
        command.output_bytes_max = 10'000;
        const auto ended = children.run(std::move(command));
        REQUIRE_FALSE(ended.has_value());
        CHECK(ended.error().reason == "OutputTooLarge");
        CHECK(ended.error().message.contains("10000 bytes"));
    }
    Command exact = children.script("head -c 10001 /dev/zero");  // all of it fits into the pipe before we look
    exact.output_bytes_max = 10'000;
    CHECK(children.run(std::move(exact)).error().reason == "OutputTooLarge");
    Command fits = children.script("head -c 10000 /dev/zero");
    fits.output_bytes_max = 10'000;
    CHECK(children.run(std::move(fits)).value_or(Ended{}).output.size() == 10'000);
}

TEST_CASE("a grandchild that keeps the pipes open does not keep us, and does not outlive its parent") {
    Children children;
    const auto ended =
        children.run(children.script("sleep 600 &\necho $! > " + children.folder.file("grandchild") + "\necho done"));
    REQUIRE(ended.has_value());
    CHECK(ended->output == "done\n");
    const pid_t grandchild = children.wait_for("grandchild");
    REQUIRE(detail::run_until(children.io, [&] { return !children.lives(grandchild); }));
}

TEST_CASE("a child that closes its outputs is still waited for") {
    Children children;
    const auto ended = children.run(children.script("exec >&- 2>&-\nsleep 0.05\nexit 7"));
    REQUIRE(ended.has_value());
    CHECK(ended->exit_code == 7);
}

TEST_CASE("a cancelled call kills its child at once") {
    Children children;
    Command command = children.script("echo $$ > " + children.folder.file("child") + "\nexec sleep 600");
    StartedTask<Ended> task(children.io, children.runner->run(std::move(command)));
    const pid_t child = children.wait_for("child");
    task.cancel(children.io);
    REQUIRE(detail::run_until(children.io, [&] { return task.done(); }));
    CHECK(task.exception() != nullptr);
    REQUIRE(detail::run_until(children.io, [&] { return !children.lives(child); }));
    CHECK(children.run(children.script("exit 0")).has_value());  // and the next call reaps it
    CHECK(::kill(child, 0) != 0);
}

TEST_CASE("a child whose loop is taken down is killed with it, also after its runner") {
    TemporaryDirectory folder;
    pid_t child = 0;
    {
        Children children;
        Command command = children.script("echo $$ > " + folder.file("child") + "\nexec sleep 600");
        const StartedTask<Ended> task(children.io, children.runner->run(std::move(command)));
        REQUIRE(detail::run_until(children.io, [&] { return folder.read("child").ends_with("\n"); }));
        child = static_cast<pid_t>(std::stol(folder.read("child")));
        children.runner.reset();  // the frames die last, with the loop
        CHECK(children.lives(child));
    }
    boost::asio::io_context io;
    REQUIRE(detail::run_until(io, [&] { return ::kill(child, 0) != 0 || Children::is_zombie(child); }));
}

TEST_CASE("what is no program is refused with its name") {
    Children children;
    for (const std::string& program : {std::string("/nowhere/az"), std::string("az"), children.folder.path()}) {
        CAPTURE(program);
        const auto ended = children.run(Command{.program = program});
        REQUIRE_FALSE(ended.has_value());
        CHECK(ended.error().kind == ErrorKind::denied);
        CHECK(ended.error().reason == "ProgramNotStarted");
        CHECK(ended.error().message.contains(program));
    }
}

TEST_CASE("children leave no descriptors behind") {
    Children children;
    const auto open_now = [] {
        return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                             std::filesystem::directory_iterator());
    };
    CHECK(children.run(children.script("exit 0")).has_value());
    const auto before = open_now();
    for (int i = 0; i < 5; ++i) CHECK(children.run(children.script("exit 0")).has_value());
    CHECK_FALSE(children.run(Command{.program = "/nowhere/az"}).has_value());
    CHECK(open_now() == before);
}

TEST_CASE("a program is found on absolute folders of the path only, and must be executable") {
    TemporaryDirectory folder;
    folder.write("one/az", "no");
    folder.write("two/az", "yes");
    std::filesystem::create_directories(folder.file("zero/az"));
    ::chmod(folder.file("two/az").c_str(), 0700);
    const std::string path =
        "." + (":" + folder.file("zero")) + ":" + folder.file("one") + "::" + folder.file("two") + ":/usr/bin";
    CHECK(find_program("az", path) == folder.file("two/az"));
    CHECK(find_program("az", folder.file("one")).empty());
    CHECK(find_program("../two/az", folder.file("one")).empty());
    CHECK(find_program("az", "").empty());
}
