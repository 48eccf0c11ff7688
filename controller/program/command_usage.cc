#include "controller/program/command_usage.h"

#include <algorithm>
#include <ostream>

#include "controller/core/image_version_number.h"
#include "controller/program/doctor/rights.h"
#include "controller/program/messages.h"
#include "controller/program/patience.h"
#include "controller/program/session.h"
#include "controller/runtime/side_by_side.h"
#include "reconcilers/lifecycle/observer.h"
#include "reconcilers/lifecycle/usage_book.h"
#include "reconcilers/lifecycle/usage_look.h"

namespace galleryd {
namespace {

std::vector<std::string> parts_of(const std::string& text) {
    std::vector<std::string> parts(1);
    for (const char c : text) {
        if (c == '/') parts.emplace_back();
        else parts.back() += c;
    }
    return parts;
}

bool is_name(const std::string& part) {
    return !part.empty() && part.size() <= 80 &&
           part.find_first_not_of(
               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
               "._-") == std::string::npos;
}

std::unexpected<Error> no_version(const std::string& text, const std::string& why) {
    return wrong_usage("GD5022", "`" + text + "`: " + why +
                                     ". Write GALLERY/DEFINITION/VERSION, for example golden/ubuntu-2404/1.8.0, or the "
                                     "Azure id of the version");
}

std::string grant_reader(const doctor::Bearer& bearer, const std::string& subscription) {
    return doctor::grant_command(bearer, "Reader", "/subscriptions/" + subscription);
}

Error not_readable(const ResourceId& version, Error error) {
    if (error.reason != "AuthorizationFailed") return error;
    error.message =
        "image version " + version.text() + " cannot be read, so nobody knows who uses it: " + error.message;
    return error;
}

// What is not seen where nobody may look may well be there.
void doubt_unreadable(UsageReport& report, const doctor::Bearer& bearer) {
    const std::string& subscription = report.version.subscription();
    const bool is_listed = std::ranges::find(report.readable, fold_case(subscription)) != report.readable.end();
    report.is_readable = report.exists || is_listed;
    if (report.is_readable) return;
    report.found.doubts.push_back("its own subscription " + subscription +
                                  " cannot be read by this identity: whether the version is there, and who uses it "
                                  "there, is not known");
    report.found.way_out.push_back(grant_reader(bearer, subscription));
}

// The whole answer, by the same functions as the daemon's.
Task<UsageReport> ask(Session& session, VersionName name) {
    const Clock& clock = session.clock();
    const auto id = co_await find_version(session.usage_reader(), std::move(name));
    if (!id) co_return std::unexpected(id.error());
    const ResourceId definition = *id->parent();
    const Session::Eyes eyes = session.eyes_on(*definition.parent());
    Observer observer(eyes.api, session.clock(), run_side_by_side);
    const DefinitionLook what{.id = definition, .wants_role_assignments = false};
    const auto view = co_await observer.look(what);
    if (!view) co_return std::unexpected(not_readable(*id, view.error()));
    const Instant began{.wall = clock.now(), .monotonic = clock.monotonic()};
    const std::vector<ResourceId> galleries{*definition.parent()};
    auto answer = co_await look_at_users(eyes.reader, eyes.api, galleries);
    if (!answer) co_return std::unexpected(answer.error());
    const auto not_listed = co_await add_listed_users(eyes.lists, *answer, *definition.parent());
    if (!not_listed) co_return std::unexpected(not_listed.error());
    UsageBook book;  // what the daemon of this state directory could read before
    book.load(eyes.memory, began);
    book.note(std::move(*answer), began, began);
    UsageReport report;
    report.version = *id;
    report.exists = std::ranges::find(view->versions, *id, &ObservedVersion::id) != view->versions.end();
    report.at = began.wall;
    report.missing = book.missing();
    report.readable = book.answer()->readable;
    report.found = find_users(*book.answer(), {.version = *id, .versions = &view->versions, .missing = report.missing});
    for (const auto& [subscription, why] : *not_listed) {
        report.found.doubts.push_back("machines of subscription " + subscription + " could not be listed: " + why);
        report.found.way_out.push_back("ask again; galleryd needs Reader there");
    }
    doubt_unreadable(report, eyes.credential.empty() ? session.bearer() : doctor::Bearer{});
    co_return report;
}

}  // namespace

Task<ResourceId> find_version(UsageReader& reader, VersionName name) {
    if (name.id) co_return *name.id;
    const auto found = co_await reader.find_versions(name.gallery, name.definition, name.version);
    if (!found) co_return std::unexpected(found.error());
    const std::string text = name.gallery + "/" + name.definition + "/" + name.version;
    if (found->empty()) {
        co_return std::unexpected(Error{.kind = ErrorKind::invalid,
                                        .reason = "NotFoundInAzure",
                                        .message = "Resource Graph shows no image version " + text +
                                                   " in the subscriptions that this identity can read. If it is in "
                                                   "another one, grant this identity Reader there",
                                        .code = "GD5023"});
    }
    if (found->size() == 1) co_return found->front();
    std::string list;
    for (const ResourceId& id : *found) list += "\n  " + id.text();
    co_return std::unexpected(Error{
        .kind = ErrorKind::invalid,
        .reason = "Ambiguous",
        .message = std::to_string(found->size()) + " galleries have an image version " + text + "; ask by id:" + list,
        .code = "GD5024"});
}

Result<VersionName> parse_version_name(const std::string& text) {
    if (text.starts_with("/")) {
        const auto id = parse_resource_id(text);
        if (!id || fold_case(id->type()) != "microsoft.compute/galleries/images/versions")
            return no_version(text, "not the Azure id of an image version");
        if (!parse_image_version_number(id->name())) return no_version(text, "its last part is no version number");
        return VersionName{.id = *id, .gallery = {}, .definition = {}, .version = {}};
    }
    std::vector<std::string> parts = parts_of(text);
    if (parts.size() == 4) parts.erase(parts.begin());  // the namespace, as plan prints it
    if (parts.size() != 3) return no_version(text, "not the name of an image version");
    if (!is_name(parts[0]) || !is_name(parts[1])) return no_version(text, "not names that Azure allows");
    if (!parse_image_version_number(parts[2]))
        return no_version(text, "`" + parts[2] + "` is no version number (MAJOR.MINOR.PATCH)");
    return VersionName{.id = std::nullopt, .gallery = parts[0], .definition = parts[1], .version = parts[2]};
}

int run_usage(const UsageOptions& options, std::ostream& out, std::ostream& err) {
    const auto name = parse_version_name(options.version);
    if (!name) return exit_with(err, name.error());
    auto session = Session::open(options.common, JournalUse::read_only, "usage");
    if (!session) return exit_with(err, session.error());
    if (const Status signed_in = (*session)->sign_in(); !signed_in) return exit_with(err, signed_in.error());
    auto task = ask(**session, *name);
    auto patient = with_patience((*session)->clock(), &err, "Azure Resource Graph", std::move(task));
    const auto report = (*session)->run(std::move(patient));
    if (!report) {
        print_error(err, report.error());
        const bool says_what = report.error().message.contains("az role assignment create");
        if (report.error().reason == "AuthorizationFailed" && name->id && !says_what)
            err << "  do: " << grant_reader((*session)->bearer(), name->id->subscription()) << "\n";
        return report.error().reason == "Interrupted" ? exit_interrupted : exit_error;
    }
    if (options.output == "json") print_usage_json(out, *report);
    else print_usage_text(out, *report, options.output == "wide");
    const UsageState state = report->state();
    const bool gate = options.fail_on == "unknown"  ? state == UsageState::unknown
                      : options.fail_on == "in-use" ? state != UsageState::not_in_use
                                                    : false;
    return gate ? exit_gate : exit_done;
}

}  // namespace galleryd
