#pragma once
#include <doctest/doctest.h>

#include "controller/adapters/folder/folder_source.h"
#include "tests/support/manual_clock.h"
#include "tests/support/recording_log.h"
#include "tests/support/run_task.h"
#include "tests/support/temporary_directory.h"

// A folder source on a manual clock, with a parser that takes each file's content for the name of a policy.
namespace galleryd::folder::samples {

inline boost::asio::awaitable<void> run_here(std::function<void()> work) {
    work();
    co_return;
}

// One policy per file, named like its content; "broken" is invalid.
inline ReadResult parse_names(const std::vector<DocumentFile>& files) {
    ReadResult result;
    for (const DocumentFile& file : files) {
        DocumentRecord record;
        record.file = file.file;
        if (file.content == "broken") {
            record.state = DocumentState::invalid;
        } else {
            LifecyclePolicy policy;
            policy.meta.key = ObjectKey{Kind::lifecycle_policy, "default", file.content};
            record.key = policy.meta.key;
            result.objects.policies.emplace(policy.meta.key, policy);
        }
        result.documents.push_back(record);
    }
    return result;
}

struct World {
    explicit World(const std::string& path) {
        options.path = path;
        options.name = "dir:x";
    }

    FolderSource& source() {
        if (!made) {
            ParseFiles parse = [this](const std::vector<DocumentFile>& files) {
                ++parsed;
                if (on_parse) on_parse();
                return parse_names(files);
            };
            BlockingExecutor blocking = [this](std::function<void()> work) {
                ++blocking_calls;
                if (before_work) before_work(blocking_calls);
                return run_here(std::move(work));
            };
            made.emplace(io.get_executor(), clock, log, blocking, parse, options);
        }
        return *made;
    }
    Snapshot look() {
        auto snapshot = run_task(io, clock, source().look());
        REQUIRE(snapshot.has_value());
        is_unchanged = snapshot->unchanged;
        if (!is_unchanged) {
            last = *snapshot;
        } else {  // as whoever takes snapshots over understands it
            REQUIRE(last.has_value());
            REQUIRE(last->revision == snapshot->revision);
            CHECK(snapshot->objects.policies.empty());
        }
        return *last;
    }

    boost::asio::io_context io;
    ManualClock clock{io, std::chrono::sys_days{std::chrono::year{2040} / 1 / 1}};  // every file is old
    RecordingLog log;
    FolderOptions options;
    std::optional<FolderSource> made;
    std::optional<Snapshot> last;  // that was not `unchanged`
    bool is_unchanged = false;
    int parsed = 0, blocking_calls = 0;
    std::function<void()> on_parse;
    std::function<void(int)> before_work;
};

inline std::vector<std::string> names(const Snapshot& snapshot) {
    std::vector<std::string> all;
    for (const auto& [key, policy] : snapshot.objects.policies) all.push_back(key.name);
    return all;
}

}  // namespace galleryd::folder::samples
