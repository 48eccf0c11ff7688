#include "controller/adapters/folder/tree_reader.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/temporary_directory.h"

using namespace galleryd;
using namespace galleryd::folder;
namespace fs = std::filesystem;

namespace {

Listing list(const std::string& root, FolderLimits limits = {}) {
    const auto reader = TreeReader::open(root, limits);
    REQUIRE(reader.has_value());
    auto listing = (*reader)->list();
    REQUIRE(listing.has_value());
    return *listing;
}

std::vector<std::string> paths(const Listing& listing) {
    std::vector<std::string> all;
    for (const FoundFile& file : listing.files)
        all.push_back(file.problem ? file.path + " " + file.problem->code : file.path);
    return all;
}

}  // namespace

TEST_CASE("manifests are found by name, sorted, in every folder that is not hidden") {
    const TemporaryDirectory home;
    for (const char* name :
         {"b.yaml", "a/z.yml", "a/b/c.JSON", "a.json", "notes.txt", ".hidden.yaml", ".git/config.yaml", "x.yaml~",
          "#x.yaml#", ".x.yaml.swp", "4913", "yaml", "a/.#b.yaml", "README.md"}) {
        home.write(name, "x");
    }
    CHECK(paths(list(home.path())) == std::vector<std::string>{"a.json", "a/b/c.JSON", "a/z.yml", "b.yaml"});
    std::vector<std::string> folders;
    for (const auto& folder : list(home.path()).folders) folders.push_back(folder.path);
    CHECK(folders == std::vector<std::string>{"", "a", "a/b"});
}

TEST_CASE("a mounted ConfigMap is read through its links, each file once") {
    const TemporaryDirectory home;
    home.write("..2026_11_21/a.yaml", "one");
    home.write("..2026_11_21/b.yaml", "two");
    fs::create_symlink("..2026_11_21", home.file("..data"));
    fs::create_symlink("..data/a.yaml", home.file("a.yaml"));
    fs::create_symlink("..data/b.yaml", home.file("b.yaml"));
    const auto reader = std::move(*TreeReader::open(home.path(), {}));
    const Listing listing = *reader->list();
    REQUIRE(paths(listing) == std::vector<std::string>{"a.yaml", "b.yaml"});
    CHECK(reader->read(listing.files[0]).text == "one");
    CHECK(reader->read(listing.files[1]).text == "two");
    // The kubelet's swap: a new folder, then the link is renamed over the old one.
    home.write("..2026_11_22/a.yaml", "new");
    fs::create_symlink("..2026_11_22", home.file("..data_tmp"));
    fs::rename(home.file("..data_tmp"), home.file("..data"));
    CHECK(reader->read(listing.files[0]).is_changed);
    CHECK(paths(list(home.path())) ==
          std::vector<std::string>{"a.yaml", "b.yaml GD4004"});  // b's link dangles: unreadable, not gone
}

TEST_CASE("links inside the folder lead to a file once, also when they form a loop") {
    const TemporaryDirectory home;
    home.write("real/a.yaml", "x");
    home.write("real/deep/b.yaml", "x");
    fs::create_symlink("real", home.file("alias"));
    fs::create_symlink("a.yaml", home.file("real/again.yaml"));
    fs::create_symlink("..", home.file("real/deep/up"));
    fs::create_symlink("real/../real/a.yaml", home.file("z.yaml"));
    CHECK(paths(list(home.path())) == std::vector<std::string>{"real/a.yaml", "real/deep/b.yaml"});
}

TEST_CASE("nothing outside the folder is reached by any kind of link") {
    const TemporaryDirectory home;
    home.write("outside/secret.yaml", "secret");
    home.write("root/ok.yaml", "x");
    fs::create_symlink("../outside/secret.yaml", home.file("root/relative.yaml"));
    fs::create_symlink(home.file("outside/secret.yaml"), home.file("root/absolute.yaml"));
    fs::create_symlink("../outside", home.file("root/folder"));
    fs::create_symlink(home.file("root/ok.yaml"), home.file("root/inside-but-absolute.yaml"));
    fs::create_symlink("loop.yaml", home.file("root/loop.yaml"));
    fs::create_symlink("/proc/self/root", home.file("root/magic"));
    fs::create_symlink("/dev/zero", home.file("root/zero.yaml"));
    const Listing listing = list(home.file("root"));
    CHECK(paths(listing) == std::vector<std::string>{"absolute.yaml GD4006", "inside-but-absolute.yaml GD4006",
                                                     "loop.yaml GD4006", "ok.yaml", "relative.yaml GD4006",
                                                     "zero.yaml GD4006"});
    CHECK(listing.ignored_links == std::vector<std::string>{"folder", "magic"});
}

TEST_CASE("a file that becomes a link to the outside between listing and reading is not followed") {
    const TemporaryDirectory home;
    home.write("secret.yaml", "secret");
    home.write("root/a.yaml", "mine");
    const auto reader = std::move(*TreeReader::open(home.file("root"), {}));
    const Listing listing = *reader->list();
    fs::remove(home.file("root/a.yaml"));
    fs::create_symlink("../secret.yaml", home.file("root/a.yaml"));
    const FileContent content = reader->read(listing.files.at(0));
    CHECK(content.is_changed);
    CHECK(content.text.empty());
}

TEST_CASE("FIFOs, sockets and folders with a manifest's name are never opened") {
    const TemporaryDirectory home;
    REQUIRE(::mkfifo(home.file("pipe.yaml").c_str(), 0600) == 0);
    home.write("target", "x");
    fs::create_symlink("pipe.yaml", home.file("link.yaml"));
    home.write("folder.yaml/a.yaml", "x");
    CHECK(paths(list(home.path())) ==
          std::vector<std::string>{"folder.yaml/a.yaml", "link.yaml GD4007", "pipe.yaml GD4007"});
    // A FIFO in the place of a listed file would block a plain open() for ever.
    home.write("a.yaml", "x");
    const auto reader = std::move(*TreeReader::open(home.path(), {}));
    const Listing listing = *reader->list();
    fs::remove(home.file("a.yaml"));
    REQUIRE(::mkfifo(home.file("a.yaml").c_str(), 0600) == 0);
    CHECK(reader->read(listing.files.at(0)).is_changed);
}

TEST_CASE("limits: a large file is unreadable, too many files or bytes make the whole folder unreadable") {
    const TemporaryDirectory home;
    home.write("big.yaml", std::string(2000, 'x'));
    home.write("a.yaml", "x");
    home.write("b.yaml", "x");
    FolderLimits limits;
    limits.file_bytes_max = 1000;
    CHECK(paths(list(home.path(), limits)) == std::vector<std::string>{"a.yaml", "b.yaml", "big.yaml GD4005"});
    limits.files_max = 2;
    CHECK((*TreeReader::open(home.path(), limits))->list().error().code == "GD4005");
    limits = {};
    limits.total_bytes_max = 2001;
    CHECK((*TreeReader::open(home.path(), limits))->list().error().code == "GD4005");
    limits = {};
    limits.depth_max = 2;
    home.write("1/2/3/deep.yaml", "x");
    CHECK(paths(list(home.path(), limits)).front() == "1/2/3/ GD4005");
}

TEST_CASE("a changed file is noticed by its stamp, also when its time is put back") {
    const TemporaryDirectory home;
    home.write("a.yaml", "one");
    const auto reader = std::move(*TreeReader::open(home.path(), {}));
    const Listing before = *reader->list();
    CHECK(before == *reader->list());
    struct stat status {};
    REQUIRE(::stat(home.file("a.yaml").c_str(), &status) == 0);
    for (int i = 0; i < 1000 && before == *reader->list();
         ++i) {  // the file system's clock ticks every few milliseconds
        home.write("a.yaml", "two");
        const timespec times[2] = {status.st_atim, status.st_mtim};
        REQUIRE(::utimensat(AT_FDCWD, home.file("a.yaml").c_str(), times, 0) == 0);
    }
    CHECK_FALSE(before == *reader->list());
    CHECK(reader->read(before.files[0]).is_changed);
}

TEST_CASE("a root that is missing, a device or a single file") {
    const TemporaryDirectory home;
    CHECK(TreeReader::open(home.file("absent"), {}).error().code == "GD4001");
    CHECK(TreeReader::open(home.file("absent"), {})
              .error()
              .message.contains("name the folder that is meant with --source"));
    CHECK(TreeReader::open("/dev/null", {}).error().code == "GD4013");
    home.write("one.txt", "x");
    home.write("two.yaml", "y");
    const auto reader = std::move(*TreeReader::open(home.file("one.txt"), {}));
    const Listing listing = *reader->list();
    REQUIRE(paths(listing) == std::vector<std::string>{"one.txt"});
    CHECK(reader->read(listing.files[0]).text == "x");
}

TEST_CASE("opening by components stays below the folder like openat2 does") {
    const TemporaryDirectory home;
    home.write("secret.yaml", "secret");
    home.write("root/a/b.yaml", "x");
    home.write("root/top.yaml", "x");
    fs::create_symlink("a/b.yaml", home.file("root/link.yaml"));
    fs::create_symlink("../top.yaml", home.file("root/a/up.yaml"));
    fs::create_symlink("../../secret.yaml", home.file("root/a/out.yaml"));
    fs::create_symlink("/etc", home.file("root/absolute"));
    fs::create_symlink("loop", home.file("root/loop"));
    const int root = ::open(home.file("root").c_str(), O_RDONLY | O_DIRECTORY);
    const auto opens = [&](const std::string& path) {
        const int file = open_by_components(root, path, O_RDONLY | O_CLOEXEC);
        const int number = errno;
        if (file < 0) return number;
        ::close(file);
        return 0;
    };
    CHECK(opens("a/b.yaml") == 0);
    CHECK(opens("") == 0);
    CHECK(opens("link.yaml") == 0);
    CHECK(opens("a/up.yaml") == 0);
    CHECK(opens("a/..") == 0);
    CHECK(opens("a/../top.yaml") == 0);
    CHECK(opens("..") == EXDEV);
    CHECK(opens("../secret.yaml") == EXDEV);
    CHECK(opens("a/../../secret.yaml") == EXDEV);
    CHECK(opens("a/out.yaml") == EXDEV);
    CHECK(opens("absolute/passwd") == EXDEV);
    CHECK(opens("loop") == ELOOP);
    CHECK(opens("absent") == ENOENT);
    CHECK(opens("top.yaml/x") == ENOTDIR);
    ::close(root);
}
