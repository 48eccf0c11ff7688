#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <random>

#include "tests/unit/folder/sample_source.h"

using namespace galleryd;
using namespace galleryd::folder;
using namespace galleryd::folder::samples;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

std::vector<std::string> unreadable_files(const Snapshot& snapshot) {
    std::vector<std::string> all;
    for (const DocumentRecord& record : snapshot.documents) {
        if (record.state == DocumentState::unreadable) all.push_back(record.file + " " + record.problems.at(0).code);
    }
    return all;
}

void set_modified(const std::string& path, TimePoint time) {
    const auto count = time.time_since_epoch().count();
    const timespec times[2] = {{count / 1'000'000, count % 1'000'000 * 1000},
                               {count / 1'000'000, count % 1'000'000 * 1000}};
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
}

// File permissions do not hold for root.
struct Unprivileged {
    Unprivileged() {
        if (::geteuid() == 0) REQUIRE(::seteuid(65534) == 0);
    }
    ~Unprivileged() {
        if (::getuid() == 0 && ::seteuid(0) != 0) std::abort();
    }
};

}  // namespace

TEST_CASE("a look holds every document and a revision that depends on names and contents alone") {
    const TemporaryDirectory home;
    home.write("a.yaml", "one");
    home.write("b/c.yaml", "two");
    home.write("bad.yaml", "broken");
    World world(home.path());
    const Snapshot snapshot = world.look();
    CHECK(snapshot.source == "dir:x");
    CHECK(snapshot.readable);
    CHECK(names(snapshot) == std::vector<std::string>{"one", "two"});
    CHECK(snapshot.documents.size() == 3);
    CHECK(snapshot.revision.starts_with("sha256:"));

    const TemporaryDirectory copy;
    copy.write("bad.yaml", "broken");
    copy.write("b/c.yaml", "two");
    copy.write("a.yaml", "one");
    World other(copy.path());
    CHECK(other.look().revision == snapshot.revision);
    World twin(copy.path());
    twin.options.name = "dir:y";  // a release is of one source
    CHECK(twin.look().revision != snapshot.revision);
    copy.write("a.yaml", "One");
    CHECK(other.look().revision != snapshot.revision);
    fs::rename(home.file("a.yaml"), home.file("a2.yaml"));
    CHECK(world.look().revision != snapshot.revision);
}

TEST_CASE("nothing changed: the same snapshot without reading or parsing; something changed: a new one") {
    const TemporaryDirectory home;
    home.write("a.yaml", "one");
    World world(home.path());
    const Snapshot first = world.look();
    CHECK_FALSE(world.is_unchanged);
    const Snapshot again = world.look();
    CHECK(world.is_unchanged);
    CHECK(world.parsed == 1);
    CHECK(world.blocking_calls == 4);  // list, read, parse; list
    CHECK(again.revision == first.revision);
    CHECK(names(again) == names(first));
    home.write("b.yaml", "two");
    CHECK(names(world.look()) == std::vector<std::string>{"one", "two"});
    fs::remove(home.file("a.yaml"));
    CHECK(names(world.look()) == std::vector<std::string>{"two"});
    CHECK(world.parsed == 3);
    world.source().start_over();
    CHECK(names(world.look()) == std::vector<std::string>{"two"});
    CHECK_FALSE(world.is_unchanged);
    CHECK(world.parsed == 4);
}

TEST_CASE("a folder that is gone is not an empty one, and an empty one is not unreadable") {
    const TemporaryDirectory home;
    home.write("root/a.yaml", "one");
    World world(home.file("root"));
    CHECK(world.look().readable);
    fs::rename(home.file("root"), home.file("moved"));
    const Snapshot gone = world.look();
    CHECK_FALSE(gone.readable);
    CHECK(gone.unreadable_reason.starts_with("GD4001 "));
    CHECK(gone.documents.empty());
    fs::rename(home.file("moved"), home.file("root"));
    CHECK(names(world.look()) == std::vector<std::string>{"one"});
    fs::remove(home.file("root/a.yaml"));
    const Snapshot empty = world.look();
    CHECK(empty.readable);
    CHECK(empty.objects.policies.empty());
}

TEST_CASE("lost permission makes a folder, a sub-folder or a file unreadable, never removed") {
    const TemporaryDirectory home;
    fs::permissions(home.path(), fs::perms::all);
    home.write("root/a.yaml", "one");
    home.write("root/sub/b.yaml", "two");
    home.write("root/c.yaml", "three");
    World world(home.file("root"));
    CHECK(names(world.look()) == std::vector<std::string>{"one", "three", "two"});
    fs::permissions(home.file("root/sub"), fs::perms::none);
    fs::permissions(home.file("root/c.yaml"), fs::perms::none);
    {
        const Unprivileged unprivileged;
        const Snapshot snapshot = world.look();
        CHECK(snapshot.readable);
        CHECK(names(snapshot) == std::vector<std::string>{"one"});
        CHECK(unreadable_files(snapshot) == std::vector<std::string>{"c.yaml GD4004", "sub/ GD4004"});
    }
    fs::permissions(home.file("root"), fs::perms::none);
    {
        const Unprivileged unprivileged;
        const Snapshot snapshot = world.look();
        CHECK_FALSE(snapshot.readable);
        CHECK(snapshot.unreadable_reason.starts_with("GD4002 "));
    }
    fs::permissions(home.file("root"), fs::perms::all);
    fs::permissions(home.file("root/sub"), fs::perms::all);
    fs::permissions(home.file("root/c.yaml"), fs::perms::all);
    CHECK(names(world.look()) == std::vector<std::string>{"one", "three", "two"});
}

TEST_CASE("a mount that vanishes leaves an ordinary folder, which is not believed") {
    const TemporaryDirectory home;
    fs::create_directory(home.file("root"));
    if (::mount("none", home.file("root").c_str(), "tmpfs", 0, "size=64k") != 0) {
        MESSAGE("mounting is not permitted here; not tested");
        return;
    }
    home.write("root/a.yaml", "one");
    World world(home.file("root"));
    CHECK(names(world.look()) == std::vector<std::string>{"one"});
    REQUIRE(::umount2(home.file("root").c_str(), MNT_DETACH) == 0);
    const Snapshot gone = world.look();
    CHECK_FALSE(gone.readable);
    CHECK(gone.unreadable_reason.starts_with("GD4003 "));
    home.write("root/other.yaml", "hidden below the mount");
    CHECK_FALSE(world.look().readable);
    // A bind mount has the device of its parent and is recognised all the same.
    home.write("kept/a.yaml", "one");
    REQUIRE(::mount(home.file("kept").c_str(), home.file("root").c_str(), nullptr, MS_BIND, nullptr) == 0);
    World bound(home.file("root"));
    CHECK(names(bound.look()) == std::vector<std::string>{"one"});
    CHECK(names(world.look()) == std::vector<std::string>{"one"});
    REQUIRE(::umount2(home.file("root").c_str(), MNT_DETACH) == 0);
    CHECK(bound.look().unreadable_reason.starts_with("GD4003 "));
}

TEST_CASE("a file modified a moment ago is looked at again before it is used") {
    const TemporaryDirectory home;
    home.write("a.yaml", "half");
    World world(home.path());
    set_modified(home.file("a.yaml"), world.clock.now() - 50ms);
    bool is_rewritten = false;
    world.before_work = [&](int call) {
        if (call != 2) return;  // the second listing: the editor has finished
        is_rewritten = true;
        home.write("a.yaml", "whole");
    };
    const auto before = world.clock.monotonic();
    CHECK(names(world.look()) == std::vector<std::string>{"whole"});
    CHECK(is_rewritten);
    CHECK(world.clock.monotonic() - before == 150ms);
}

TEST_CASE("a file that never comes to rest is unreadable, the others are read, and it is looked at again soon") {
    const TemporaryDirectory home;
    home.write("busy.yaml", "one");
    home.write("calm.yaml", "two");
    World world(home.path());
    int length = 0;
    world.before_work = [&](int) { home.write("busy.yaml", std::string(static_cast<std::size_t>(++length), 'x')); };
    Snapshot snapshot = world.look();
    CHECK(snapshot.readable);
    CHECK(names(snapshot) == std::vector<std::string>{"two"});
    CHECK(unreadable_files(snapshot) == std::vector<std::string>{"busy.yaml GD4008"});
    world.before_work = nullptr;
    home.write("busy.yaml", "rest");
    CHECK(names(world.look()) == std::vector<std::string>{"rest", "two"});

    set_modified(home.file("busy.yaml"), world.clock.now());
    world.before_work = [&](int) { set_modified(home.file("busy.yaml"), world.clock.now()); };
    snapshot = world.look();
    CHECK(unreadable_files(snapshot) == std::vector<std::string>{"busy.yaml GD4008"});
    world.before_work = nullptr;
    CHECK(names(world.look()) == std::vector<std::string>{"rest", "two"});  // at rest: not the remembered snapshot
}

TEST_CASE("files that come and go while the folder is read leave a record that nothing can be concluded") {
    const TemporaryDirectory home;
    home.write("a.yaml", "one");
    World world(home.path());
    int n = 0;
    world.before_work = [&](int) {
        const std::string name = "new" + std::to_string(++n);
        home.write(name + ".yaml", name);
    };
    const Snapshot snapshot = world.look();
    CHECK(unreadable_files(snapshot) == std::vector<std::string>{"./ GD4008"});
}

TEST_CASE("a swapped ConfigMap is read as one revision, never as a mixture") {
    const TemporaryDirectory home;
    const auto publish = [&](const std::string& revision) {
        home.write(".." + revision + "/a.yaml", "a-" + revision);
        home.write(".." + revision + "/b.yaml", "b-" + revision);
        fs::create_symlink(".." + revision, home.file("..data_tmp"));
        fs::rename(home.file("..data_tmp"), home.file("..data"));
    };
    publish("r1");
    fs::create_symlink("..data/a.yaml", home.file("a.yaml"));
    fs::create_symlink("..data/b.yaml", home.file("b.yaml"));
    World world(home.path());
    CHECK(names(world.look()) == std::vector<std::string>{"a-r1", "b-r1"});
    int calls = world.blocking_calls;
    world.before_work = [&](int call) {
        if (call == calls + 2) publish("r3");  // between listing and reading
    };
    publish("r2");
    CHECK(names(world.look()) == std::vector<std::string>{"a-r3", "b-r3"});
}

TEST_CASE("what the parser throws makes this look unreadable and nothing worse") {
    const TemporaryDirectory home;
    home.write("a.yaml", "one");
    World world(home.path());
    world.on_parse = [] { throw std::bad_alloc(); };
    CHECK_FALSE(world.look().readable);
    world.on_parse = nullptr;
    CHECK(names(world.look()) == std::vector<std::string>{"one"});
}

TEST_CASE("250 rounds of random edits end in what is on disk, and no look in between removes a file that is there") {
    const TemporaryDirectory home;
    World world(home.path());
    std::mt19937 random(42);
    std::map<std::string, std::string> disk;
    home.write("stays.yaml", "stays");
    disk["stays.yaml"] = "stays";
    const auto edit = [&] {
        const std::string name =
            std::string(random() % 2 == 0 ? "d/" : "") + "f" + std::to_string(random() % 6) + ".yaml";
        if (random() % 3 == 0) {
            fs::remove(home.file(name));
            disk.erase(name);
        } else {
            disk[name] = name + "-" + std::to_string(random() % 1000);
            home.write(name, disk[name]);
        }
    };
    for (int i = 0; i < 250; ++i) {
        world.before_work = [&](int) {
            if (random() % 2 == 0) edit();
        };
        const Snapshot during = world.look();
        const bool is_there = during.objects.policies.contains(ObjectKey{Kind::lifecycle_policy, "default", "stays"});
        CHECK((is_there || !unreadable_files(during).empty()));
        world.before_work = nullptr;
        const Snapshot after = world.look();
        std::set<std::string> expected;
        for (const auto& [name, content] : disk) expected.insert(content);
        const auto found = names(after);
        CHECK(std::set<std::string>(found.begin(), found.end()) == expected);
        CHECK(unreadable_files(after).empty());
    }
}
