#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "controller/adapters/documents/parsed_cache.h"
#include "controller/core/archive.h"
#include "controller/core/desired_objects.h"
#include "tests/fuzz/target.h"

// The file of parsed documents after any accident: it changes how long a look takes and nothing else.
namespace galleryd::fuzz {
namespace {

constexpr const char* build = "0123abcd";

// One file for all inputs: the cache opens no links, so it cannot lie in memory.
class CacheFile {
  public:
    CacheFile() {
        path_ = (std::filesystem::temp_directory_path() / "galleryd-fuzz-cache-XXXXXX").string();
        number_ = ::mkstemp(path_.data());
        require(number_ >= 0, "there is room for a file");
    }
    ~CacheFile() {
        ::close(number_);
        ::unlink(path_.c_str());
    }
    CacheFile(const CacheFile&) = delete;
    CacheFile& operator=(const CacheFile&) = delete;
    const std::string& path() const { return path_; }
    void hold(std::string_view bytes) const {
        const bool is_held = ::ftruncate(number_, 0) == 0 &&
                             ::pwrite(number_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
        require(is_held, "the file holds the input");
    }

  private:
    std::string path_;
    int number_ = -1;
};

const DocumentFile& declared() {
    static const DocumentFile file{
        .file = "g.yaml",
        .content =
            "apiVersion: galleryd.io/v1alpha1\nkind: Gallery\nmetadata: {name: g, namespace: images}\nspec:\n"
            "  subscriptionId: 11111111-1111-1111-1111-111111111111\n  resourceGroup: rg\n  location: eastus\n"};
    return file;
}

void check_archive(std::string_view bytes) {
    const auto objects = unpack<std::vector<documents::DesiredObject>>(bytes);
    if (!objects) return;
    const std::string packed = pack(*objects);
    const auto again = unpack<std::vector<documents::DesiredObject>>(packed);
    require(again && pack(*again) == packed, "what was unpacked can be packed");
}

void run(std::string_view bytes) {
    static const CacheFile file;
    check_archive(bytes);
    const std::string head = std::string("galleryd parsed documents 1 ") + build + "\n";
    for (const std::string& content : {std::string(bytes), head + std::string(bytes)}) {
        file.hold(content);
        ParsedCache cache(file.path(), build, ParsedCache::Use::read_only);
        const ReadResult with = read_documents({declared()}, {.cache = &cache});
        static const ReadResult without = read_documents({declared()}, {});
        require(with.documents.size() == without.documents.size(), "a cache adds and drops no document");
        require(with.objects.galleries.size() == without.objects.galleries.size(), "a cache adds and drops no object");
        for (const auto& [key, gallery] : without.objects.galleries) {
            const auto found = with.objects.galleries.find(key);
            require(found != with.objects.galleries.end() && found->second.meta.digest == gallery.meta.digest,
                    "an object is the same from a cache");
        }
    }
}

const Registered registered({.name = "parsed_cache", .run = run});

}  // namespace
}  // namespace galleryd::fuzz
