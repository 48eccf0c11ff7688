#include "controller/program/doctor/local_checks.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "controller/program/diagnostic_text.h"

namespace galleryd::doctor {
namespace {

constexpr std::size_t problems_shown = 3;

class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int number() const { return number_; }

  private:
    int number_;
};

// "" when nobody holds the directory, else the holder's process id or "unknown".
std::string lock_holder(const std::string& directory) {
    const Descriptor lock(
        ::open((directory + "/galleryd.lock").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (lock.number() < 0) return {};
    if (::flock(lock.number(), LOCK_SH | LOCK_NB) == 0) return {};  // given back by closing
    char text[16] = {};
    const ssize_t size = ::pread(lock.number(), text, sizeof text - 1, 0);
    std::string holder(text, size > 0 ? static_cast<std::size_t>(size) : 0);
    std::erase_if(holder, [](char c) { return c < '0' || c > '9'; });
    return holder.empty() ? "unknown" : holder;
}

// "" when a file can be made there, else why not. access(2) does not tell: root may write anywhere, /proc takes
// nothing.
std::string refusal_to_write(const std::string& directory) {
    const Descriptor unnamed(::open(directory.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (unnamed.number() >= 0) return {};
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT) return std::strerror(errno);
    std::string probe = directory + "/.galleryd-doctor-XXXXXX";  // this file system has no files without a name
    if (::mkdtemp(probe.data()) == nullptr) return std::strerror(errno);
    ::rmdir(probe.c_str());
    return {};
}

// What names no document: the path is to be corrected, there is nothing to validate.
bool is_about_path(const std::string& code) { return code.starts_with("GD109"); }

std::string user_text() { return std::to_string(::geteuid()); }

}  // namespace

Finding judge_documents(const std::vector<std::string>& paths, const Result<ReadResult>& read, bool any_named) {
    Finding finding{.check = "documents", .about = {}, .verdict = Verdict::ok, .measured = {}, .fix = {}, .code = {}};
    for (const std::string& path : paths) finding.about += (finding.about.empty() ? "" : ", ") + path;
    if (!any_named) {
        finding.verdict = Verdict::skipped;
        finding.measured = "none named: what they need cannot be checked (galleryd doctor PATH)";
        return finding;
    }
    std::string again = "galleryd validate";
    for (const std::string& path : paths) again += " " + path;
    if (!read) {
        const Error& error = read.error();
        if (is_about_path(error.code))
            again = "name folders or files with manifests that user " + user_text() + " may read";
        return failed("documents", paths.size() == 1 ? "" : finding.about, error.message, {again}, error.code);
    }
    std::size_t invalid = 0;
    const Diagnostic* first = nullptr;
    std::vector<std::string> lines;
    for (const DocumentRecord& document : read->documents) {
        if (document.state != DocumentState::present) ++invalid;
        for (const Diagnostic& problem : document.problems) {
            if (problem.severity != Severity::error) continue;
            if (first == nullptr) first = &problem;
            if (lines.size() < problems_shown) lines.push_back(diagnostic_line(problem));
        }
    }
    finding.measured = std::to_string(read->documents.size()) +
                       (read->documents.size() == 1 ? " document, " : " documents, ") +
                       (invalid == 0 ? std::string("all valid") : std::to_string(invalid) + " invalid");
    if (read->documents.empty())
        return failed("documents", finding.about, "no document of galleryd.io is there",
                      {"name the folder with your *.yaml files"}, "GD1094");
    if (invalid == 0) return finding;
    for (const std::string& line : lines) finding.measured += "; " + line;
    return failed("documents", finding.about, finding.measured, {again}, first == nullptr ? "GD1001" : first->code);
}

Finding look_at_state_directory(const std::string& directory) {
    Finding finding{.check = "state-directory",
                    .about = directory,
                    .verdict = Verdict::ok,
                    .measured = "writable, not in use",
                    .fix = {},
                    .code = {}};
    std::string existing = directory;
    struct stat facts {};
    bool is_there = true;
    while (::stat(existing.c_str(), &facts) != 0 && errno == ENOENT) {
        is_there = false;
        const std::size_t slash = existing.find_last_of('/');
        existing = slash == std::string::npos ? "." : slash == 0 ? "/" : existing.substr(0, slash);
        if (existing == "/" || existing == ".") break;
    }
    if (::stat(existing.c_str(), &facts) != 0)
        return failed("state-directory", directory, existing + ": " + std::strerror(errno),
                      {"--state-dir DIR, where DIR is a folder that user " + user_text() + " may write"}, "GD4106");
    if (!S_ISDIR(facts.st_mode))
        return failed("state-directory", directory, existing + " is not a directory",
                      {"--state-dir DIR, where DIR is a folder"}, "GD4106");
    if (::access(existing.c_str(), W_OK | X_OK) != 0)
        return failed("state-directory", directory, existing + " may not be written by user " + user_text(),
                      {"install -d -m 0700 -o " + user_text() + " " + directory}, "GD4104");
    if (const std::string why = refusal_to_write(existing); !why.empty())
        return failed("state-directory", directory, "nothing can be written in " + existing + ": " + why,
                      {"--state-dir DIR, where DIR is a folder on a disk that user " + user_text() + " may write"},
                      "GD4106");
    if (!is_there) {
        finding.measured = "does not exist yet; the daemon makes it";
        return finding;
    }
    const std::string holder = lock_holder(directory);
    if (holder.empty()) return finding;
    finding.verdict = Verdict::warning;
    finding.measured = "in use by the galleryd that is process " + holder + "; a second daemon would refuse to start";
    finding.code = "GD4101";
    finding.fix = {"nothing, when that daemon is meant to run; else: kill " + holder +
                   ", or give the second one a --state-dir of its own"};
    return finding;
}

}  // namespace galleryd::doctor
