#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "controller/program/cli_verbs.h"
#include "controller/program/command_approve.h"
#include "controller/program/command_hold.h"
#include "controller/program/command_restore.h"
#include "controller/program/command_retention.h"

namespace galleryd {
namespace {

Verb retention_verb(CLI::App& root) {
    auto options = std::make_shared<RetentionOptions>();
    CLI::App* app = root.add_subcommand("retention", "What retention does, and when");
    app->require_subcommand(1);
    CLI::App* preview = app->add_subcommand(
        "preview",
        "What goes, what stays and why, on any date from now on: the rule, the dates and what is in the way, "
        "for every version; writes nothing");
    auto paths = std::make_shared<std::vector<std::string>>();
    preview->add_option("PATH", *paths, "folders or files with manifests");
    preview->add_option("--at", options->at,
                        "a date (2027-06-01: the end of that day, UTC) or RFC 3339; not in the past; default: now");
    preview->add_option("-o,--output", options->output, "text or json")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str();
    add_azure_flags(preview, options->common);
    add_source_flag(preview, options->common);
    return {app, [options, paths] {
                for (const std::string& path : *paths) options->common.sources.push_back("dir:" + path);
                return run_retention_preview(*options, std::cout, std::cerr);
            }};
}

Verb approve_verb(CLI::App& root) {
    auto options = std::make_shared<ApproveOptions>();
    CLI::App* app = root.add_subcommand(
        "approve", "Approve the deletions of one plan digest, or let one source revision through that froze them");
    app->add_option("DIGEST", options->digest, "sha256:… as plan, events or get sources print it")->required();
    flag(app, "--state-dir", options->state_dir, "of the daemon that waits");
    flag(app, "--for", options->valid_for, "the approval expires after this long");
    return {app, [options] { return run_approve(*options, std::cout, std::cerr); }};
}

void add_hold_flags(CLI::App* app, HoldOptions& options) {
    app->add_option("VERSION", options.version, "GALLERY/DEFINITION/VERSION, or the Azure id of the version")
        ->required();
    flag(app, "--timeout", options.timeout, "give up waiting for Azure after this long; work in Azure goes on");
    add_azure_flags(app, options.common);
}

Verb hold_verb(CLI::App& root) {
    auto options = std::make_shared<HoldOptions>();
    CLI::App* app = root.add_subcommand(
        "hold",
        "Protect one image version from deletion, whatever documents and policies say: the tag galleryd-hold on the "
        "live version, also on one that is not ours");
    app->add_option("--reason", options->reason, "why, at most 256 characters; it is the tag's value, for all to read");
    app->add_option("--until", options->until,
                    "the hold ends with this: a date (2026-12-24: through that day, wherever on earth it ends last) or "
                    "RFC 3339; default: without end");
    add_hold_flags(app, *options);
    return {app, [options] { return run_hold(*options, std::cout, std::cerr); }};
}

Verb release_verb(CLI::App& root) {
    auto options = std::make_shared<HoldOptions>();
    CLI::App* app = root.add_subcommand(
        "release", "Take the tag galleryd-hold off one image version (a source revision is let through by `approve`)");
    add_hold_flags(app, *options);
    return {app, [options] { return run_release(*options, std::cout, std::cerr); }};
}

Verb restore_verb(CLI::App& root) {
    auto options = std::make_shared<RestoreOptions>();
    CLI::App* app = root.add_subcommand(
        "restore",
        "Bring a soft-deleted image version back, without the mark that it was deleted by, and hold it for seven days");
    app->add_option("VERSION", options->version, "GALLERY/DEFINITION/VERSION, or the Azure id that the version had")
        ->required();
    app->add_option("--reason", options->reason, "of the hold");
    app->add_option("--until", options->until, "of the hold: a date or RFC 3339; default: seven days from now");
    flag(app, "--timeout", options->timeout, "give up waiting for Azure after this long; work in Azure goes on");
    add_azure_flags(app, options->common);
    return {app, [options] { return run_restore(*options, std::cout, std::cerr); }};
}

}  // namespace

std::vector<Verb> people_verbs(CLI::App& root) {
    return {retention_verb(root), approve_verb(root), hold_verb(root), release_verb(root), restore_verb(root)};
}

}  // namespace galleryd
