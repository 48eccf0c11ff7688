#include "controller/program/saved_plan.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "controller/core/json_depth.h"
#include "controller/program/plan_json.h"

namespace galleryd {
namespace {

constexpr int json_depth_max = 64;  // a plan has ten

using Json = nlohmann::ordered_json;  // to write
// To read: members of an ordered object are looked for one by one, so a file of a mebibyte would take a minute. And
// whatever is nested a million deep is neither copied nor printed, because both call themselves for each level.
using SortedJson = nlohmann::json;

constexpr std::size_t file_bytes_max = 64U * 1024 * 1024;

std::string fields_text(const Change& change) {
    std::string text;
    for (const FieldChange& field : change.fields) {
        text += (text.empty() ? "" : "; ") + field.path + ": " + (field.before.empty() ? "-" : field.before) + " -> " +
                (field.after.empty() ? "-" : field.after);
    }
    return text;
}

std::vector<SavedStep> steps_of(const Plan& plan) {
    std::vector<SavedStep> steps;
    for (const Change& change : plan.changes)
        steps.push_back({change.address, change.kind, std::string(to_string(change.action)), fields_text(change)});
    return steps;
}

// What a reader of the JSON form does not need, and apply does.
Json saved_json(const std::vector<Plan>& plans, const PlanHeader& header) {
    Json scopes = Json::object();
    for (const Plan& plan : plans) {
        Json steps = Json::array();
        for (const SavedStep& step : steps_of(plan)) {
            steps.push_back(
                {{"address", step.address}, {"kind", step.kind}, {"action", step.action}, {"detail", step.detail}});
        }
        scopes[plan.scope] = {{"id", plan.id},
                              {"observed_digest", plan.observed_digest},
                              {"deletions_digest", plan.deletions_digest},
                              {"steps", std::move(steps)}};
    }
    return {{"sources", header.sources}, {"azure", header.azure}, {"scopes", std::move(scopes)}};
}

// Closes the descriptor whatever happens.
class File {
  public:
    explicit File(int descriptor) : descriptor_(descriptor) {}
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() { close(); }
    int get() const { return descriptor_; }
    bool close() {
        const int descriptor = std::exchange(descriptor_, -1);
        return descriptor < 0 || ::close(descriptor) == 0;
    }

  private:
    int descriptor_;
};

std::unexpected<Error> cannot_write(const std::string& path, int error) {
    const bool permission =
        error == EACCES || error == EPERM || error == ENOENT || error == ENOTDIR || error == EROFS || error == EISDIR;
    return std::unexpected(Error{.kind = permission ? ErrorKind::denied : ErrorKind::transient,
                                 .reason = "PlanNotSaved",
                                 .message = "the plan cannot be written to " + path + ": " + std::strerror(error) +
                                            "; choose another path for --out",
                                 .code = "GD5043"});
}

bool write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(descriptor, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

std::unexpected<Error> not_a_plan(const std::string& path, const std::string& why) {
    return std::unexpected(
        Error{.kind = ErrorKind::invalid,
              .reason = "NotAPlan",
              .message = path + " is not a saved plan: " + why + "; make one with galleryd plan --out " + path,
              .code = "GD5040"});
}

Result<std::string> read_file(const std::string& path) {
    File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.get() < 0) return not_a_plan(path, std::strerror(errno));
    struct stat facts {};
    if (::fstat(file.get(), &facts) != 0) return not_a_plan(path, std::strerror(errno));
    if (!S_ISREG(facts.st_mode)) return not_a_plan(path, "it is not a regular file");
    if (static_cast<std::size_t>(facts.st_size) > file_bytes_max) return not_a_plan(path, "it is larger than 64 MiB");
    std::string text;
    std::array<char, 65536> buffer{};
    while (text.size() <= file_bytes_max) {
        const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return not_a_plan(path, std::strerror(errno));
        if (count == 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return not_a_plan(path, "it is larger than 64 MiB");
}

std::string text_of(const SortedJson& object, const char* key) {  // "" when it is no text
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string shown(const std::string& version) {
    return version.size() <= 20 && std::ranges::all_of(version, [](char c) { return c >= ' ' && c < '\x7f'; })
               ? version
               : "something else";
}

SavedScope scope_from(const SortedJson& json) {
    SavedScope scope{json.at("id").get<std::string>(),
                     json.at("observed_digest").get<std::string>(),
                     json.at("deletions_digest").get<std::string>(),
                     {}};
    for (const SortedJson& step : json.at("steps")) {
        scope.steps.push_back({step.at("address").get<std::string>(), step.at("kind").get<std::string>(),
                               step.at("action").get<std::string>(), step.at("detail").get<std::string>()});
    }
    return scope;
}

SavedPlan plan_from(const SortedJson& json) {
    SavedPlan plan;
    plan.id = json.at("id").get<std::string>();
    plan.galleryd_version = json.at("galleryd_version").get<std::string>();
    plan.observed_at = json.at("observed").at("at").get<std::string>();
    const SortedJson& source = json.at("source");
    plan.header.source_kind = source.at("kind").get<std::string>();
    plan.header.revision = source.at("revision").get<std::string>();
    plan.header.path = source.at("path").get<std::string>();
    plan.header.dirty = source.at("dirty").get<bool>();
    plan.header.observe = json.at("mode").get<std::string>() == "observe";
    const SortedJson& saved = json.at("saved");
    plan.header.sources = saved.at("sources").get<std::vector<std::string>>();
    plan.header.azure = saved.at("azure").get<std::string>();
    for (const auto& [name, scope] : saved.at("scopes").items()) plan.scopes.emplace(name, scope_from(scope));
    for (const auto& [name, scope] : plan.scopes) {
        plan.deletions += static_cast<int>(std::ranges::count(scope.steps, std::string("delete"), &SavedStep::action));
    }
    return plan;
}

std::string step_text(const SavedStep& step) { return step.kind + " " + step.address + ": " + step.action; }

// The steps that differ, or one sentence when only what was observed differs.
void compare_scope(const std::string& name, const SavedScope& saved, const Plan& fresh,
                   std::vector<std::string>& moved) {
    if (saved.id == fresh.id && saved.observed_digest == fresh.observed_digest && fresh.complete) return;
    if (!fresh.complete) {
        moved.push_back(name + ": the look at Azure was not complete");
        return;
    }
    const std::size_t before = moved.size();
    const std::vector<SavedStep> steps = steps_of(fresh);
    const auto same_step = [](const SavedStep& a, const SavedStep& b) {
        return a.address == b.address && a.kind == b.kind && a.action == b.action;
    };
    for (const SavedStep& step : saved.steps) {
        if (std::ranges::find(steps, step) != steps.end()) continue;
        const auto other =
            std::ranges::find_if(steps, [&](const SavedStep& candidate) { return same_step(candidate, step); });
        moved.push_back(other == steps.end() ? step_text(step) + " is no longer planned"
                                             : step_text(step) + " is planned otherwise (" + other->detail + ")");
    }
    for (const SavedStep& step : steps) {
        if (std::ranges::none_of(saved.steps, [&](const SavedStep& candidate) { return same_step(candidate, step); }))
            moved.push_back(step_text(step) + " is planned now");
    }
    if (moved.size() != before) return;
    moved.push_back(name + (saved.observed_digest == fresh.observed_digest ? ": what is declared or allowed changed"
                                                                           : ": its state in Azure changed"));
}

}  // namespace

Status write_saved_plan(const std::string& path, const std::vector<Plan>& plans, const PlanHeader& header) {
    Json json = plan_to_json(plans, header);
    json["saved"] = saved_json(plans, header);
    const std::string text = json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
    const std::string temporary = path + "." + std::to_string(::getpid()) + ".tmp";
    ::unlink(temporary.c_str());  // what a killed process of the same id left
    File file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file.get() < 0) return cannot_write(path, errno);
    const bool stored = write_all(file.get(), text) && ::fsync(file.get()) == 0 && file.close() &&
                        ::rename(temporary.c_str(), path.c_str()) == 0;
    if (stored) return {};
    const int error = errno;
    ::unlink(temporary.c_str());
    return cannot_write(path, error);
}

Result<SavedPlan> read_saved_plan(const std::string& path) {
    const auto text = read_file(path);
    if (!text) return std::unexpected(text.error());
    return parse_saved_plan(*text, path);
}

Result<SavedPlan> parse_saved_plan(std::string_view text, const std::string& path) {
    if (is_json_deeper(text, json_depth_max)) return not_a_plan(path, "its JSON is nested deeper than any plan's");
    const SortedJson json = SortedJson::parse(text, nullptr, false);
    if (json.is_discarded() || !json.is_object()) return not_a_plan(path, "it is not JSON");
    if (text_of(json, "kind") != "Plan" || !json.contains("saved"))
        return not_a_plan(path, "it is JSON of another kind");
    const std::string version = text_of(json, "format_version");
    if (!version.starts_with("1.")) {
        return not_a_plan(path, "its format_version is " +
                                    (version.empty() ? "no text" : "\"" + shown(version) + "\"") +
                                    ", this galleryd reads 1.x");
    }
    try {
        return plan_from(json);
    } catch (const SortedJson::exception& problem) {  // a field is missing or of another type
        return not_a_plan(path, problem.what());
    }
}

std::vector<std::string> compare(const SavedPlan& saved, const std::vector<Plan>& fresh) {
    std::vector<std::string> moved;
    for (const Plan& plan : fresh) {
        const auto found = saved.scopes.find(plan.scope);
        if (found == saved.scopes.end()) {
            moved.push_back(plan.scope + ": is declared now and was not when the plan was saved");
        } else {
            compare_scope(plan.scope, found->second, plan, moved);
        }
    }
    for (const auto& [name, scope] : saved.scopes) {
        if (std::ranges::none_of(fresh, [&](const Plan& plan) { return plan.scope == name; }))
            moved.push_back(name + ": is no longer declared");
    }
    std::ranges::sort(moved);
    return moved;
}

}  // namespace galleryd
