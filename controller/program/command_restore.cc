#include "controller/program/command_restore.h"

#include <algorithm>
#include <ostream>

#include "controller/core/hold.h"
#include "controller/core/tags.h"
#include "controller/program/command_hold.h"
#include "controller/program/messages.h"
#include "controller/program/plan_text.h"

namespace galleryd {
namespace {

constexpr std::chrono::seconds pause_between_looks{2};

struct Done {
    std::string name;     // "golden/ubuntu-2404/1.8.0"
    std::string deleted;  // soft_deleted_text
    std::string held;     // the hold that it has now
    std::string mark;     // that was taken off, "" = none
    std::string regions;  // that are back
    bool tombstone_lifted = false;
    bool still_works = false;   // Azure has accepted it and is not done with it
    std::optional<Error> open;  // hold or mark could not be written yet
};

std::unexpected<Error> refused(std::string code, std::string reason, std::string message) {
    return std::unexpected(errand_error(ErrorKind::invalid, std::move(code), std::move(reason), std::move(message)));
}

// Resource Graph does not show what was deleted, but where it stood.
Task<ResourceId> find_place(UsageReader& reader, VersionName name) {
    if (name.id) co_return *name.id;
    const auto found = co_await reader.find_definitions(name.gallery, name.definition);
    if (!found) co_return std::unexpected(found.error());
    const std::string text = name.gallery + "/" + name.definition;
    if (found->empty()) {
        co_return refused("GD5023", "NotFoundInAzure",
                          "Resource Graph shows no image definition " + text +
                              " in the subscriptions that this identity can read. If it is in another one, grant this "
                              "identity Reader there");
    }
    if (found->size() == 1) co_return ResourceId(found->front().text() + "/versions/" + name.version);
    std::string list;
    for (const ResourceId& id : *found) list += "\n  " + id.text() + "/versions/" + name.version;
    co_return refused(
        "GD5024", "Ambiguous",
        std::to_string(found->size()) + " galleries have an image definition " + text + "; ask by id:" + list);
}

// Why there is nothing to restore.
Task<SoftDeletedVersion> nothing_there(ErrandSite& site) {
    const std::string name = name_for_people(site.version);
    const auto gallery = co_await site.eyes.api.get_gallery(*site.version.parent()->parent());
    if (!gallery) co_return std::unexpected(gallery.error());
    if (!*gallery)
        co_return refused("GD5023", "NotFoundInAzure", "the gallery of image version " + name + " is not in Azure");
    if (!(*gallery)->soft_delete_enabled.value_or(false)) {
        co_return refused("GD5039", "SoftDeleteOff",
                          "soft delete is not switched on in gallery " + (*gallery)->name +
                              ": what is deleted there is gone for good, and image version " + name +
                              " is not among what it still keeps");
    }
    co_return refused("GD5038", "GoneForGood",
                      "image version " + name + " is neither in Azure nor among what gallery " + (*gallery)->name +
                          " keeps soft-deleted: its time is over, or it never was there");
}

Task<SoftDeletedVersion> find_deleted(ErrandSite& site) {
    const std::string name = name_for_people(site.version);
    const auto live = co_await site.eyes.api.get_version(site.version, true);
    if (!live) co_return std::unexpected(live.error());
    if (*live && (*live)->state == ProvisioningState::deleting) {
        co_return std::unexpected(errand_error(ErrorKind::not_ready, "GD5033", "BeingDeleted",
                                               "image version " + name +
                                                   " is being deleted; it can be restored once that has ended. Ask "
                                                   "again in a few minutes"));
    }
    if (*live) {
        const std::string mark = tag_text(**live, delete_after_tag);
        co_return refused("GD5037", "NotDeleted",
                          "image version " + name + " is in Azure (" + std::string(to_string((*live)->state)) +
                              "); nothing has to be restored" +
                              (mark.empty() ? ""
                                            : ". It is marked for deletion after " + printable(mark) +
                                                  ": galleryd hold " + name + " stops that"));
    }
    auto kept = co_await site.eyes.care.list_soft_deleted(*site.version.parent());
    if (!kept) co_return std::unexpected(kept.error());
    for (SoftDeletedVersion& one : *kept) {
        if (one.version == site.version) co_return std::move(one);
    }
    co_return co_await nothing_there(site);
}

Tags marks_on(const ObservedVersion& version) {
    Tags marks;
    for (const char* name : {delete_after_tag, delete_rule_tag}) {
        const auto tag = find_tag_any_case(version.tags, name);
        if (tag != version.tags.end()) marks[tag->first] = tag->second.value_or("");
    }
    return marks;
}

// Held first, then without its mark: whoever stops in between leaves it protected. Repeated, it writes what is missing.
Task<bool> settle_tags(ErrandSite& site, HoldWish wish, Errand errand, Done& done) {
    const auto seen = co_await site.eyes.api.get_version(site.version, true);
    if (!seen) co_return std::unexpected(seen.error());
    if (!*seen) co_return fail(ErrorKind::not_ready, "NotFoundInAzure", "reads do not show " + done.name + " yet");
    const ObservedVersion& version = **seen;
    const auto value = value_after(version, wish, certain_time_of(version, site.session.clock().now()));
    if (!value) co_return std::unexpected(value.error());
    if (*value) {
        TagChange hold;
        hold.set[hold_spelling(version)] = **value;
        hold.reason = "hold";
        hold.detail = std::string("/tags/") + hold_tag + ": " + hold_on(version).value_or("-") + " -> " + **value;
        const auto held = co_await change_tags(site, version, std::move(hold), errand);
        if (!held) co_return std::unexpected(held.error());
    }
    done.held = value->value_or(hold_on(version).value_or(""));
    const Tags marks = marks_on(version);
    if (marks.empty()) co_return true;
    std::string detail;
    for (const auto& [name, text] : marks)
        detail += (detail.empty() ? "/tags/" : ", /tags/") + name + ": " + text + " -> -";
    TagChange unmark{
        .set = {{hold_spelling(version), done.held}}, .unset = marks, .reason = "unmark", .detail = detail};
    const auto unmarked = co_await change_tags(site, version, std::move(unmark), errand);
    if (!unmarked) co_return std::unexpected(unmarked.error());
    done.mark = tag_text(version, delete_after_tag) + ", " + tag_text(version, delete_rule_tag);
    co_return true;
}

// Azure has it again; the rest is ours.
Task<Done> look_after(ErrandSite& site, HoldWish wish, Errand errand, Done done) {
    Clock& clock = site.session.clock();
    while (true) {
        const auto settled = co_await settle_tags(site, wish, errand, done);
        if (settled) break;
        const ErrorKind kind = settled.error().kind;
        const bool may_help = kind == ErrorKind::conflict || kind == ErrorKind::not_ready;
        if (!may_help || clock.monotonic() >= site.deadline) {
            done.open = settled.error();
            co_return done;
        }
        co_await clock.sleep_for(pause_between_looks);
    }
    const auto seen = co_await site.eyes.api.get_version(site.version, true);
    if (!seen) co_return std::unexpected(seen.error());
    if (!*seen) co_return done;
    for (const TargetRegion& region : (*seen)->target_regions)
        done.regions += (done.regions.empty() ? "" : ", ") + region.name;
    co_return done;
}

Task<Done> carry_out(Session& session, Errand errand, HoldWish wish) {
    Clock& clock = session.clock();
    const auto deadline = clock.monotonic() + errand.timeout;
    const auto id = co_await find_place(session.usage_reader(), errand.name);
    if (!id) co_return std::unexpected(id.error());
    ErrandSite site{
        .session = session, .eyes = session.eyes_on(*id->parent()->parent()), .version = *id, .deadline = deadline};
    const auto deleted = co_await find_deleted(site);
    if (!deleted) co_return std::unexpected(deleted.error());
    Done done;
    done.name = name_for_people(*id);
    done.deleted = soft_deleted_text(*deleted, clock.now());
    Intent intent = intent_of(site, "restore", "soft-deleted " + done.deleted, errand);
    auto request = site.eyes.care.restore_version(*id);
    // At once where Azure takes it: whoever is interrupted while Azure works leaves it held.
    std::optional<Task<bool>> meanwhile = settle_tags(site, wish, errand, done);
    const auto restored =
        co_await write_down_and_send(site, std::move(intent), std::move(request), std::move(meanwhile));
    if (!restored) co_return std::unexpected(restored.error());
    done.still_works = *restored;
    const auto lifted = lift_tombstone(session.journal(), *id, deleted->deleted_at.value_or(clock.now()));
    if (!lifted) co_return std::unexpected(lifted.error());
    done.tombstone_lifted = *lifted;
    co_return co_await look_after(site, wish, errand, std::move(done));
}

std::string date_of(TimePoint time) {
    return format_rfc3339(std::chrono::floor<std::chrono::days>(time)).substr(0, 10);
}

Result<Done> run_errand(const RestoreOptions& options, Errand errand) {
    auto session = Session::open(options.common, JournalUse::alongside, "restore");
    if (!session) return std::unexpected(session.error());
    const TimePoint now = (*session)->clock().now();
    if (const Status checked = check_hold_end(options.until, now); !checked) return std::unexpected(checked.error());
    HoldWish wish{.reason = options.reason,
                  .until_text = options.until.empty() ? date_of(now + hold_after_restore) : options.until,
                  .asked_by = "restored by " + user_name()};
    if (const Status signed_in = (*session)->sign_in(); !signed_in) return std::unexpected(signed_in.error());
    return (*session)->run(carry_out(**session, std::move(errand), std::move(wish)));
}

int end_of(const Done& done, std::ostream& err) {
    if (done.open) {
        print_error(err, *done.open);
        err << "galleryd: it is restored, and not held yet. Do that now: galleryd hold " << done.name << "\n";
        return exit_error;
    }
    if (!done.still_works) return exit_done;
    err << "galleryd: Azure has accepted it and still works on it; `galleryd usage` and `plan` see it when it is "
           "done.\n";
    return exit_gate;
}

}  // namespace

std::string soft_deleted_text(const SoftDeletedVersion& deleted, TimePoint now) {
    if (!deleted.deleted_at) return "at a time that Azure does not say readably";
    const TimePoint end = deleted.gone_at.value_or(*deleted.deleted_at + soft_delete_window);
    const auto left = std::chrono::floor<std::chrono::hours>(end - now);
    const std::string ago = format_relative(*deleted.deleted_at, now);
    if (left <= std::chrono::hours{0}) return ago + "; its time to be restored is about to end";
    return ago + "; could be restored for " + (deleted.gone_at ? "" : "about ") + format_duration(left) + " more";
}

Result<bool> lift_tombstone(Journal& journal, const ResourceId& version, TimePoint deleted_at) {
    const auto records = journal.resource_records();
    if (!records) return std::unexpected(records.error());
    const auto found = records->find(version.key());
    if (found == records->end()) return false;
    ResourceRecord record = found->second;
    const bool was_set = record.tombstone;
    record.tombstone = false;
    record.deleted_at.reset();
    record.gone_at = std::max(record.gone_at.value_or(deleted_at), deleted_at);
    if (const Status stored = journal.put_resource_record(version.key(), record); !stored)
        return std::unexpected(stored.error());
    return was_set;
}

int run_restore(const RestoreOptions& options, std::ostream& out, std::ostream& err) {
    auto errand = errand_of(options.common, options.version, options.timeout, "restore");
    if (!errand) return exit_with(err, errand.error());
    const Status end = check_hold_end(options.until, TimePoint::min());
    if (!end) return exit_with(err, end.error());
    const Status value =
        check_hold_value(hold_value(options.until.empty() ? "2026-01-01" : options.until, options.reason),
                         options.until.empty() ? "2026-01-01" : options.until);
    if (!value) return exit_with(err, value.error());
    const auto done = run_errand(options, std::move(*errand));
    if (!done) return exit_with(err, done.error());
    out << "Restored " << done->name << " (deleted " << done->deleted << ")"
        << (done->regions.empty() ? "" : ", in " + done->regions) << ".\n";
    if (!done->held.empty()) {
        const HoldText hold = parse_hold(done->held);
        out << "  Held" << (hold.until ? " until " + hold.until_text : "") << ": " << printable(hold.reason) << "\n"
            << "  To keep it for longer: galleryd hold " << done->name
            << " --until DATE. Then a policy that still names "
            << "it marks it anew, and its whole grace begins.\n";
    }
    if (!done->mark.empty()) out << "  The mark that it was deleted by is off: " << printable(done->mark) << "\n";
    if (done->tombstone_lifted) out << "  It no longer counts as removed by retention.\n";
    return end_of(*done, err);
}

}  // namespace galleryd
