#include "controller/adapters/process/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace galleryd::process {
namespace {

std::unexpected<Error> not_started(const Command& command, const std::string& what, int number) {
    return fail(ErrorKind::denied, "ProgramNotStarted",
                command.program + " cannot be started: " + what + ": " + std::strerror(number));
}

// posix_spawn's two argument objects, filled in and freed.
class Preparation {
  public:
    Preparation() {
        ::posix_spawn_file_actions_init(&actions_);
        ::posix_spawnattr_init(&attributes_);
    }
    ~Preparation() {
        ::posix_spawn_file_actions_destroy(&actions_);
        ::posix_spawnattr_destroy(&attributes_);
    }
    Preparation(const Preparation&) = delete;
    Preparation& operator=(const Preparation&) = delete;

    int fill(int output, int errors) {
        sigset_t none;
        sigset_t all;
        ::sigemptyset(&none);
        ::sigfillset(&all);
        int failed = ::posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
        if (failed == 0) failed = ::posix_spawn_file_actions_adddup2(&actions_, output, 1);
        if (failed == 0) failed = ::posix_spawn_file_actions_adddup2(&actions_, errors, 2);
        if (failed == 0) failed = ::posix_spawn_file_actions_addclosefrom_np(&actions_, 3);
        if (failed == 0) failed = ::posix_spawnattr_setpgroup(&attributes_, 0);
        if (failed == 0) failed = ::posix_spawnattr_setsigmask(&attributes_, &none);
        if (failed == 0) failed = ::posix_spawnattr_setsigdefault(&attributes_, &all);
        constexpr short flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
        if (failed == 0) failed = ::posix_spawnattr_setflags(&attributes_, flags);
        return failed;
    }
    const posix_spawn_file_actions_t* actions() const { return &actions_; }
    const posix_spawnattr_t* attributes() const { return &attributes_; }

  private:
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> made;
    made.reserve(texts.size() + 1);
    for (std::string& text : texts) made.push_back(text.data());
    made.push_back(nullptr);
    return made;
}

struct Pipe {
    Descriptor read, write;
};

// Our write ends are numbered 3 and up, so that dup2 onto 1 and 2 never finds its source overwritten.
int open_pipe(Pipe& made) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno;
    made.read = Descriptor(ends[0]);
    made.write = Descriptor(ends[1]);
    if (made.write.get() < 3) {
        const int moved = ::fcntl(made.write.get(), F_DUPFD_CLOEXEC, 3);
        if (moved < 0) return errno;
        made.write = Descriptor(moved);
    }
    return ::fcntl(made.read.get(), F_SETFL, O_NONBLOCK) == 0 ? 0 : errno;
}

}  // namespace

Result<Spawned> spawn(const Command& command) {
    if (!command.program.starts_with('/')) return not_started(command, "its path is not absolute", EINVAL);
    Pipe output;
    Pipe errors;
    if (const int failed = open_pipe(output); failed != 0) return not_started(command, "pipe", failed);
    if (const int failed = open_pipe(errors); failed != 0) return not_started(command, "pipe", failed);
    Preparation preparation;
    if (const int failed = preparation.fill(output.write.get(), errors.write.get()); failed != 0)
        return not_started(command, "posix_spawn", failed);
    std::vector<std::string> texts{command.program};
    texts.insert(texts.end(), command.arguments.begin(), command.arguments.end());
    std::vector<std::string> environment = command.environment;
    const std::vector<char*> arguments = pointers(texts);
    const std::vector<char*> variables = pointers(environment);
    Spawned child;
    const int failed = ::posix_spawn(&child.group, command.program.c_str(), preparation.actions(),
                                     preparation.attributes(), arguments.data(), variables.data());
    if (failed != 0) return not_started(command, "posix_spawn", failed);
    child.watch = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, child.group, 0)));
    if (!child.watch) {
        const int number = errno;
        signal_group(child.group, SIGKILL);
        ::waitpid(child.group, nullptr, 0);  // killed: it ends at once
        return not_started(command, "pidfd_open", number);
    }
    child.output = std::move(output.read);
    child.errors = std::move(errors.read);
    return child;
}

void signal_group(pid_t group, int signal) {
    if (group > 1) ::kill(-group, signal);
}

bool reap(int watch, Ended& ended) {
    siginfo_t how{};
    const int failed = ::waitid(P_PIDFD, static_cast<id_t>(watch), &how, WEXITED | WNOHANG);
    if (failed != 0) return errno != EINTR;  // ECHILD: somebody ignores SIGCHLD; there is nothing to wait for
    if (how.si_pid == 0) return false;
    if (how.si_code == CLD_EXITED) ended.exit_code = how.si_status;
    else ended.signal = how.si_status;
    return true;
}

}  // namespace galleryd::process
