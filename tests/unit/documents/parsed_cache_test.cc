#include "controller/adapters/documents/parsed_cache.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "controller/core/digest.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/documents/samples.h"

using namespace galleryd;
namespace fs = std::filesystem;

namespace {

constexpr const char* this_build = "0123abcd";

std::string bytes_of(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

void write(const std::string& path, const std::string& bytes) {
    std::ofstream stream(path, std::ios::binary | std::ios::trunc);
    stream << bytes;
}

// Everything that a look tells, as text.
std::string told(const ReadResult& result) {
    std::string text = test::shown(result);
    for (const DocumentRecord& document : result.documents)
        text += document.file + " " + (document.key ? to_string(*document.key) : "-") + " " +
                std::string(to_string(document.state)) + "\n";
    const auto tell = [&](const auto& objects) {
        for (const auto& [key, object] : objects) {
            text += to_json_text(result.objects, key) + object.meta.digest + " " + object.meta.where.file + ":" +
                    std::to_string(object.meta.where.line) + ":" + std::to_string(object.meta.where.column) + " " +
                    std::to_string(object.meta.field_lines.line_of("gallery").value_or(0)) + "\n";
            if constexpr (requires { object.id; }) text += object.id.text() + "\n";
        }
    };
    tell(result.objects.galleries);
    tell(result.objects.definitions);
    tell(result.objects.versions);
    tell(result.objects.policies);
    return text;
}

struct World {
    TemporaryDirectory folder;
    std::string path = folder.path() + "/parsed.cache";
    std::vector<DocumentFile> files{{"estate.yaml", test::estate()},
                                    {"v/1.yaml", test::version_document("ubuntu-1.0.0", "1.0.0", "")},
                                    {"v/2.yaml", test::version_document("ubuntu-2.0.0", "2.0.0", "  replicas: 2\n")}};

    ReadResult read(const std::string& build = this_build, ParsedCache::Use use = ParsedCache::Use::read_write) const {
        ParsedCache cache(path, build, use);
        return read_documents(files, {.threads = 2, .cache = &cache});
    }
    std::string plain() const { return told(read_documents(files, {})); }
    // How many of the files are answered for.
    int known(const std::string& build = this_build) const {
        ParsedCache cache(path, build, ParsedCache::Use::read_only);
        cache.load();
        int count = 0;
        for (const DocumentFile& file : files) count += cache.find(file) ? 1 : 0;
        return count;
    }
};

}  // namespace

TEST_CASE("what was parsed before comes from the cache, and is the same") {
    World world;
    CHECK(world.known() == 0);
    CHECK(told(world.read()) == world.plain());
    CHECK(world.known() == 3);
    const std::string before = bytes_of(world.path);
    CHECK(told(world.read()) == world.plain());
    CHECK(bytes_of(world.path) == before);  // nothing new: nothing written
    struct stat status {};
    REQUIRE(::stat(world.path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("an edited file is parsed anew, whatever its size and times say") {
    World world;
    world.read();
    std::string& text = world.files[2].content;
    const std::size_t size = text.size();
    text.replace(text.find("replicas: 2"), 11, "replicas: 3");
    REQUIRE(text.size() == size);
    CHECK(world.known() == 2);
    const ReadResult edited = world.read();
    CHECK(told(edited) == world.plain());
    CHECK(edited.objects.versions.rbegin()->second.replicas_default == 3);
    CHECK(world.known() == 3);
    text.replace(text.find("replicas: 3"), 11, "replicas: 2");  // and back: the last one counts
    CHECK(world.known() == 2);
    CHECK(told(world.read()) == world.plain());
}

TEST_CASE("a renamed file is parsed anew: its path stands in messages") {
    World world;
    world.read();
    world.files[1].file = "v/one.yaml";
    CHECK(world.known() == 2);
    const ReadResult renamed = world.read();
    CHECK(told(renamed) == world.plain());
    CHECK(renamed.objects.versions.begin()->second.meta.where.file == "v/one.yaml");
}

TEST_CASE("a cache is of one build") {
    World world;
    world.read();
    CHECK(world.known("another") == 0);
    CHECK(told(world.read("another")) == world.plain());
    CHECK(world.known("another") == 3);
    CHECK(world.known() == 0);
    CHECK(told(world.read("")) == world.plain());  // a build without a name keeps and finds nothing
    CHECK(world.known("another") == 3);
    CHECK(world.known("") == 0);
}

TEST_CASE("whichever byte of the cache is damaged, what it answers is right, and the next look mends it") {
    World world;
    world.read();
    const std::string whole = bytes_of(world.path), plain = world.plain();
    std::vector<std::string> right;
    for (const DocumentFile& file : world.files) {
        ParsedCache cache(world.path, this_build, ParsedCache::Use::read_only);
        cache.load();
        right.push_back(ParsedCache::pack(*cache.find(file)));
    }
    const auto check = [&](const std::string& bytes) {
        write(world.path, bytes);
        ParsedCache cache(world.path, this_build, ParsedCache::Use::read_only);
        cache.load();
        int found = 0;
        for (std::size_t i = 0; i < world.files.size(); ++i) {
            const auto objects = cache.find(world.files[i]);
            if (objects && ++found) CHECK(ParsedCache::pack(*objects) == right[i]);
        }
        return found;
    };
    for (std::size_t at = 0; at < whole.size(); ++at) {
        std::string damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
        CAPTURE(at);
        CHECK(check(damaged) < 3);
    }
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CAPTURE(size);
        CHECK(check(whole.substr(0, size)) < 3);
    }
    CHECK(check(whole + "left over") == 3);
    for (const std::string& bytes :
         {whole.substr(0, whole.size() / 2), whole + "left over", std::string("\0\0\0", 3)}) {
        write(world.path, bytes);
        CHECK(told(world.read()) == plain);
        CHECK(world.known() == 3);
        CHECK(bytes_of(world.path).size() == whole.size());
    }
}

TEST_CASE("files with something to say about them are looked at anew each time, and say it at the same place") {
    World world;
    world.files.push_back({"odd.yaml", test::version_document("ubuntu-3.0.0", "3.0.0", "  location: nowhere1\n")});
    world.files.push_back({"wrong.yaml", "apiVersion: galleryd.io/v1alpha1\nkind: Gallery\n"});
    world.files.push_back({"other.yaml", "apiVersion: v1\nkind: ConfigMap\n"});
    const std::string plain = world.plain();
    CHECK(plain.contains("GD10"));
    CHECK(told(world.read()) == plain);
    CHECK(told(world.read()) == plain);
    CHECK(world.known() == 4);  // the three, and the one that is none of ours
}

TEST_CASE("checks across documents are never kept, and find their places again") {
    World world;
    world.files[2].content += "---\n" + test::version_document("ubuntu-3.0.0", "3.0.0", "");
    world.read();
    CHECK(world.known() == 3);
    world.files.erase(world.files.begin());  // the definition is gone: what refers to it is invalid now
    const ReadResult without = world.read();
    CHECK(without.objects.versions.empty());
    CHECK(told(without) == world.plain());
    CHECK(test::shown(without).contains("GD1032 /spec/imageDefinition v/2.yaml"));
    world.files.push_back({"estate.yaml", test::estate()});
    world.files.push_back({"again.yaml", world.files[0].content});  // and one that is declared twice
    world.read();
    const ReadResult twice = world.read();
    CHECK(told(twice) == world.plain());
    CHECK(test::shown(twice).contains("GD1030"));
}

TEST_CASE("entries of files that are gone or changed go before they are more than what counts") {
    World world;
    for (int i = 0; i < 300; ++i) {
        world.files[2].content = test::version_document(
            "ubuntu-2.0.0", "2.0.0", "  tags: {note: n" + std::string(200, 'x') + std::to_string(i) + "}\n");
        world.read();
    }
    CHECK(world.known() == 3);
    CHECK(fs::file_size(world.path) < 80UL * 1024);  // 300 times more than half a kilobyte were written
    world.files.resize(1);
    world.read();
    CHECK(world.known() == 1);
}

TEST_CASE("who only reads writes nothing, and what others could have written is not believed") {
    World world;
    world.read(this_build, ParsedCache::Use::read_only);
    CHECK_FALSE(fs::exists(world.path));
    world.read();
    const std::string before = bytes_of(world.path);
    world.files[1].content += "# edited\n";
    world.read(this_build, ParsedCache::Use::read_only);
    CHECK(bytes_of(world.path) == before);
    fs::permissions(world.path, fs::perms::others_write, fs::perm_options::add);
    CHECK(world.known() == 0);
    const std::string target = world.folder.path() + "/elsewhere";
    write(target, before);
    fs::remove(world.path);
    fs::create_symlink(target, world.path);
    CHECK(world.known() == 0);
    world.read();
    CHECK(bytes_of(target) == before);  // the link is replaced, not followed
    CHECK(world.known() == 3);
    world.path = world.folder.path() + "/missing/parsed.cache";
    CHECK(told(world.read()) == world.plain());  // a cache that cannot be written is no error
}
