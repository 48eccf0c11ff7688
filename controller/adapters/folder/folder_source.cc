#include "controller/adapters/folder/folder_source.h"

#include <algorithm>

#include "controller/core/digest.h"
#include "controller/core/on_threads.h"

namespace galleryd::folder {

namespace {

constexpr int rounds_max = 3;

DocumentRecord unreadable_record(const std::string& path, Diagnostic problem) {
    DocumentRecord record;
    record.file = path;
    record.state = DocumentState::unreadable;
    record.problems.push_back(std::move(problem));
    return record;
}

Diagnostic keeps_changing(const std::string& path) {
    Diagnostic problem;
    problem.code = "GD4008";
    problem.where.file = path;
    problem.message = "keeps changing while it is read";
    problem.remedy = "write manifests to a temporary file and rename it into place";
    return problem;
}

Error mount_vanished(const std::string& path) {
    Error error{.kind = ErrorKind::not_ready, .reason = "SourceMissing", .message = {}};
    error.code = "GD4003";
    error.message =
        "folder " + path + " was a mount and no longer is: mount it again, or restart galleryd if that is intended";
    return error;
}

}  // namespace

// Shared with the blocking pool: the coroutine waits for the work to end, also when it is cancelled.
struct FolderSource::Attempt {
    std::unique_ptr<TreeReader> reader;
    Listing listing;
    std::vector<DocumentFile> files;
    std::vector<DocumentRecord> records;  // of what cannot be read
    std::vector<std::string> moving;      // changed between listing and reading
    bool is_consistent = false;           // nothing moved between the two listings
    bool is_at_rest = true;               // an equal listing later means an equal snapshot
    bool is_mount = false;
    std::optional<Error> error;
    Snapshot snapshot;
};

FolderSource::FolderSource(boost::asio::any_io_executor executor, Clock& clock, Log& log, BlockingExecutor blocking,
                           ParseFiles parse, FolderOptions options)
    : clock_(clock),
      log_(log),
      blocking_(std::move(blocking)),
      parse_(std::move(parse)),
      options_(std::move(options)),
      watcher_(std::move(executor), clock, log, options_.path) {
    if (options_.name.empty()) options_.name = "dir:" + options_.path;
}

// What throws in there (no memory, a library) becomes an error of this look; the next one starts anew.
boost::asio::awaitable<void> FolderSource::run_blocking(std::shared_ptr<Attempt> attempt, std::function<void()> work) {
    std::function<void()> guarded = [attempt, work = std::move(work)] {
        try {
            work();
        } catch (const std::exception& failed) {
            attempt->error = Error{.kind = ErrorKind::bug,
                                   .reason = "SourceFailed",
                                   .message = std::string("the folder could not be taken in: ") + failed.what()};
        }
    };
    co_await blocking_(std::move(guarded));
}

boost::asio::awaitable<void> FolderSource::list_tree(std::shared_ptr<Attempt> attempt) {
    std::function<void()> work = [attempt, path = options_.path, limits = options_.limits] {
        auto reader = TreeReader::open(path, limits);
        if (!reader) {
            attempt->error = reader.error();
            return;
        }
        attempt->reader = std::move(*reader);
        attempt->is_mount = attempt->reader->is_mount();
        auto listing = attempt->reader->list();
        if (listing) attempt->listing = std::move(*listing);
        else attempt->error = listing.error();
    };
    co_await run_blocking(attempt, std::move(work));
}

namespace {

// Reading ten thousand small files is mostly waiting for the kernel.
std::vector<FileContent> read_files(const TreeReader& reader, const std::vector<FoundFile>& files) {
    constexpr std::size_t threads = 2;
    std::vector<FileContent> contents(files.size());
    const auto read = [&](std::size_t i) {
        if (files[i].problem) return;
        contents[i] = reader.read(files[i]);
        contents[i].digest = sha256_hex(contents[i].text);
    };
    on_threads(files.size(), files.size() < 16 ? 1 : threads, read);
    return contents;
}

// Of both listings, but not the same in both: written again after it was read; what was read may be half of it.
std::vector<std::string> find_rewritten(const Listing& before, const Listing& after) {
    std::vector<std::string> rewritten;
    for (const FoundFile& file : before.files) {
        const auto same = std::ranges::lower_bound(after.files, file.path, {}, &FoundFile::path);
        const bool is_there = same != after.files.end() && same->path == file.path;
        if (!file.problem && is_there && !(*same == file)) rewritten.push_back(file.path);
    }
    return rewritten;
}

}  // namespace

boost::asio::awaitable<void> FolderSource::read_tree(std::shared_ptr<Attempt> attempt) {
    std::function<void()> work = [attempt] {
        const std::vector<FoundFile>& files = attempt->listing.files;
        std::vector<FileContent> contents = read_files(*attempt->reader, files);
        for (std::size_t i = 0; i < files.size(); ++i) {
            const FoundFile& file = files[i];
            FileContent& content = contents[i];
            if (file.problem) {
                attempt->records.push_back(unreadable_record(file.path, *file.problem));
            } else if (content.is_changed) {
                attempt->moving.push_back(file.path);
            } else if (content.problem) {
                attempt->records.push_back(unreadable_record(file.path, std::move(*content.problem)));
                attempt->is_at_rest = false;  // a permission or a disk may recover without a trace in the listing
            } else {
                attempt->files.push_back({file.path, std::move(content.text), std::move(content.digest)});
            }
        }
        const auto after = attempt->reader->list();
        attempt->is_consistent = after && *after == attempt->listing && attempt->moving.empty();
        if (!after || attempt->is_consistent) return;
        std::ranges::move(find_rewritten(attempt->listing, *after), std::back_inserter(attempt->moving));
    };
    co_await run_blocking(attempt, std::move(work));
}

boost::asio::awaitable<void> FolderSource::parse_tree(std::shared_ptr<Attempt> attempt) {
    std::function<void()> work = [attempt, parse = parse_, name = options_.name] {
        std::string text = name + '\n';  // a release is of one source: equal folders are two
        for (const DocumentFile& file : attempt->files) text += file.file + '\0' + file.digest + '\n';
        for (const DocumentRecord& record : attempt->records) text += record.file + '\0' + "unreadable\n";
        ReadResult read = parse(std::move(attempt->files));
        Snapshot& snapshot = attempt->snapshot;
        snapshot.source = name;
        snapshot.revision = sha256_label(text);
        snapshot.objects = std::move(read.objects);
        snapshot.documents = std::move(read.documents);
        for (DocumentRecord& record : attempt->records) {  // the others are in order of file and line already
            const auto place =
                std::upper_bound(snapshot.documents.begin(), snapshot.documents.end(), record,
                                 [](const DocumentRecord& a, const DocumentRecord& b) { return a.file < b.file; });
            snapshot.documents.insert(place, std::move(record));
        }
    };
    co_await run_blocking(attempt, std::move(work));
}

std::chrono::nanoseconds FolderSource::unsettled_for(const FileStamp& stamp) const {
    const auto now = std::chrono::duration_cast<std::chrono::nanoseconds>(clock_.now().time_since_epoch());
    const auto age = now - std::chrono::nanoseconds(stamp.modified_ns);
    // A little in the future is a coarse clock; far in the future is a wrong one, and waiting would not help.
    if (age >= options_.settle || age <= -options_.settle) return {};
    return std::min(options_.settle, options_.settle - age);
}

std::chrono::nanoseconds FolderSource::longest_unsettled(const Listing& listing) const {
    std::chrono::nanoseconds longest{0};
    for (const FoundFile& file : listing.files) {
        if (!file.problem) longest = std::max(longest, unsettled_for(file.stamp));
    }
    return longest;
}

void FolderSource::note_links(const Listing& listing) {
    if (listing.ignored_links == noted_links_) return;
    noted_links_ = listing.ignored_links;
    for (std::size_t i = 0; i < std::min<std::size_t>(noted_links_.size(), 10); ++i) {
        log_.warning("link leads out of the source's folder and is not followed",
                     {{"source", name()}, {"file", noted_links_[i]}, {"code", "GD4006"}});
    }
}

Snapshot FolderSource::unreadable(const Error& error) const {
    Snapshot snapshot;
    snapshot.source = name();
    snapshot.readable = false;
    snapshot.unreadable_reason = error.code.empty() ? error.message : error.code + " " + error.message;
    return snapshot;
}

Snapshot FolderSource::unchanged() const {
    Snapshot snapshot;
    snapshot.source = name();
    snapshot.revision = *last_revision_;
    snapshot.unchanged = true;
    return snapshot;
}

// Whatever did not come to rest is unreadable: neither removed nor half a document.
void FolderSource::set_aside_moving(Attempt& attempt) {
    for (const FoundFile& file : attempt.listing.files) {
        const bool is_moving =
            std::find(attempt.moving.begin(), attempt.moving.end(), file.path) != attempt.moving.end();
        if (file.problem || (!is_moving && unsettled_for(file.stamp) == std::chrono::nanoseconds::zero())) continue;
        std::erase_if(attempt.files, [&](const DocumentFile& other) { return other.file == file.path; });
        std::erase_if(attempt.records, [&](const DocumentRecord& other) { return other.file == file.path; });
        attempt.records.push_back(unreadable_record(file.path, keeps_changing(file.path)));
        attempt.is_at_rest = false;
    }
    if (attempt.is_consistent) return;
    attempt.is_at_rest = false;
    // Files come and go: some may have been missed altogether (a rename while the folder was listed).
    if (attempt.moving.empty())
        attempt.records.insert(attempt.records.begin(), unreadable_record("./", keeps_changing("./")));
}

Task<Snapshot> FolderSource::look() {
    std::shared_ptr<Attempt> attempt;
    for (int round = 1; round <= rounds_max; ++round) {
        attempt = std::make_shared<Attempt>();
        co_await list_tree(attempt);
        if (!attempt->error && was_mount_ && !attempt->is_mount) attempt->error = mount_vanished(options_.path);
        if (attempt->error) break;
        // Before reading: what changes from here on is either seen by the second listing or wakes changed().
        watcher_.watch(attempt->listing.folders);
        note_links(attempt->listing);
        if (last_revision_ && attempt->listing == last_listing_) co_return unchanged();
        const auto wait = longest_unsettled(attempt->listing);
        if (wait > std::chrono::nanoseconds::zero() && round < rounds_max) {
            co_await clock_.sleep_for(wait);
            continue;
        }
        co_await read_tree(attempt);
        if (attempt->error || (attempt->is_consistent && wait == std::chrono::nanoseconds::zero())) break;
    }
    if (!attempt->error) {
        set_aside_moving(*attempt);
        co_await parse_tree(attempt);
    }
    last_revision_.reset();
    is_restless_ = attempt->error.has_value() || !attempt->is_at_rest;
    if (attempt->error) {
        watcher_.watch_root_name();  // so that its return is noticed
        co_return unreadable(*attempt->error);
    }
    was_mount_ = was_mount_ || attempt->is_mount;
    if (attempt->is_at_rest) {
        last_revision_ = attempt->snapshot.revision;
        last_listing_ = std::move(attempt->listing);
    }
    co_return std::move(attempt->snapshot);
}

boost::asio::awaitable<void> FolderSource::changed() {
    // What kept changing or could not be read is looked at again soon, event or not.
    const auto interval =
        is_restless_ ? std::min(options_.restless_interval, options_.rescan_interval) : options_.rescan_interval;
    const bool is_event = co_await watcher_.wait(interval);
    if (!is_event) co_return;
    co_await clock_.sleep_for(options_.coalesce);
    watcher_.drain();
}

}  // namespace galleryd::folder
