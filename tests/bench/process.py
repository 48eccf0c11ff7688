"""What the kernel knows of one process: CPU time, memory, how often it woke up. Of that process alone; the simulator is another."""
import os
import signal
import threading
import time


def _status(pid, name):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith(name + ":"):
                return int(line.split()[1])
    raise KeyError(name)


def rss_mib(pid):
    return _status(pid, "VmRSS") / 1024


def peak_mib(pid):
    """The most since the start, or since reset_peak."""
    return _status(pid, "VmHWM") / 1024


def reset_peak(pid):
    with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def cpu_seconds(pid):
    """User and system time of the whole process, threads that ended included, in nanoseconds' resolution (clock_getcpuclockid)."""
    return time.clock_gettime((~pid << 3) | 2)


def wake_ups(pid):
    """Voluntary context switches of all threads that live: each is one wake-up later."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii", errors="replace") as file:
            total += next(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt_switches"))
    return total


def run_to_end(command, env, out="/dev/null", err="/dev/null", seconds_max=None):
    """Runs a command as a child of its own; (exit code, wall seconds, CPU seconds, peak MiB). Peak and CPU are the child's alone. After
    seconds_max it is ended, with everything that it started; the exit code is None then."""
    began = time.monotonic()
    pid = os.posix_spawnp(command[0], command, env, setpgroup=0, file_actions=[
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, err, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)])
    alarm = threading.Timer(seconds_max or 3600, os.killpg, (pid, signal.SIGKILL))
    alarm.start()
    _, status, usage = os.wait4(pid, 0)
    wall = time.monotonic() - began
    alarm.cancel()
    code = None if seconds_max is not None and wall >= seconds_max else os.waitstatus_to_exitcode(status)
    return code, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
