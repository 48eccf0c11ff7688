#include "controller/adapters/documents/parsed_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "controller/core/archive.h"
#include "controller/core/digest.h"

// The file: a line that names form and build, then records: size and checksum of the body, 8 bytes each, lowest first;
// the body: path, digest and packed objects, each with its length.
namespace galleryd {
namespace {

constexpr std::size_t file_bytes_max = 512UL * 1024 * 1024;  // a folder's files may have 256 MiB
constexpr std::size_t frame_bytes = 16;
constexpr std::size_t dead_bytes_min = 64UL * 1024;  // less is not worth a new file

class Descriptor {
  public:
    Descriptor(const std::string& path, int flags)
        : number_(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600)) {}
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    bool is_open() const { return number_ >= 0; }
    int get() const { return number_; }

  private:
    int number_;
};

bool write_all(int descriptor, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

std::string read_all(const std::string& path) {
    const Descriptor file(path, O_RDONLY | O_NONBLOCK);
    struct stat status {};
    if (!file.is_open() || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
    const bool is_ours = status.st_uid == ::geteuid() && (status.st_mode & S_IWOTH) == 0;
    if (!is_ours || static_cast<std::size_t>(status.st_size) > file_bytes_max) return {};
    std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
    std::size_t size = 0;
    while (size < bytes.size()) {
        const ssize_t count = ::read(file.get(), bytes.data() + size, bytes.size() - size);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        size += static_cast<std::size_t>(count);
    }
    bytes.resize(size);
    return bytes;
}

std::uint64_t number_at(std::string_view bytes) {
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < 8; ++i) number |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    return number;
}

void put_number(std::string& bytes, std::uint64_t number) {
    for (std::size_t i = 0; i < 8; ++i) bytes += static_cast<char>(static_cast<unsigned char>(number >> (8 * i)));
}

// Each step is reversible, so a change within eight bytes is always found, and any other but once in 2^64. Against
// accidents, not against somebody who may write into the state directory.
std::uint64_t checksum(std::string_view bytes) {
    std::uint64_t sum = bytes.size();
    const auto take = [&sum](std::uint64_t word) {
        sum = (sum ^ word) * 0xff51afd7ed558ccdULL;
        sum ^= sum >> 32U;
    };
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data(), 8);
        take(word);
    }
    std::uint64_t last = 0;
    std::memcpy(&last, bytes.data(), bytes.size());
    take(last);
    return sum;
}

std::string digest_of(const DocumentFile& file) { return file.digest.empty() ? sha256_hex(file.content) : file.digest; }

std::string records_of(const std::vector<ParsedCache::Fresh>& fresh) {
    std::string records;
    for (const ParsedCache::Fresh& entry : fresh) {
        ArchiveWriter body;
        body.text(entry.file->file);
        body.text(digest_of(*entry.file));
        body.text(entry.packed);
        const std::string bytes = std::move(body).take();
        put_number(records, bytes.size());
        put_number(records, checksum(bytes));
        records += bytes;
    }
    return records;
}

// One write at the end; what does not fit goes again, so that a full disk leaves no half a record.
void append(const std::string& path, std::size_t size, const std::string& records) {
    const Descriptor file(path, O_WRONLY | O_APPEND);
    struct stat status {};
    if (!file.is_open() || ::fstat(file.get(), &status) != 0 || static_cast<std::size_t>(status.st_size) != size)
        return;
    if (!write_all(file.get(), records)) static_cast<void>(::ftruncate(file.get(), static_cast<off_t>(size)) == 0);
}

// Not synced: after a power failure it may be old, short or empty, and all three are found out.
void replace(const std::string& path, const std::string& bytes) {
    const std::string next = path + ".new";
    bool is_written = false;
    {
        const Descriptor file(next, O_WRONLY | O_CREAT | O_TRUNC);
        is_written = file.is_open() && write_all(file.get(), bytes);
    }
    if (!is_written || std::rename(next.c_str(), path.c_str()) != 0) ::unlink(next.c_str());
}

}  // namespace

ParsedCache::ParsedCache(std::string path, std::string build, Use use)
    : path_(std::move(path)), build_(std::move(build)), use_(use) {}

std::string ParsedCache::head() const { return "galleryd parsed documents 1 " + build_ + "\n"; }

void ParsedCache::load() {
    entries_.clear();
    is_whole_ = false;
    if (build_.empty()) return;
    bytes_ = read_all(path_);
    std::string_view rest = bytes_;
    if (!rest.starts_with(head())) return;
    rest.remove_prefix(head().size());
    while (!rest.empty()) {
        if (!take_record(rest)) return;
    }
    is_whole_ = true;
}

void ParsedCache::forget() {
    entries_.clear();
    std::string().swap(bytes_);
    is_whole_ = false;
}

bool ParsedCache::take_record(std::string_view& rest) {
    if (rest.size() < frame_bytes) return false;
    const std::uint64_t size = number_at(rest), sum = number_at(rest.substr(8));
    if (size > rest.size() - frame_bytes) return false;
    const std::string_view record = rest.substr(0, frame_bytes + size), body = record.substr(frame_bytes);
    if (checksum(body) != sum) return false;
    ArchiveReader in(body);
    const std::string_view path = in.text(), digest = in.text(), packed = in.text();
    if (in.failed() || !in.ended()) return false;
    entries_.insert_or_assign(path,
                              Entry{.digest = digest, .packed = packed, .record = record});  // the last one counts
    rest.remove_prefix(record.size());
    return true;
}

std::optional<std::vector<documents::DesiredObject>> ParsedCache::find(const DocumentFile& file) const {
    const auto entry = entries_.find(file.file);
    if (entry == entries_.end() || entry->second.digest != digest_of(file)) return std::nullopt;
    auto objects = unpack<std::vector<documents::DesiredObject>>(entry->second.packed);
    if (!objects) return std::nullopt;
    for (const documents::DesiredObject& object : *objects) {
        if (std::holds_alternative<std::monostate>(object)) return std::nullopt;
    }
    return objects;
}

std::string ParsedCache::pack(const std::vector<documents::DesiredObject>& objects) { return galleryd::pack(objects); }

void ParsedCache::store(const std::vector<const DocumentFile*>& found, const std::vector<Fresh>& fresh) const {
    if (!keeps()) return;
    std::size_t live = head().size();
    for (const DocumentFile* file : found) live += entries_.at(file->file).record.size();
    if (is_whole_ && bytes_.size() <= 2 * live + dead_bytes_min) {
        if (!fresh.empty()) append(path_, bytes_.size(), records_of(fresh));
        return;
    }
    if (bytes_.empty() && fresh.empty()) return;
    std::string whole = head();
    for (const DocumentFile* file : found) whole += entries_.at(file->file).record;
    whole += records_of(fresh);
    replace(path_, whole);
}

}  // namespace galleryd
