#include "controller/program/version_errand.h"

#include <algorithm>
#include <cstdlib>

#include "controller/core/tags.h"
#include "controller/program/messages.h"

namespace galleryd {
namespace {

constexpr std::chrono::seconds pause_between_looks{2};

// Until Azure is done; nullopt: not within the time. A road that fails meanwhile is tried again.
Task<std::optional<OperationStatus>> wait_for_end(ErrandSite& site, OperationRef operation) {
    Clock& clock = site.session.clock();
    while (clock.monotonic() < site.deadline) {
        const auto status = co_await site.eyes.api.poll_operation(operation);
        const bool is_gone =
            !status && status.error().kind != ErrorKind::transient && status.error().kind != ErrorKind::throttled;
        if (is_gone) co_return std::unexpected(status.error());
        if (status && status->state != OperationState::in_progress) co_return *status;
        std::chrono::nanoseconds pause = pause_between_looks;
        if (status && status->retry_after) pause = *status->retry_after;
        co_await clock.sleep_for(
            std::clamp<std::chrono::nanoseconds>(pause, std::chrono::milliseconds{100}, std::chrono::seconds{30}));
    }
    co_return std::optional<OperationStatus>{};
}

}  // namespace

std::string user_name() {
    const char* name = std::getenv("USER");
    return name == nullptr || *name == '\0' ? "unknown" : name;
}

Error errand_error(ErrorKind kind, std::string code, std::string reason, std::string message) {
    return Error{.kind = kind, .reason = std::move(reason), .message = std::move(message), .code = std::move(code)};
}

std::string tag_text(const ObservedVersion& version, const char* name) {
    const auto tag = find_tag_any_case(version.tags, name);
    return tag == version.tags.end() ? "" : tag->second.value_or("");
}

Result<Errand> errand_of(const CommonOptions& common, const std::string& version, const std::string& timeout,
                         const std::string& verb) {
    if (version.starts_with("sha256:")) {
        return wrong_usage("GD5032",
                           verb +
                               " takes an image version. Deletions and source revisions are named by their digest "
                               "and let go by `galleryd approve " +
                               version + "`");
    }
    const auto name = parse_version_name(version);
    if (!name) return std::unexpected(name.error());
    if (common.observe)
        return wrong_usage("GD5031", verb + " writes to Azure, and --observe forbids writing. Leave it out");
    const auto limit = parse_duration_flag("--timeout", timeout);
    if (!limit) return std::unexpected(limit.error());
    return Errand{.name = *name, .asked_by = verb + " by " + user_name(), .timeout = *limit};
}

Task<ObservedVersion> look_at_rest(ErrandSite& site) {
    Clock& clock = site.session.clock();
    const std::string name = "image version " + name_for_people(site.version);
    while (true) {
        auto seen = co_await site.eyes.api.get_version(site.version, true);
        if (!seen) co_return std::unexpected(seen.error());
        if (!*seen) {
            co_return std::unexpected(errand_error(ErrorKind::invalid, "GD5023", "NotFoundInAzure",
                                                   "image version " + site.version.text() + " is not in Azure"));
        }
        ObservedVersion& version = **seen;
        if (version.state == ProvisioningState::deleting) {
            co_return std::unexpected(errand_error(ErrorKind::denied, "GD5033", "BeingDeleted",
                                                   name + " is being deleted; nothing was written"));
        }
        if (!is_in_transition(version.state)) co_return std::move(version);
        if (clock.monotonic() >= site.deadline) {
            co_return std::unexpected(errand_error(ErrorKind::not_ready, "GD5033", "InTransition",
                                                   name + " is " + std::string(to_string(version.state)) +
                                                       " all the time; nothing was written. Azure takes no other "
                                                       "change meanwhile"));
        }
        co_await clock.sleep_for(pause_between_looks);
    }
}

Intent intent_of(const ErrandSite& site, std::string reason, std::string detail, const Errand& errand) {
    return Intent{.resource = site.version.text(),
                  .step = "UpdateVersion",
                  .document = "",
                  .revision = "",
                  .rule = reason == "release" ? "hold" : reason,
                  .reason = std::move(reason),
                  .plan_id = "",
                  .detail = std::move(detail),
                  .asked_by = errand.asked_by,
                  .destructive = false,
                  .at = site.session.clock().now()};
}

Task<bool> write_down_and_send(ErrandSite& site, Intent intent, Task<WriteOutcome> request,
                               std::optional<Task<bool>> meanwhile) {
    Journal& journal = site.session.journal();
    if (!journal.writable()) {
        co_return std::unexpected(errand_error(ErrorKind::denied, "GD4104", "JournalNotWritable",
                                               "the state directory cannot be written; nothing is sent to Azure "
                                               "without a record of it"));
    }
    const auto begun = journal.begin_intent(intent);
    if (!begun) co_return std::unexpected(begun.error());
    const auto sent = co_await std::move(request);
    std::string outcome = "done";
    std::optional<Error> problem;
    bool still_works = false;
    if (!sent) {
        problem = sent.error();
    } else if (sent->operation) {
        if (meanwhile) static_cast<void>((co_await std::move(*meanwhile)).has_value());
        const auto ended = co_await wait_for_end(site, *sent->operation);
        if (!ended) {
            problem = ended.error();
        } else if (!*ended) {
            outcome = "accepted";
            still_works = true;
        } else if ((*ended)->state == OperationState::failed || (*ended)->state == OperationState::canceled) {
            problem = errand_error(
                ErrorKind::denied, "GD5035", "WriteFailed",
                "Azure took the write and then failed: " + (*ended)->error_code + ": " + (*ended)->error_message);
        }
    }
    if (problem) {
        const bool is_unknown = problem->kind == ErrorKind::transient;
        outcome = (is_unknown ? "unknown: " : "failed: ") + problem->reason + ": " + problem->message;
    }
    const std::string correlation = sent ? sent->correlation_id : sent.error().correlation_id;
    const Status noted = journal.finish_intent(*begun, outcome, correlation, site.session.clock().now(), std::nullopt);
    if (problem) co_return std::unexpected(*problem);
    if (!noted) co_return std::unexpected(noted.error());
    co_return still_works;
}

namespace {

// nullopt: a tag without a value cannot be written back as it was.
std::optional<Tags> whole_map(const ObservedVersion& as_read, const TagChange& change) {
    Tags all;
    for (const auto& [name, value] : as_read.tags) {
        if (!value && !change.set.contains(name) && !change.unset.contains(name)) return std::nullopt;
        if (!change.unset.contains(name)) all[name] = value.value_or("");
    }
    for (const auto& [name, value] : change.set) all[name] = value;
    return all;
}

}  // namespace

Task<bool> change_tags(ErrandSite& site, ObservedVersion as_read, TagChange change, Errand errand) {
    auto narrow = change.unset.empty() ? site.eyes.care.merge_tags(site.version, change.set)
                                       : site.eyes.care.delete_tags(site.version, change.unset);
    Intent intent = intent_of(site, change.reason, change.detail, errand);
    const auto written = co_await write_down_and_send(site, std::move(intent), std::move(narrow));
    const auto map = whole_map(as_read, change);
    if (written || written.error().reason != "AuthorizationFailed" || !map) co_return written;
    // The whole map may be another one since it was read; writing the old one would bring back what somebody took off.
    const auto now = co_await site.eyes.api.get_version(site.version, false);
    if (!now) co_return std::unexpected(now.error());
    if (!now->has_value() || (*now)->tags != as_read.tags) {
        co_return std::unexpected(
            errand_error(ErrorKind::not_ready, "GD5035", "NotAsRead",
                         "somebody changed the tags meanwhile; nothing was written, run it again"));
    }
    auto wide = site.eyes.care.replace_tags(site.version, *map);
    Intent again = intent_of(site, change.reason, change.detail + " (with all tags)", errand);
    const auto done = co_await write_down_and_send(site, std::move(again), std::move(wide));
    // Where neither is allowed, the narrow one is what to ask for.
    if (!done && done.error().reason == "AuthorizationFailed") co_return std::unexpected(written.error());
    co_return done;
}

}  // namespace galleryd
