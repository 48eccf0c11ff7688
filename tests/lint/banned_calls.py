#!/usr/bin/env python3
"""Calls that this code base does without, each with the reason; and the shape of await statements.

A line that has to break a rule says so, with the reason, on itself or on the line before: // lint: allow RULE (why)"""
import re

from cxx.source import Report, allowed_lines, blank_out, code_files, expect, line_of, main, read

CLOCK = ("controller/adapters/clock/",)

# rule, pattern, reason, path prefixes where it is allowed
RULES = [
    ("detached", r"\bdetached\b", "every task has an owner: TaskGroup::spawn", ()),
    ("clock", r"\b(system|steady|high_resolution|utc|file)_clock\s*::\s*now\b|\bgettimeofday\b|\bclock_gettime\b|\bstd::time\s*\(",
     "time comes from ports/clock.h", CLOCK + ("tests/tools/", "tests/support/")),   # a test that hangs is ended by the real clock
    ("timer", r"\b(steady|system|high_resolution|deadline)_timer\b", "timers come from ports/clock.h", CLOCK),
    ("sleep", r"\bthis_thread\s*::\s*sleep_|\busleep\s*\(|\bnanosleep\s*\(|(?<![\w.>])sleep\s*\(", "nothing sleeps: wait for the event, with a deadline", ()),
    ("shell", r"(?<![\w.>:])(?:::|std::)?(system|popen|execl[pe]?|execvp?e?|fork|vfork)\s*\(", "no shell, no fork: posix_spawn with an argument vector", ("tests/",)),
    ("await_or", r"\bawaitable_operators\b|co_await[^;{]*\|\|[^;]*co_await|co_await\s*\([^;]*\|\|", "Asio's || waits for the loser: use within(limit, task)", ()),
    ("yaml_load", r"\bYAML\s*::\s*Load\w*\b", "YAML::Load spins for ever on the document ',' and expands alias bombs: use the event reader", ("tests/",)),
    ("random", r"\b(std::|::)?s?rand\s*\(|\brandom_device\b", "chance comes from ports/clock.h (Random)", CLOCK),
    ("environment", r"\b(secure_)?getenv\s*\(|\b(set|put|unset)env\s*\(", "the environment is read by controller/program only", ("controller/program/", "tests/")),
    ("new", r"\bnew\s+[A-Za-z_:(]|\bnew\s*\(", "std::make_unique", ()),
    ("delete", r"(?<![=\w])\s*\bdelete\b\s*(\[\s*\])?\s*[A-Za-z_*(]", "owners delete", ()),
    ("malloc", r"\b(malloc|calloc|realloc|free|strdup|alloca)\s*\(", "containers own memory", ()),
    ("mutex", r"\bstd::(mutex|shared_mutex|recursive_mutex|lock_guard|scoped_lock|unique_lock|shared_lock|condition_variable\w*|atomic\w*|call_once|once_flag)\b",
     "one thread owns all state; only the metrics registry is shared", ("controller/adapters/telemetry/", "controller/core/on_threads.h", "tests/")),
    ("thread", r"\bstd::(thread|jthread|async|promise)\b", "threads are started by controller/program and by the blocking pool only",
     ("controller/program/", "controller/runtime/", "controller/core/on_threads.h", "tests/")),
    ("catch_all", r"\bcatch\s*\(\s*\.\.\.\s*\)", "only the worker and main catch everything (it would swallow cancellation)",
     ("controller/runtime/", "controller/program/", "controller/core/on_threads.h", "tests/")),   # also fine: looking into an exception_ptr, see below
    ("print", r"\bstd::(cout|cerr|clog)\b|(?<![\w:])(std::)?(printf|puts|putchar|fprintf|fputs|perror)\s*\(",
     "results go through controller/program, everything else through ports/log.h",
     ("controller/program/", "controller/core/result.cc", "controller/adapters/telemetry/", "tests/")),
    ("assert", r"(?<!\w)assert\s*\(", "CHECK also holds in release builds", ()),
    ("stream_of_strings", r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atof)\s*\(", "unbounded or unchecked: std::string, from_chars", ()),
    ("using_namespace_std", r"\busing\s+namespace\s+std\s*;", "names say where they come from", ()),
]


def await_regions(code):
    """(offset, text) of each statement part that belongs to one co_await: back to the statement's begin, on to its end."""
    for match in re.finditer(r"\bco_await\b", code):
        depth, end = 0, match.end()
        while end < len(code):
            char = code[end]
            if char in "([{":
                depth += 1
            elif char in ")]}":
                if depth == 0:
                    break
                depth -= 1
            elif char == ";" and depth == 0:
                break
            end += 1
        yield match.start(), code[match.end():end]


OWNED_AT_ONCE = re.compile(r"\bunique_ptr<[\w:<>, ]+>\s*(\w+\s*)?[({]\s*$")   # a private constructor is out of make_unique's reach
HARMLESS_BRACES = re.compile(r"\bstd::(?!array|pair|initializer_list)[\w:]+(<[^<>{}]*>)?\s*\{[^{}]*\}")   # classes with constructors, no aggregates
BLOCK_BEGINS = re.compile(r"(\)|[;{}:]|\b(else|do|try|const|noexcept|override|mutable)|->\s*[\w:<>, &*]+)$")


def is_inside_initialiser(code, offset):
    """Whether the innermost open brace before the offset opens a list of values, not a block."""
    depth, at = 0, offset
    while at > 0:
        at -= 1
        if code[at] == "}":
            depth += 1
        elif code[at] == "{":
            if depth == 0:
                return not BLOCK_BEGINS.search(code[max(0, at - 200):at].rstrip())
            depth -= 1
    return False


def await_problems(code):
    found = []
    for offset, rest in await_regions(code):
        line = line_of(code, offset)
        if "{" in HARMLESS_BRACES.sub("", rest):
            found.append((line, "await_braces", "an await statement holds no '{': name the argument first (g++ 12 destroys such temporaries twice)"))
        if re.search(r"\bco_await\b", rest):
            found.append((line, "await_twice", "one await per statement"))
        if re.search(r"\[[^\[\]]*\]\s*\([^()]*\)[^;]*->", rest) and "{" not in rest:
            found.append((line, "await_lambda", "name the coroutine"))
        if is_inside_initialiser(code, offset):
            found.append((line, "await_in_braces", "await into a local first, then build the value"))
    return found


def problems(path, text):
    code = blank_out(text)
    found = []
    for rule, pattern, reason, allowed in RULES:
        if path.startswith(allowed):
            continue
        excused = allowed_lines(text, rule)
        for match in re.finditer(pattern, code):
            start = match.start() + len(match.group(0)) - len(match.group(0).lstrip())
            line = line_of(code, start)
            if rule == "catch_all" and "rethrow_exception(" in code[max(0, start - 500):start]:
                continue
            if rule == "new" and OWNED_AT_ONCE.search(code[max(0, start - 120):start]):
                continue
            if line not in excused:
                found.append((line, f"[{rule}] {match.group(0).strip()}: {reason}"))
    for line, rule, reason in await_problems(code):
        if line not in allowed_lines(text, rule):
            found.append((line, f"[{rule}] {reason}"))
    return found


def self_test():
    def finds(line, path="reconcilers/gallery/x.cc"):
        return [what for _, what in problems(path, line + "\n")]

    for line in ["co_spawn(ex, f(), asio::detached);", "auto now = std::chrono::system_clock::now();", "std::this_thread::sleep_for(1s);", "usleep(3);",
                 "system(\"ls\");", "co_await (a() || b());", "auto n = YAML::LoadAll(text);", "int r = std::rand();", "std::getenv(\"HOME\");",
                 "auto* p = new Thing();", "delete p;", "delete[] p;", "std::mutex m;", "std::atomic<int> n;", "} catch (...) {", "std::cout << 1;",
                 "assert(x);", "std::thread t(f);", "asio::steady_timer timer(ex);", "using namespace std;", "free(p);",
                 "co_await f(Options{1});", "co_await f(std::array{1, 2});", "co_await f({.a = 1});", "co_await f([p]() -> int { return 1; });", "use(co_await f(co_await g()));",
                 "Outcome x{co_await f()};", "return Outcome{.a = 1, .b = co_await f()};"]:
        expect(finds(line), f"planted: {line}")
    for line in [
            "// asio::detached is banned", 'log("new delete system(1)");', "Thing(const Thing&) = delete;", "return std::unique_ptr<D>(new D(x));", "clock_.sleep_until(t);",
                 "co_await clock_.sleep_until(deadline);", "const auto answer = co_await http_.send(request);", "if (const auto r = co_await f(x); !r) co_return;",
                 "while (!done) {\n    co_await next(x);\n}", "Task<void> f(int x) {\n    co_await g(x);\n}",
            "Task<std::optional<int>> f() const {\n    co_return co_await g();\n}",
                 "auto renewed = 1; deleted(x);",
            "int new_versions = 0; int delete_after = 1;", "for (const auto& x : all) {\n    auto y = co_await f(x);\n}",
                 "std::mutex m;  // lint: allow mutex (shared with the scrape thread)", "gallery.delete_resource(id);",
            "co_await f(x, std::string{}, std::chrono::seconds{3});", "try { std::rethrow_exception(e); } catch (...) { return 1; }",
                 "switch (x) {\n    case Kind::a:\n        co_await f(x);\n}", "const char digit = '\"'; // '\n", "auto t = 1'000'000; std::string s = \"it's\";"]:
        expect(not finds(line), f"harmless: {line} -> {finds(line)}")
    expect(not finds("auto n = steady_clock::now();", "controller/adapters/clock/real_clock.cc"), "the clock may read the time")
    expect(finds("std::mutex m;  // lint: allow mutex"), "an excuse without a reason")


def check(root):
    report = Report()
    files = [path for path in code_files(root) if not path.startswith("cmake/")]
    for path in files:
        for line, what in problems(path, read(root, path)):
            report.add(path, line, what)
    report.finish("banned calls", len(files))


if __name__ == "__main__":
    main(check, self_test)
