#include "controller/program/command_hold.h"

#include <algorithm>
#include <ostream>

#include "controller/core/hold.h"
#include "controller/core/tags.h"
#include "controller/program/messages.h"
#include "controller/program/plan_text.h"

namespace galleryd {
namespace {

constexpr std::chrono::seconds pause_between_looks{2};
constexpr std::chrono::seconds reads_settle{30};  // Azure's replicas lag: the first read may not show what was written

struct Done {
    std::string name;                   // "golden/ubuntu-2404/1.8.0"
    std::optional<std::string> before;  // what it was held for before
    std::optional<std::string> after;
    std::string owner;         // the owner tag, "" when there is none
    bool was_over = false;     // that hold had ended
    bool written = false;      // false: nothing had to be done
    bool is_marked = false;    // for deletion
    bool still_works = false;  // Azure has accepted it and is not done with it
};

// nullopt: release.
using Wish = std::optional<HoldWish>;

// What was written is there. A read right after the write may be of before; somebody who writes at the same time is not
// waited out for long.
Status is_as_written(const ObservedVersion& after, const std::optional<std::string>& wanted) {
    if (hold_on(after) == wanted) return {};
    const std::string found =
        hold_on(after) ? "is held: " + printable(*hold_on(after)) : "carries no tag galleryd-hold";
    return std::unexpected(errand_error(ErrorKind::conflict, "GD5035", "NotAsWritten",
                                        "Azure took the write, but image version " + name_for_people(after.id) + " " +
                                            found + ": somebody wrote at the same time. Look at it and ask again"));
}

Task<bool> check_written(ErrandSite& site, std::optional<std::string> wanted) {
    Clock& clock = site.session.clock();
    const auto give_up = clock.monotonic() + reads_settle;
    while (true) {
        const auto seen = co_await site.eyes.api.get_version(site.version, true);
        if (!seen) co_return std::unexpected(seen.error());
        if (!*seen) {
            co_return std::unexpected(errand_error(
                ErrorKind::conflict, "GD5035", "NotAsWritten",
                "image version " + name_for_people(site.version) + " was deleted while the tag was written"));
        }
        const Status checked = is_as_written(**seen, wanted);
        if (checked) co_return true;
        if (clock.monotonic() >= give_up) co_return std::unexpected(checked.error());
        co_await clock.sleep_for(pause_between_looks);
    }
}

// One tag: `release` takes it off only as long as it still says what was read.
TagChange change_of(const ObservedVersion& version, const std::optional<std::string>& after) {
    const std::string spelling = hold_spelling(version);
    const auto before = hold_on(version);
    TagChange change;
    if (after) change.set[spelling] = *after;
    else change.unset[spelling] = *before;
    change.reason = after ? "hold" : "release";
    change.detail = std::string("/tags/") + hold_tag + ": " + before.value_or("-") + " -> " + after.value_or("-");
    return change;
}

Task<Done> carry_out(Session& session, Errand errand, Wish wish) {
    Clock& clock = session.clock();
    const auto deadline = clock.monotonic() + errand.timeout;
    const auto id = co_await find_version(session.usage_reader(), errand.name);
    if (!id) co_return std::unexpected(id.error());
    ErrandSite site{
        .session = session, .eyes = session.eyes_on(*id->parent()->parent()), .version = *id, .deadline = deadline};
    while (true) {
        const auto version = co_await look_at_rest(site);
        if (!version) co_return std::unexpected(version.error());
        const auto certain = certain_time_of(*version, clock.now());
        Done done{.name = name_for_people(*id),
                  .before = hold_on(*version),
                  .after = std::nullopt,
                  .owner = tag_text(*version, owner_tag),
                  .was_over = hold_on(*version) && is_hold_over(*hold_on(*version), certain),
                  .is_marked = has_tag(version->tags, delete_after_tag)};
        if (!wish && !done.before) co_return done;
        if (wish) {
            const auto value = value_after(*version, *wish, certain);
            if (!value) co_return std::unexpected(value.error());
            if (!*value) co_return done;
            done.after = **value;
        }
        const auto written = co_await change_tags(site, *version, change_of(*version, done.after), errand);
        // Something began in Azure after the look.
        if (!written && written.error().kind == ErrorKind::conflict && clock.monotonic() < deadline) {
            co_await clock.sleep_for(pause_between_looks);
            continue;
        }
        if (!written) co_return std::unexpected(written.error());
        done.written = true;
        done.still_works = *written;
        if (done.still_works) co_return done;
        const auto checked = co_await check_written(site, done.after);
        if (!checked) co_return std::unexpected(checked.error());
        co_return done;
    }
}

Result<Done> run_errand(const HoldOptions& options, const std::string& verb, Errand errand, Wish wish) {
    auto session = Session::open(options.common, JournalUse::alongside, verb);
    if (!session) return std::unexpected(session.error());
    const auto now = (*session)->clock().now();
    if (const Status checked = check_hold_end(options.until, now); !checked) return std::unexpected(checked.error());
    if (const Status signed_in = (*session)->sign_in(); !signed_in) return std::unexpected(signed_in.error());
    return (*session)->run(carry_out(**session, std::move(errand), std::move(wish)));
}

int end_of(const Done& done, std::ostream& err) {
    if (!done.still_works) return exit_done;
    err << "galleryd: Azure has accepted it and still works on it; `galleryd usage` and `plan` see it when it is "
           "done.\n";
    return exit_gate;
}

std::string or_none(const std::string& reason) { return reason.empty() ? "without a reason" : printable(reason); }

int tell_kept(const Done& done, const HoldWish& wish, std::ostream& out, std::ostream& err) {
    out << done.name << " is held already: " << printable(*done.before) << "\n";
    const bool says_more = !wish.reason.empty() && parse_hold(*done.before).reason != wish.reason;
    if (says_more || !wish.until_text.empty()) {
        err << "galleryd: note: that hold stays, somebody may rely on it. To give another one: galleryd release "
            << done.name << ", then hold it again.\n";
    }
    return exit_done;
}

}  // namespace

std::optional<std::string> hold_on(const ObservedVersion& version) {
    const auto tag = find_tag_any_case(version.tags, hold_tag);
    if (tag == version.tags.end()) return std::nullopt;
    return tag->second.value_or("");
}

std::string hold_spelling(const ObservedVersion& version) {
    const auto tag = find_tag_any_case(version.tags, hold_tag);
    return tag == version.tags.end() ? hold_tag : tag->first;
}

std::optional<TimePoint> certain_time_of(const ObservedVersion& version, TimePoint now) {
    if (!version.server_date) return std::nullopt;
    return std::min(now, *version.server_date);
}

Result<std::optional<std::string>> value_after(const ObservedVersion& version, const HoldWish& wish,
                                               const std::optional<TimePoint>& certain) {
    const auto before = hold_on(version);
    std::string reason = wish.reason.empty() ? wish.asked_by : wish.reason;
    if (before && !is_hold_over(before, certain)) {
        const HoldText old = parse_hold(*before);
        const auto until = parse_deadline(wish.until_text);
        const bool lasts_longer = old.until && (wish.until_text.empty() || (until && *until > *old.until));
        if (!lasts_longer) return std::optional<std::string>{};
        if (wish.reason.empty() || wish.reason == old.reason) reason = old.reason;
        else if (!old.reason.empty()) reason = old.reason + "; " + wish.reason;
    }
    std::string value = hold_value(wish.until_text, reason);
    if (const Status checked = check_hold_value(value, wish.until_text); !checked)
        return std::unexpected(checked.error());
    return std::optional(std::move(value));
}

Status check_hold_value(const std::string& value, const std::string& until_text) {
    if (parse_hold(value).until_text != until_text)
        return wrong_usage("GD5036",
                           "--reason \"" + printable(value) +
                               "\" would be read as a hold that ends; give the date with --until, or begin the "
                               "reason with another word");
    const auto characters =
        std::ranges::count_if(value, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
    if (static_cast<std::size_t>(characters) > hold_value_max)
        return wrong_usage("GD5034", "reason and date have " + std::to_string(characters) +
                                         " characters together; a tag of Azure holds " +
                                         std::to_string(hold_value_max));
    if (printable(value) != value)
        return wrong_usage("GD5034", "--reason has control characters; write one line of text");
    return {};
}

Status check_hold_end(const std::string& until_text, TimePoint now) {
    if (until_text.empty()) return {};
    const auto until = parse_deadline(until_text);
    if (!until) {
        return wrong_usage("GD5036", "--until " + printable(until_text) +
                                         ": not a date. Write 2026-12-24 (through that day) or 2026-12-24T18:00:00Z");
    }
    if (*until <= now) {
        return wrong_usage("GD5036", "--until " + until_text + ": in the past (now is " +
                                         format_rfc3339(std::chrono::floor<std::chrono::seconds>(now)) +
                                         "); it would hold nothing");
    }
    return {};
}

int run_hold(const HoldOptions& options, std::ostream& out, std::ostream& err) {
    auto errand = errand_of(options.common, options.version, options.timeout, "hold");
    if (!errand) return exit_with(err, errand.error());
    if (const Status end = check_hold_end(options.until, TimePoint::min()); !end) return exit_with(err, end.error());
    const HoldWish wish{.reason = options.reason, .until_text = options.until, .asked_by = "held by " + user_name()};
    const Status checked = check_hold_value(hold_value(wish.until_text, wish.reason), wish.until_text);
    if (!checked) return exit_with(err, checked.error());
    const auto done = run_errand(options, "hold", std::move(*errand), wish);
    if (!done) return exit_with(err, done.error());
    if (!done->written) return tell_kept(*done, wish, out, err);
    const HoldText now = parse_hold(*done->after);
    const std::string until = now.until ? " until " + now.until_text : "";
    const bool is_longer = done->before && !done->was_over;
    out << (is_longer ? "Holds " : "Held ") << done->name << until << (is_longer ? " now" : "") << ": "
        << or_none(now.reason) << "\n"
        << "  galleryd deletes it for no reason, and takes no region of it away, before `galleryd release "
        << done->name << "`"
        << (now.until
                ? ", or before " + format_rfc3339(std::chrono::floor<std::chrono::seconds>(*now.until)) + " has passed"
                : "")
        << ".\n";
    if (done->was_over) out << "  The hold before had ended: " << printable(*done->before) << "\n";
    if (!done->owner.empty()) out << "  Its owner tag names " << printable(done->owner) << ".\n";
    if (done->is_marked) out << "  It was marked for deletion; the mark goes at the daemon's next pass.\n";
    return end_of(*done, err);
}

int run_release(const HoldOptions& options, std::ostream& out, std::ostream& err) {
    auto errand = errand_of(options.common, options.version, options.timeout, "release");
    if (!errand) return exit_with(err, errand.error());
    const auto done = run_errand(options, "release", std::move(*errand), std::nullopt);
    if (!done) return exit_with(err, done.error());
    if (!done->written) {
        out << done->name << " carries no tag galleryd-hold; nothing was written.\n";
        return exit_done;
    }
    out << "Released " << done->name << ". It was held: " << or_none(*done->before)
        << (done->was_over ? " (that had ended)" : "") << "\n"
        << "  Whether it goes now, and when: galleryd retention preview. An annotation galleryd.io/hold in a document "
           "and protectTags hold as before.\n";
    return end_of(*done, err);
}

}  // namespace galleryd
