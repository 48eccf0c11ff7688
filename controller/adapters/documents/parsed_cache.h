#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "controller/adapters/documents/mapping.h"
#include "controller/adapters/documents/reader.h"

namespace galleryd {

// The documents that earlier looks found in files without a word to say about them, in one file of the state directory,
// so that a restart neither parses nor validates what has not changed (decision 0031).
//
// An entry answers for exactly these bytes under exactly this path, read by exactly this build: the digest of the
// content that was read now, the path and `build` all have to be the same. Checks across documents are never kept. So a
// cache changes how long a look takes and nothing else; it is safe to delete, to lose and to have been torn: each entry
// has a checksum, and what follows a damaged one does not count.
//
// One object for one look at one source, used by nobody else; `find` from several threads at once.
class ParsedCache {
  public:
    enum class Use : std::uint8_t { read_only, read_write };
    // `build` names the program that parses (program/build_id.h); "" keeps and finds nothing. The file and what is
    // written into it belong to the owner alone (0600).
    ParsedCache(std::string path, std::string build, Use use);
    ParsedCache(const ParsedCache&) = delete;
    ParsedCache& operator=(const ParsedCache&) = delete;

    void load();
    void forget();  // what was loaded: ten megabytes that nobody needs any more
    // What parse_file made of it, in its order.
    std::optional<std::vector<documents::DesiredObject>> find(const DocumentFile& file) const;
    bool keeps() const { return use_ == Use::read_write && !build_.empty(); }

    struct Fresh {
        const DocumentFile* file;
        std::string packed;  // pack(objects)
    };
    static std::string pack(const std::vector<documents::DesiredObject>& objects);
    // The end of a look. Fresh entries are put behind the others; entries that were neither found nor are fresh belong
    // to files that are gone or have changed, and go when they have become as much as what counts. Failing is no error:
    // the next start is slow.
    void store(const std::vector<const DocumentFile*>& found, const std::vector<Fresh>& fresh) const;

  private:
    struct Entry {
        std::string_view digest, packed, record;  // record: all of it, as it stands in the file
    };
    bool take_record(std::string_view& rest);
    std::string head() const;

    std::string path_, build_;
    Use use_;
    std::string bytes_;  // the file
    bool is_whole_ = false;
    std::unordered_map<std::string_view, Entry> entries_;  // by path of the document's file; views into bytes_
};

}  // namespace galleryd
