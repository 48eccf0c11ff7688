#pragma once
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "controller/ports/clock.h"
#include "controller/ports/task.h"

// Child programs, without a shell and without blocking the one thread.
namespace galleryd::process {

struct Command {
    std::string program;                     // absolute path; no search, no shell
    std::vector<std::string> arguments{};    // what follows argv[0]
    std::vector<std::string> environment{};  // "NAME=value": all that the child gets, nothing is inherited
    std::chrono::milliseconds deadline{30'000};
    std::size_t output_bytes_max = 64UL * 1024;  // of standard output and of standard error, each
};

struct Ended {
    int exit_code = -1;  // -1 when a signal ended it
    int signal = 0;      // 0 when it exited
    std::string output{}, errors{};
};

// Runs one program to its end. The child has a process group of its own, the null device as standard input, pipes for
// its outputs, no other descriptor of ours, no blocked or ignored signal, and only the environment it was given. When
// it has ended, whatever else is left of its group is killed and what lies in the pipes is read; what a grandchild that
// left the group holds open is not waited for.
// Errors: `denied` ProgramNotStarted (missing, not executable, no descriptors left); `transient` DeadlineExceeded and
// `invalid` OutputTooLarge, after which the group was asked to end (SIGTERM), killed a second later, and reaped.
// Cancellation kills the group at once.
class Runner {
  public:
    virtual ~Runner() = default;
    virtual Task<Ended> run(Command command) = 0;
};

// `clock` outlives the runner; the runner outlives its calls. Linux 5.4 or newer (pidfd).
std::unique_ptr<Runner> make_runner(Clock& clock);

// The first executable regular file `name` in the folders of `path` ("/usr/bin:/bin"; relative folders are skipped: the
// working directory is nobody's business), or "".
std::string find_program(const std::string& name, const std::string& path);

}  // namespace galleryd::process
