#include "controller/program/command_hold.h"

#include <algorithm>
#include <cstdlib>
#include <ostream>

#include "controller/core/tags.h"
#include "controller/program/command_usage.h"
#include "controller/program/messages.h"
#include "controller/program/plan_text.h"
#include "controller/program/session.h"
#include "reconcilers/image_version/changes.h"

namespace galleryd {
namespace {

constexpr std::chrono::seconds pause_between_looks{2};

struct Errand {
    VersionName name;
    std::optional<std::string> reason;  // nullopt: release
    std::string asked_by;
    std::chrono::seconds timeout{0};
};

struct Done {
    ResourceId version;
    std::string gallery_and_below;      // "golden/ubuntu-2404/1.8.0"
    std::optional<std::string> before;  // what was held for before
    std::string owner;                  // the owner tag, "" when there is none
    bool written = false;               // false: nothing had to be done
    bool is_marked = false;             // for deletion
    bool still_works = false;           // Azure has accepted it and is not done with it
};

Error coded(ErrorKind kind, std::string code, std::string reason, std::string message) {
    return Error{.kind = kind, .reason = std::move(reason), .message = std::move(message), .code = std::move(code)};
}

std::string path_of(const ResourceId& version) {
    const auto definition = version.parent();
    const auto gallery = definition ? definition->parent() : std::nullopt;
    return (gallery ? gallery->name() + "/" : "") + (definition ? definition->name() + "/" : "") + version.name();
}

std::string tag_text(const ObservedVersion& version, const char* name) {
    const auto tag = find_tag_any_case(version.tags, name);
    return tag == version.tags.end() ? "" : tag->second.value_or("");
}

// A strong read of the version at rest. Azure refuses a write while another one is under way; one that is being
// deleted cannot be saved by a tag.
Task<ObservedVersion> look_at_rest(GalleryApi& api, Clock& clock, ResourceId id, std::chrono::nanoseconds deadline) {
    while (true) {
        auto seen = co_await api.get_version(id, true);
        if (!seen) co_return std::unexpected(seen.error());
        if (!*seen) {
            co_return std::unexpected(coded(ErrorKind::invalid, "GD5023", "NotFoundInAzure",
                                            "image version " + id.text() + " is not in Azure"));
        }
        ObservedVersion& version = **seen;
        if (version.state == ProvisioningState::deleting) {
            co_return std::unexpected(coded(ErrorKind::denied, "GD5033", "BeingDeleted",
                                            "image version " + path_of(id) + " is being deleted; nothing was written"));
        }
        if (!is_in_transition(version.state)) co_return std::move(version);
        if (clock.monotonic() >= deadline) {
            co_return std::unexpected(coded(ErrorKind::not_ready, "GD5033", "InTransition",
                                            "image version " + path_of(id) + " is " +
                                                std::string(to_string(version.state)) +
                                                " all the time; nothing was written. Azure takes no other change "
                                                "meanwhile"));
        }
        co_await clock.sleep_for(pause_between_looks);
    }
}

// Until Azure is done; nullopt: not within the time. A road that fails meanwhile is tried again.
Task<std::optional<OperationStatus>> wait_for_end(GalleryApi& api, Clock& clock, OperationRef operation,
                                                  std::chrono::nanoseconds deadline) {
    while (clock.monotonic() < deadline) {
        const auto status = co_await api.poll_operation(operation);
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

Intent intent_of(const Errand& errand, const ObservedVersion& version, TimePoint now) {
    const std::string before = hold_on(version).value_or("-"), after = errand.reason.value_or("-");
    return Intent{.resource = version.id.text(),
                  .step = "UpdateVersion",
                  .document = "",
                  .revision = "",
                  .rule = "hold",
                  .reason = errand.reason ? "hold" : "release",
                  .plan_id = "",
                  .detail = std::string("/tags/") + hold_tag + ": " + before + " -> " + after,
                  .asked_by = errand.asked_by,
                  .destructive = false,
                  .at = now};
}

// A PUT carries the whole list of regions: nothing else may have gone with it.
Status check_written(const Errand& errand, const ObservedVersion& before, const ObservedVersion& after) {
    const bool is_held = hold_on(after).has_value();
    if (is_held != errand.reason.has_value()) {
        return std::unexpected(coded(ErrorKind::conflict, "GD5035", "NotAsWritten",
                                     "Azure took the write, but image version " + path_of(before.id) +
                                         (is_held ? " is held (again)" : " carries no tag galleryd-hold") +
                                         ": somebody wrote at the same time. Look at it and ask again"));
    }
    for (const TargetRegion& region : before.target_regions) {
        if (std::ranges::find(after.target_regions, region.name, &TargetRegion::name) != after.target_regions.end())
            continue;
        return std::unexpected(coded(ErrorKind::conflict, "GD5035", "NotAsWritten",
                                     "the tag is written, but image version " + path_of(before.id) + " lost region " +
                                         region.name + " meanwhile: somebody wrote at the same time"));
    }
    return {};
}

// Intent, request, outcome: the journal knows of it before Azure does.
Task<bool> write_tag(Session& session, GalleryApi& api, Errand errand, ObservedVersion version,
                     std::chrono::nanoseconds deadline) {
    Journal& journal = session.journal();
    Clock& clock = session.clock();
    if (!journal.writable()) {
        co_return std::unexpected(coded(ErrorKind::denied, "GD4104", "JournalNotWritable",
                                        "the state directory cannot be written; nothing is sent to Azure without a "
                                        "record of it"));
    }
    const auto intent = journal.begin_intent(intent_of(errand, version, clock.now()));
    if (!intent) co_return std::unexpected(intent.error());
    VersionWrite write = hold_write(version, errand.reason);
    const auto sent = co_await api.put_version(version.id, std::move(write), version);
    std::string outcome = "done";
    std::optional<Error> problem;
    bool still_works = false;
    if (!sent) {
        problem = sent.error();
    } else if (sent->operation) {
        const auto ended = co_await wait_for_end(api, clock, *sent->operation, deadline);
        if (!ended) {
            problem = ended.error();
        } else if (!*ended) {
            outcome = "accepted";
            still_works = true;
        } else if ((*ended)->state == OperationState::failed || (*ended)->state == OperationState::canceled) {
            problem =
                coded(ErrorKind::denied, "GD5035", "WriteFailed",
                      "Azure took the write and then failed: " + (*ended)->error_code + ": " + (*ended)->error_message);
        }
    }
    if (problem) {
        const bool is_unknown = problem->kind == ErrorKind::transient;
        outcome = (is_unknown ? "unknown: " : "failed: ") + problem->reason + ": " + problem->message;
    }
    const std::string correlation = sent ? sent->correlation_id : sent.error().correlation_id;
    const Status noted = journal.finish_intent(*intent, outcome, correlation, clock.now(), std::nullopt);
    if (problem) co_return std::unexpected(*problem);
    if (!noted) co_return std::unexpected(noted.error());
    co_return still_works;
}

Task<Done> carry_out(Session& session, Errand errand) {
    Clock& clock = session.clock();
    const auto deadline = clock.monotonic() + errand.timeout;
    const auto id = co_await find_version(session.usage_reader(), errand.name);
    if (!id) co_return std::unexpected(id.error());
    GalleryApi& api = session.eyes_on(*id->parent()->parent()).api;
    auto version = co_await look_at_rest(api, clock, *id, deadline);
    if (!version) co_return std::unexpected(version.error());
    Done done{.version = *id,
              .gallery_and_below = path_of(*id),
              .before = hold_on(*version),
              .owner = tag_text(*version, owner_tag),
              .written = false,
              .is_marked = has_tag(version->tags, delete_after_tag),
              .still_works = false};
    if (done.before.has_value() == errand.reason.has_value()) co_return done;
    const auto written = co_await write_tag(session, api, errand, *version, deadline);
    if (!written) co_return std::unexpected(written.error());
    done.written = true;
    done.still_works = *written;
    if (done.still_works) co_return done;
    const auto after = co_await api.get_version(*id, true);
    if (!after) co_return std::unexpected(after.error());
    if (!*after) {
        co_return std::unexpected(coded(ErrorKind::conflict, "GD5035", "NotAsWritten",
                                        "image version " + path_of(*id) + " was deleted while the tag was written"));
    }
    if (const Status checked = check_written(errand, *version, **after); !checked)
        co_return std::unexpected(checked.error());
    co_return done;
}

std::string user() {
    const char* name = std::getenv("USER");
    return name == nullptr || *name == '\0' ? "unknown" : name;
}

Result<Errand> errand_of(const HoldOptions& options, const std::string& verb) {
    if (options.version.starts_with("sha256:")) {
        return wrong_usage("GD5032",
                           verb +
                               " takes an image version. Deletions and source revisions are named by their digest "
                               "and let go by `galleryd approve " +
                               options.version + "`");
    }
    const auto name = parse_version_name(options.version);
    if (!name) return std::unexpected(name.error());
    if (options.common.observe)
        return wrong_usage("GD5031", verb + " writes a tag to Azure, and --observe forbids writing. Leave it out");
    const auto timeout = parse_duration_flag("--timeout", options.timeout);
    if (!timeout) return std::unexpected(timeout.error());
    return Errand{.name = *name, .reason = std::nullopt, .asked_by = verb + " by " + user(), .timeout = *timeout};
}

Result<Done> run_errand(const HoldOptions& options, const std::string& verb, Errand errand) {
    auto session = Session::open(options.common, JournalUse::alongside, verb);
    if (!session) return std::unexpected(session.error());
    if (const Status signed_in = (*session)->sign_in(); !signed_in) return std::unexpected(signed_in.error());
    return (*session)->run(carry_out(**session, std::move(errand)));
}

int end_of(const Done& done, std::ostream& err) {
    if (!done.still_works) return exit_done;
    err << "galleryd: Azure has accepted it and still works on it; `galleryd usage` and `plan` see it when it is "
           "done.\n";
    return exit_gate;
}

}  // namespace

std::optional<std::string> hold_on(const ObservedVersion& version) {
    const auto tag = find_tag_any_case(version.tags, hold_tag);
    if (tag == version.tags.end()) return std::nullopt;
    return tag->second.value_or("");
}

VersionWrite hold_write(const ObservedVersion& version, const std::optional<std::string>& reason) {
    VersionWrite write = image_version::write_from(version);
    const auto tag = find_tag_any_case(version.tags, hold_tag);
    const std::string spelling = tag == version.tags.end() ? hold_tag : tag->first;
    if (reason) write.tags[spelling] = *reason;
    else write.tags_removed.push_back(spelling);
    return write;
}

Status check_hold_reason(const std::string& reason) {
    const auto characters =
        std::ranges::count_if(reason, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
    if (static_cast<std::size_t>(characters) > hold_reason_max)
        return wrong_usage("GD5034", "--reason has " + std::to_string(characters) +
                                         " characters; a tag of Azure holds " + std::to_string(hold_reason_max));
    if (printable(reason) != reason)
        return wrong_usage("GD5034", "--reason has control characters; write one line of text");
    return {};
}

int run_hold(const HoldOptions& options, std::ostream& out, std::ostream& err) {
    auto errand = errand_of(options, "hold");
    if (!errand) return exit_with(err, errand.error());
    if (const Status checked = check_hold_reason(options.reason); !checked) return exit_with(err, checked.error());
    errand->reason = options.reason.empty() ? "held by " + user() : options.reason;
    const std::string wanted = *errand->reason;
    const auto done = run_errand(options, "hold", std::move(*errand));
    if (!done) return exit_with(err, done.error());
    if (!done->written) {
        out << done->gallery_and_below << " is held already: " << printable(*done->before) << "\n";
        if (*done->before != wanted)
            err << "galleryd: note: that reason stays, somebody may rely on it. To give another one: galleryd release "
                << done->gallery_and_below << ", then hold it again.\n";
        return exit_done;
    }
    out << "Held " << done->gallery_and_below << ": " << printable(wanted) << "\n"
        << "  galleryd deletes it for no reason, and takes no region of it away, before `galleryd release "
        << done->gallery_and_below << "`.\n";
    if (!done->owner.empty()) out << "  Its owner tag names " << printable(done->owner) << ".\n";
    if (done->is_marked) out << "  It was marked for deletion; the mark goes at the daemon's next pass.\n";
    return end_of(*done, err);
}

int run_release(const HoldOptions& options, std::ostream& out, std::ostream& err) {
    auto errand = errand_of(options, "release");
    if (!errand) return exit_with(err, errand.error());
    const auto done = run_errand(options, "release", std::move(*errand));
    if (!done) return exit_with(err, done.error());
    if (!done->written) {
        out << done->gallery_and_below << " carries no tag galleryd-hold; nothing was written.\n";
        return exit_done;
    }
    const std::string before = printable(*done->before);
    out << "Released " << done->gallery_and_below << ". It was held: " << (before.empty() ? "without a reason" : before)
        << "\n"
        << "  Whether it goes now, and when: galleryd retention preview. An annotation galleryd.io/hold in a document "
           "and protectTags hold as before.\n";
    return end_of(*done, err);
}

}  // namespace galleryd
