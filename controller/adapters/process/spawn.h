#pragma once
#include <sys/types.h>

#include "controller/adapters/process/child.h"
#include "controller/adapters/process/descriptor.h"

// Internal: starting and reaping.
namespace galleryd::process {

// A child that nobody has reaped yet; `group` is its process id and its process group.
struct Spawned {
    pid_t group = -1;
    Descriptor watch;           // pidfd: readable once the child has ended
    Descriptor output, errors;  // our ends of the pipes, non-blocking
};

Result<Spawned> spawn(const Command& command);
void signal_group(pid_t group, int signal);  // only before the child is reaped: the number is nobody else's until then
// True when it had ended: fills in how. Never waits.
bool reap(int watch, Ended& ended);

}  // namespace galleryd::process
