#include "controller/program/cli.h"

#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>

#include "controller/core/result.h"
#include "controller/program/cli_reference.h"
#include "controller/program/cli_verbs.h"
#include "controller/program/command_apply.h"
#include "controller/program/command_client.h"
#include "controller/program/command_crds.h"
#include "controller/program/command_doctor.h"
#include "controller/program/command_explain.h"
#include "controller/program/command_plan.h"
#include "controller/program/command_reference.h"
#include "controller/program/command_render.h"
#include "controller/program/command_run.h"
#include "controller/program/command_simulate.h"
#include "controller/program/command_usage.h"
#include "controller/program/command_validate.h"
#include "controller/program/command_version.h"
#include "controller/program/config_file.h"
#include "controller/program/options.h"
#include "controller/program/suggest.h"

namespace galleryd {

CLI::Option* flag(CLI::App* app, const std::string& name, std::string& value, const std::string& text) {
    std::string environment = "GALLERYD_";
    for (const char c : name.substr(2))
        environment += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return app->add_option(name, value, text)->envname(environment)->capture_default_str();
}

void add_azure_flags(CLI::App* app, CommonOptions& common) {
    flag(app, "--azure", common.azure,
         "public, usgovernment, china, simulator, or an ARM endpoint URL (http only for loopback)");
    flag(app, "--azure-ca-file", common.azure_ca_file, "extra CA bundle (PEM) for that endpoint");
    flag(app, "--credential", common.credential,
         "default (first of environment, workload identity, managed identity, Azure CLI), environment, client-secret, "
         "client-certificate, workload-identity, managed-identity, azure-cli, or none for the simulator");
    flag(app, "--credentials-dir", common.credentials_dir,
         "credentials of galleries that name one (spec.credential), as mounted Secrets: DIR/NAMESPACE/NAME/KEY");
    flag(app, "--state-dir", common.state_dir, "journal, events and audit log; default $XDG_STATE_HOME/galleryd");
    flag(app, "--instance", common.instance, "who owns what is made here: first part of the owner tag");
    flag(app, "--prices", common.prices, "dated YAML price list; a default one is built in");
    flag(app, "--log-format", common.log_format, "text or json; default: text on a terminal, else json");
    flag(app, "--log-level", common.log_level, "debug, info, warning, error");
    app->add_option(
           "--arm-share", common.arm_share,
           "share of each Azure request budget that we may use, above 0 and at most 1; half of it where nobody waits")
        ->envname("GALLERYD_ARM_SHARE")
        ->capture_default_str();
    app->add_flag("--observe", common.observe, "never write to Azure")->envname("GALLERYD_OBSERVE");
    app->add_flag("--allow-deletes", common.allow_deletes, "without it nothing is ever deleted and no region removed")
        ->envname("GALLERYD_ALLOW_DELETES");
    app->add_flag("--prune", common.prune, "a document that is gone from a folder counts as removed")
        ->envname("GALLERYD_PRUNE");
    flag(app, "--time-scale", common.time_scale, "with --azure simulator: one real second is N simulated seconds");
    flag(app, "--simulator-state", common.simulator_state, "with --azure simulator: JSON estate to start from");
    static std::string config;
    app->add_option("--config", config, "YAML with the same names as the flags (flag > environment > file)");
}

void add_source_flag(CLI::App* app, CommonOptions& common) {
    app->add_option("--source", common.sources, "dir:PATH; repeatable")->envname("GALLERYD_SOURCE");
}

namespace {

void add_plan_flags(CLI::App* app, PlanOptions& plan) {
    add_azure_flags(app, plan.common);
    add_source_flag(app, plan.common);
    app->add_option("-o,--output", plan.output, "text or json")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str();
    app->add_option("--color", plan.color, "auto, always or never")
        ->check(CLI::IsMember({"auto", "always", "never"}))
        ->capture_default_str();
    app->add_flag("--explain", plan.explain, "also say for every version which rule keeps or removes it");
    app->add_flag("--summary", plan.summary, "counts and deletions only");
}

Verb plan_verb(CLI::App& root) {
    auto options = std::make_shared<PlanOptions>();
    CLI::App* app = root.add_subcommand("plan", "What would change in Azure, why, and at what cost; writes nothing");
    add_plan_flags(app, *options);
    auto paths = std::make_shared<std::vector<std::string>>();
    app->add_option("PATH", *paths, "folders or files with manifests");
    app->add_option("--out", options->out, "save the plan for `galleryd apply FILE`");
    app->add_flag("--detailed-exitcode", options->detailed_exitcode, "exit 2 when there are changes");
    return {app, [options, paths] {
                for (const std::string& path : *paths) options->common.sources.push_back("dir:" + path);
                return run_plan(*options, std::cout, std::cerr);
            }};
}

// A plan saved by `plan --out`, whatever its name: a JSON object that says so near its beginning.
bool is_saved_plan(const std::string& path) {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) return false;
    std::ifstream file(path, std::ios::binary);
    std::string head(512, '\0');
    file.read(head.data(), static_cast<std::streamsize>(head.size()));
    head.resize(static_cast<std::size_t>(file.gcount()));
    return head.starts_with("{") && head.find("\"kind\": \"Plan\"") != std::string::npos;
}

Verb apply_verb(CLI::App& root) {
    auto options = std::make_shared<ApplyOptions>();
    CLI::App* app = root.add_subcommand("apply", "Plan, then do it once and follow it until it is done");
    add_plan_flags(app, options->plan);
    auto paths = std::make_shared<std::vector<std::string>>();
    app->add_option("PATH", *paths, "folders or files with manifests, or a plan saved by `galleryd plan --out`");
    app->add_option("--approve-deletes", options->approve_deletes,
                    "exact number of deletions in the plan that you approve");
    flag(app, "--timeout", options->timeout, "give up waiting after this long; work in Azure goes on");
    return {app, [options, paths] {
                if (paths->size() == 1 && is_saved_plan(paths->front())) {
                    options->plan_file = paths->front();
                } else if (std::ranges::any_of(*paths, is_saved_plan)) {
                    std::cerr << "galleryd: a saved plan is applied alone: it names its sources itself. (GD5002)\n";
                    return exit_usage;
                } else {
                    for (const std::string& path : *paths) options->plan.common.sources.push_back("dir:" + path);
                }
                return run_apply(*options, std::cout, std::cerr);
            }};
}

void add_daemon_flags(CLI::App* app, CommonOptions& common) {
    add_azure_flags(app, common);
    add_source_flag(app, common);
    flag(app, "--http", common.http, "API, health and metrics; loopback only until sign-in exists");
    flag(app, "--metrics", common.metrics, "a second listener with /metrics and health only");
    flag(app, "--interval", common.interval,
         "1s to 1d between two looks at what changed in Azure (one request for each 300 subscriptions)");
    flag(app, "--full-interval", common.full_interval,
         "--interval to 30d between two complete looks (one request for each 1,000 resources)");
}

Verb run_verb(CLI::App& root) {
    auto options = std::make_shared<CommonOptions>();
    CLI::App* app = root.add_subcommand("run", "The daemon: Azure follows the documents in a loop");
    add_daemon_flags(app, *options);
    return {app, [options] { return run_daemon(*options, std::cout, std::cerr); }};
}

Verb demo_verb(CLI::App& root) {
    auto options = std::make_shared<DemoOptions>();
    CLI::App* app = root.add_subcommand(
        "demo", "The daemon against the built-in Azure with the sample estate; no account, no cluster");
    flag(app, "--http", options->http, "API, health and metrics of the daemon");
    flag(app, "--listen", options->listen, "where the simulator's ARM endpoint listens");
    flag(app, "--time-scale", options->time_scale, "one real second is N simulated seconds");
    flag(app, "--log-format", options->log_format, "text or json");
    flag(app, "--log-level", options->log_level, "debug, info, warning, error");
    app->add_option("--dir", options->directory,
                    "write the sample documents here and watch them; default: a new temporary folder");
    return {app, [options] { return run_demo(*options, std::cout, std::cerr); }};
}

Verb validate_verb(CLI::App& root) {
    auto options = std::make_shared<ValidateOptions>();
    CLI::App* app = root.add_subcommand(
        "validate", "Check manifests offline: schema, rules and references, with file, line and column");
    app->add_option("PATH", options->paths, "folders or files")->required();
    app->add_option("-o,--output", options->output, "text or json")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str();
    return {app, [options] { return run_validate(*options, std::cout, std::cerr); }};
}

Verb render_verb(CLI::App& root) {
    auto options = std::make_shared<RenderOptions>();
    CLI::App* app = root.add_subcommand("render", "The manifests after defaults, as the engine sees them");
    app->add_option("PATH", options->paths, "folders or files")->required();
    return {app, [options] { return run_render(*options, std::cout, std::cerr); }};
}

Verb crds_verb(CLI::App& root) {
    auto options = std::make_shared<CrdsOptions>();
    CLI::App* app = root.add_subcommand("crds", "Print the CustomResourceDefinitions");
    app->add_option("--dir", options->directory, "write one file each into this folder instead");
    return {app, [options] { return run_crds(*options, std::cout, std::cerr); }};
}

Verb explain_verb(CLI::App& root) {
    auto options = std::make_shared<ExplainOptions>();
    CLI::App* app = root.add_subcommand("explain", "What an error code (ours or Azure's) or a manifest field means");
    app->add_option("CODE|FIELD", options->topic,
                    "GD1012, PropertyChangeNotAllowed, AADSTS7000215, or imageversion.spec.targetRegions")
        ->required();
    return {app, [options] { return run_explain(*options, std::cout, std::cerr); }};
}

void add_client_flags(CLI::App* app, ClientOptions& options) {
    flag(app, "--server", options.server, "address of the daemon's API");
    app->add_option("-o,--output", options.output, "text, wide or json")
        ->check(CLI::IsMember({"text", "wide", "json"}))
        ->capture_default_str();
}

Verb get_verb(CLI::App& root) {
    auto options = std::make_shared<ClientOptions>();
    CLI::App* app = root.add_subcommand(
        "get", "Objects of a running daemon: galleries, definitions, versions, policies, sources, all");
    app->add_option("KIND", options->what, "a kind, or KIND/NAME");
    add_client_flags(app, *options);
    return {app, [options] { return run_get(*options, std::cout, std::cerr); }};
}

Verb events_verb(CLI::App& root) {
    auto options = std::make_shared<ClientOptions>();
    CLI::App* app = root.add_subcommand("events", "What has happened");
    app->add_option("--for", options->for_object, "only events whose object contains this");
    app->add_option("--limit", options->limit, "newest N")->check(CLI::Range(1, 10'000))->capture_default_str();
    add_client_flags(app, *options);
    return {app, [options] { return run_events(*options, std::cout, std::cerr); }};
}

Verb wait_verb(CLI::App& root) {
    auto options = std::make_shared<ClientOptions>();
    CLI::App* app = root.add_subcommand("wait", "Wait until an object is ready, replicated or deleted");
    app->add_option("KIND/NAME", options->what, "the object")->required();
    app->add_option("--for", options->condition, "ready, replicated=REGION or deleted")->capture_default_str();
    app->add_option("--timeout", options->timeout, "give up after this long (exit 3)")->capture_default_str();
    add_client_flags(app, *options);
    return {app, [options] { return run_wait(*options, std::cout, std::cerr); }};
}

Verb usage_verb(CLI::App& root) {
    auto options = std::make_shared<UsageOptions>();
    CLI::App* app = root.add_subcommand("usage", "Who uses an image version, in every subscription that can be read");
    app->add_option("VERSION", options->version, "GALLERY/DEFINITION/VERSION, or the Azure id of the version")
        ->required();
    add_azure_flags(app, options->common);
    app->add_option("-o,--output", options->output, "text, wide or json")
        ->check(CLI::IsMember({"text", "wide", "json"}))
        ->capture_default_str();
    app->add_option(
           "--fail-on", options->fail_on,
           "exit 3 when it is in use or that is unknown, or only when unknown; by one look, where retention takes two")
        ->check(CLI::IsMember({"in-use", "unknown"}));
    return {app, [options] { return run_usage(*options, std::cout, std::cerr); }};
}

Verb simulate_verb(CLI::App& root) {
    auto options = std::make_shared<SimulateOptions>();
    CLI::App* app = root.add_subcommand("simulate", "The Azure simulator as a server of its own");
    app->add_option("--listen", options->listen, "plain HTTP, loopback only; port 0 picks one")->capture_default_str();
    app->add_option("--listen-tls", options->listen_tls, "HTTPS; the CA is written to --tls-dir");
    app->add_option("--tls-dir", options->tls_dir, "where ca.pem is written");
    app->add_option("--state", options->state, "JSON estate to start from");
    app->add_flag("--persist", options->persist, "write the state file back on exit and on SIGTERM");
    app->add_option("--time-scale", options->time_scale, "one real second is N simulated seconds")
        ->capture_default_str();
    app->add_option("--faults", options->faults, "YAML list of faults to inject");
    app->add_option("--log-requests", options->log_requests, "one JSON line a request, flushed");
    app->add_option("--limits", options->limits, "azure or none")
        ->check(CLI::IsMember({"azure", "none"}))
        ->capture_default_str();
    app->add_option("--service-times", options->service_times,
                    "how long requests take: get=60ms,put=150ms,list=400ms,graph=300ms; default: no time");
    app->add_option("--operation-time", options->operation_time,
                    "how long every long operation takes, as 7m; default: drawn");
    app->add_option("--graph-lag", options->graph_lag,
                    "Resource Graph shows a change within this time, as 0s; default: 28 s, change records 2 m");
    app->add_flag("--noise", options->noise, "case of ids, groups and regions and the order of lists vary");
    app->add_flag("--control", options->control, "POST /simulator/changes alters resources behind every client's back");
    return {app, [options] { return run_simulate(*options); }};
}

Verb doctor_verb(CLI::App& root) {
    auto options = std::make_shared<DoctorOptions>();
    CLI::App* app = root.add_subcommand(
        "doctor",
        "Check sign-in, rights, providers, quotas and clock, and name the repair of each failure; writes nothing");
    add_azure_flags(app, options->common);
    add_source_flag(app, options->common);
    auto paths = std::make_shared<std::vector<std::string>>();
    app->add_option("PATH", *paths, "folders or files with manifests: what they need is checked");
    app->add_option("-o,--output", options->output, "text or json")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str();
    return {app, [options, paths] {
                for (const std::string& path : *paths) options->common.sources.push_back("dir:" + path);
                return run_doctor(*options, std::cout, std::cerr);
            }};
}

Verb version_verb(CLI::App& root) {
    CLI::App* app = root.add_subcommand("version", "Version, compiler and pinned Azure api-versions");
    return {app, [] { return run_version(std::cout); }};
}

Verb reference_verb(CLI::App& root) {
    auto directory = std::make_shared<std::string>();
    CLI::App* app = root.add_subcommand("reference", "Write the generated reference documentation into a folder");
    app->add_option("DIR", *directory)->required();
    app->group("");  // for `make docs`, not for users
    return {app, [directory] { return run_reference(*directory, std::cerr); }};
}

constexpr const char* root_description = "galleryd keeps Azure Compute Galleries as their manifests declare them.";

std::vector<Verb> all_verbs(CLI::App& root) {
    std::vector<Verb> verbs{demo_verb(root),   run_verb(root), plan_verb(root),   apply_verb(root), validate_verb(root),
                            render_verb(root), get_verb(root), events_verb(root), wait_verb(root),  usage_verb(root)};
    for (Verb& verb : people_verbs(root)) verbs.push_back(std::move(verb));
    for (auto* make : {simulate_verb, doctor_verb, explain_verb, crds_verb, version_verb, reference_verb})
        verbs.push_back(make(root));
    return verbs;
}

// " Did you mean --allow-deletes?" for the first argument that looks like a flag and is none of the verb's.
std::string meant_flag(const CLI::App& verb, const std::vector<std::string>& unknown) {
    std::vector<std::string> names;
    for (const CLI::Option* option : verb.get_options()) {
        for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
    for (const std::string& word : unknown) {
        if (!word.starts_with("--")) continue;
        if (const auto near = nearest(word.substr(0, word.find('=')), names)) return " Did you mean " + *near + "?";
    }
    return {};
}

int usage(const CLI::App& root, const std::string& verb) {
    std::vector<std::string> names;
    for (const CLI::App* app : root.get_subcommands({})) names.push_back(app->get_name());
    std::cerr << "galleryd: unknown command `" << verb << "`.";
    if (const auto near = nearest(verb, names)) std::cerr << " Did you mean `" << *near << "`?";
    std::cerr << "\nRun `galleryd --help` for the commands. (GD5001)\n";
    return exit_usage;
}

}  // namespace

std::string command_line_markdown() {
    CLI::App root{root_description, "galleryd"};
    const std::vector<Verb> verbs = all_verbs(root);
    return cli_markdown(root);
}

int run_cli(int argc, char** argv) {
    ::umask(S_IRWXG | S_IRWXO);                          // whatever is written is for this user only
    ::setenv("RES_OPTIONS", "timeout:2 attempts:2", 0);  // a dead name server must not hold a look-up for a minute
    if (const Status config = apply_config_file(argc, argv); !config) {
        std::cerr << "galleryd: " << config.error().message << " (" << config.error().code << ")\n";
        return exit_usage;
    }
    CLI::App root{root_description, "galleryd"};
    root.require_subcommand(0, 1);
    root.set_version_flag("--version", std::string("galleryd ") + GALLERYD_VERSION);
    const std::vector<Verb> verbs = all_verbs(root);
    if (argc >= 2 && argv[1][0] != '-' &&
        std::ranges::none_of(verbs, [&](const Verb& verb) { return verb.app->get_name() == argv[1]; }))
        return usage(root, argv[1]);
    if (argc < 2) {
        std::cerr << root.help() << "\nStart with `galleryd demo`.\n";
        return exit_usage;
    }
    try {
        root.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) return root.exit(error);
        std::string meant;
        for (const CLI::App* verb : root.get_subcommands()) {
            meant += meant_flag(*verb, verb->remaining());
            for (const CLI::App* below : verb->get_subcommands()) meant += meant_flag(*below, below->remaining());
        }
        std::cerr << "galleryd: " << error.what() << meant << "\nRun `galleryd"
                  << (argc > 1 ? " " + std::string(argv[1]) : "") << " --help` for its flags. (GD5002)\n";
        return exit_usage;
    }
    for (const Verb& verb : verbs) {
        if (verb.app->parsed()) return verb.action();
    }
    return exit_usage;
}

}  // namespace galleryd
