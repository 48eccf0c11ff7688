#include "controller/adapters/telemetry/metric_catalogue.h"

#include <array>

// Names, labels and help texts are those of experience §1.7; the `controller_runtime_` and `workqueue_` ones are
// controller-runtime's and client-go's own words, so that existing dashboards work. A word changed here breaks
// somebody's alert.
namespace galleryd::telemetry {

namespace {

constexpr auto counter = MetricType::counter;
constexpr auto gauge = MetricType::gauge;
constexpr auto histogram = MetricType::histogram;

// controller-runtime's buckets of reconcile_time_seconds, and client-go's ExponentialBuckets(10e-9, 10, 12).
constexpr std::array<double, 40> reconcile_buckets{
    0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25, 1.5,
    1.75,  2.0,  2.5,   3.0,  3.5, 4.0,  4.5, 5,    6,   7,    8,   9,    10,  15,  20,  25,  30,  40,  50,   60};
constexpr std::array<double, 12> workqueue_buckets{1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 1e1, 1e2, 1e3};
constexpr std::array<double, 12> convergence_seconds_buckets{1,    5,    15,   60,    300,   900,
                                                             1800, 3600, 7200, 14400, 28800, 86400};
constexpr std::array<double, 13> replication_seconds_buckets{60,   300,   600,   1200,  1800,  3600, 5400,
                                                             7200, 10800, 14400, 21600, 43200, 86400};
constexpr std::array<double, 11> arm_request_duration_seconds_buckets{0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60};
constexpr std::array<double, 8> arm_limiter_wait_seconds_buckets{0.01, 0.1, 0.5, 1, 5, 15, 60, 300};
constexpr std::array<double, 10> arm_operation_duration_seconds_buckets{10,   30,   60,   300,   900,
                                                                        1800, 3600, 7200, 14400, 28800};
constexpr std::array<double, 11> http_request_duration_seconds_buckets{0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                                       0.5,   1,    2.5,   5,    10};

constexpr MetricDefinition catalogue[] = {
    // ---- Conventional ----
    {"controller_runtime_reconcile_total",
     counter,
     "controller result",
     "Total number of reconciliations per controller",
     {}},
    {"controller_runtime_reconcile_errors_total",
     counter,
     "controller",
     "Total number of reconciliation errors per controller",
     {}},
    {"controller_runtime_terminal_reconcile_errors_total",
     counter,
     "controller",
     "Total number of terminal reconciliation errors per controller",
     {}},
    {"controller_runtime_reconcile_panics_total",
     counter,
     "controller",
     "Total number of reconciliation panics per controller",
     {}},
    {"controller_runtime_reconcile_timeouts_total",
     counter,
     "controller",
     "Total number of reconciliation timeouts per controller",
     {}},
    {"controller_runtime_reconcile_time_seconds", histogram, "controller",
     "Length of time per reconciliation per controller", reconcile_buckets},
    {"controller_runtime_max_concurrent_reconciles",
     gauge,
     "controller",
     "Maximum number of concurrent reconciles per controller",
     {}},
    {"controller_runtime_active_workers", gauge, "controller", "Number of currently used workers per controller", {}},
    {"workqueue_depth", gauge, "name controller priority", "Current depth of workqueue by workqueue and priority", {}},
    {"workqueue_adds_total", counter, "name controller", "Total number of adds handled by workqueue", {}},
    {"workqueue_queue_duration_seconds", histogram, "name controller",
     "How long in seconds an item stays in workqueue before being requested", workqueue_buckets},
    {"workqueue_work_duration_seconds", histogram, "name controller",
     "How long in seconds processing an item from workqueue takes.", workqueue_buckets},
    {"workqueue_unfinished_work_seconds",
     gauge,
     "name controller",
     "How many seconds of work has been done that is in progress and hasn't been observed by "
     "work_duration. Large values indicate stuck threads. One can deduce the number of stuck threads by "
     "observing the rate at which this increases.",
     {}},
    {"workqueue_longest_running_processor_seconds",
     gauge,
     "name controller",
     "How many seconds has the longest running processor for workqueue been running.",
     {}},
    {"workqueue_retries_total", counter, "name controller", "Total number of retries handled by workqueue", {}},
    {"process_cpu_seconds_total", counter, "", "Total user and system CPU time spent in seconds.", {}},
    {"process_resident_memory_bytes", gauge, "", "Resident memory size in bytes.", {}},
    {"process_virtual_memory_bytes", gauge, "", "Virtual memory size in bytes.", {}},
    {"process_open_fds", gauge, "", "Number of open file descriptors.", {}},
    {"process_max_fds", gauge, "", "Maximum number of open file descriptors.", {}},
    {"process_start_time_seconds", gauge, "", "Start time of the process since unix epoch in seconds.", {}},
    // ---- Process ----
    {"galleryd_build_info",
     gauge,
     "version revision compiler",
     "Build facts of this process; the value is always 1.",
     {}},
    {"galleryd_mode_info",
     gauge,
     "mode leader_elected",
     "Run mode of this process (folder, git or kubernetes); the value is always 1.",
     {}},
    {"galleryd_sync_interval_seconds", gauge, "", "Configured time between two full passes over Azure.", {}},
    {"galleryd_last_full_sync_timestamp_seconds",
     gauge,
     "",
     "Unix time at which the last full pass over all galleries finished.",
     {}},
    // ---- Sources (folder, git, cluster) ----
    {"galleryd_source_info",
     gauge,
     "source kind url branch path revision",
     "Desired-state source and the revision now applied; the value is always 1.",
     {}},
    {"galleryd_source_ready",
     gauge,
     "source",
     "Whether the source was fetched and parsed at the last attempt (1) or not (0).",
     {}},
    {"galleryd_source_fetch_total",
     counter,
     "source result",
     "Fetch attempts of a source by result (success, unchanged, error).",
     {}},
    {"galleryd_source_manifests",
     gauge,
     "source result",
     "Manifests in the applied revision by result (valid, invalid, ignored).",
     {}},
    {"galleryd_source_head_commit_timestamp_seconds",
     gauge,
     "source",
     "Committer time of the newest commit seen on the source.",
     {}},
    {"galleryd_source_applied_commit_timestamp_seconds",
     gauge,
     "source",
     "Committer time of the commit now applied.",
     {}},
    // ---- Objects and convergence ----
    {"galleryd_gallery_info",
     gauge,
     "gallery azure_name subscription_id resource_group location sharing soft_delete",
     "Identity of a managed gallery; the value is always 1.",
     {}},
    {"galleryd_definition_info",
     gauge,
     "gallery definition os_type os_state hyper_v_generation architecture publisher offer sku",
     "Identity of a managed image definition; the value is always 1.",
     {}},
    {"galleryd_resources",
     gauge,
     "kind gallery status",
     "Managed objects by kstatus result (current, in_progress, failed, terminating, unknown).",
     {}},
    {"galleryd_resource_suspended", gauge, "kind gallery", "Managed objects whose reconciliation is suspended.", {}},
    {"galleryd_plan_changes",
     gauge,
     "gallery action",
     "Changes the present plan would make by action (create, update, delete, adopt, blocked).",
     {}},
    {"galleryd_convergence_seconds", histogram, "kind",
     "Time from accepting a new generation or commit until the object became Ready.", convergence_seconds_buckets},
    // ---- Versions and lifecycle ----
    {"galleryd_image_versions",
     gauge,
     "gallery definition state",
     "Image versions by Azure state (creating, updating, succeeded, failed, deleting, migrating, soft_deleted).",
     {}},
    {"galleryd_image_versions_past_eol",
     gauge,
     "gallery definition",
     "Image versions whose end-of-life date has passed and that still exist.",
     {}},
    {"galleryd_image_versions_excluded",
     gauge,
     "gallery definition",
     "Image versions excluded from latest in at least one target region.",
     {}},
    {"galleryd_definition_latest_info",
     gauge,
     "gallery definition version",
     "Version that latest resolves to in the home region; the value is always 1.",
     {}},
    {"galleryd_definition_latest_published_timestamp_seconds",
     gauge,
     "gallery definition",
     "Publish time of the version that latest resolves to.",
     {}},
    {"galleryd_definition_latest_eol_timestamp_seconds",
     gauge,
     "gallery definition",
     "End-of-life time of the version that latest resolves to; absent when none is set.",
     {}},
    {"galleryd_definition_max_age_seconds",
     gauge,
     "gallery definition",
     "Freshness limit declared in the manifest; absent when none is declared.",
     {}},
    {"galleryd_definition_latest_divergent_regions",
     gauge,
     "gallery definition",
     "Target regions where latest resolves to another version than in the home region.",
     {}},
    {"galleryd_definition_unservable_regions",
     gauge,
     "gallery definition",
     "Target regions in which no version of the definition can be deployed.",
     {}},
    // ---- Replication ----
    {"galleryd_replication_versions",
     gauge,
     "gallery region state",
     "Version-region pairs by replication state (completed, replicating, failed, unknown, missing).",
     {}},
    {"galleryd_replication_oldest_unfinished_timestamp_seconds",
     gauge,
     "gallery region",
     "Start time of the longest running unfinished replication; absent when none is running.",
     {}},
    {"galleryd_replication_seconds", histogram, "region", "Time from first request until a region reported Completed.",
     replication_seconds_buckets},
    {"galleryd_replication_failures_total",
     counter,
     "gallery region",
     "Replications that Azure reported as Failed.",
     {}},
    {"galleryd_replication_progress_ratio",
     gauge,
     "gallery definition version region",
     "Progress between 0 and 1 of an unfinished replication; removed once it finishes.",
     {}},
    {"galleryd_replicas_desired", gauge, "gallery region", "Replicas asked for by manifests.", {}},
    {"galleryd_replicas_observed", gauge, "gallery region", "Replicas in regions that Azure reports as Completed.", {}},
    // ---- Drift ----
    {"galleryd_drift_objects",
     gauge,
     "gallery kind class",
     "Objects that differ from the manifests by class (modified, missing, extra, immutable).",
     {}},
    {"galleryd_drift_corrected_total",
     counter,
     "gallery kind result",
     "Corrections of drift by result (success, error, skipped).",
     {}},
    {"galleryd_foreign_writes_total", counter, "gallery", "Changes to managed fields that galleryd did not make.", {}},
    // ---- Retention ----
    {"galleryd_retention_deletions_pending",
     gauge,
     "gallery definition",
     "Image versions that a retention policy has marked and not yet deleted.",
     {}},
    {"galleryd_retention_deletions_blocked",
     gauge,
     "gallery definition reason",
     "Marked image versions held back by reason (in_use, pinned, min_keep, eol_not_reached, locked, "
     "approval_required, brake, suspended).",
     {}},
    {"galleryd_retention_deletions_total",
     counter,
     "gallery result",
     "Retention deletions by result (deleted, soft_deleted, failed).",
     {}},
    {"galleryd_retention_next_deletion_timestamp_seconds",
     gauge,
     "gallery",
     "Time of the next planned deletion; absent when none is planned.",
     {}},
    {"galleryd_retention_brake_engaged",
     gauge,
     "gallery",
     "Whether the mass-deletion brake stopped retention (1) or not (0).",
     {}},
    {"galleryd_soft_deleted_next_purge_timestamp_seconds",
     gauge,
     "gallery",
     "Time at which the next soft-deleted version is purged by Azure; absent when none exists.",
     {}},
    // ---- Cost ----
    {"galleryd_storage_bytes",
     gauge,
     "gallery region storage_account_type",
     "Estimated stored bytes, that is image size times replicas.",
     {}},
    {"galleryd_estimated_monthly_storage_cost",
     gauge,
     "gallery region storage_account_type currency",
     "Estimated monthly price of stored replicas in the one configured currency.",
     {}},
    {"galleryd_estimated_monthly_reclaimable_cost",
     gauge,
     "gallery reason currency",
     "Part of the estimate that could be saved by reason (past_eol, retention_pending, over_replicated).",
     {}},
    {"galleryd_budget_monthly_storage_cost",
     gauge,
     "gallery currency",
     "Monthly storage budget declared in the manifest; absent when none is declared.",
     {}},
    {"galleryd_price_sheet_timestamp_seconds", gauge, "source", "Date of the price data in use.", {}},
    // ---- Azure Resource Manager ----
    {"galleryd_arm_requests_total",
     counter,
     "subscription_id resource_type method code",
     "Azure Resource Manager requests by HTTP status; code is <error> when no answer came.",
     {}},
    {"galleryd_arm_request_duration_seconds", histogram, "resource_type method",
     "Round-trip time of Azure Resource Manager requests.", arm_request_duration_seconds_buckets},
    {"galleryd_arm_throttled_requests_total",
     counter,
     "subscription_id layer",
     "Requests answered with 429 by layer (subscription, tenant, compute).",
     {}},
    {"galleryd_arm_ratelimit_remaining",
     gauge,
     "subscription_id bucket",
     "Calls left as last reported by Azure in the x-ms-ratelimit-remaining headers.",
     {}},
    {"galleryd_arm_held_until_timestamp_seconds",
     gauge,
     "subscription_id",
     "Time until which galleryd holds back requests because of Retry-After; absent when not holding.",
     {}},
    {"galleryd_arm_limiter_wait_seconds", histogram, "subscription_id",
     "Time requests waited in the client-side rate limiter.", arm_limiter_wait_seconds_buckets},
    {"galleryd_arm_operations", gauge, "resource_type operation", "Long-running Azure operations being followed.", {}},
    {"galleryd_arm_operations_overdue", gauge, "resource_type operation", "Those past their deadline (GD3110).", {}},
    {"galleryd_arm_operation_duration_seconds", histogram, "resource_type operation result",
     "Duration of finished long-running Azure operations.", arm_operation_duration_seconds_buckets},
    {"galleryd_arm_auth_failures_total",
     counter,
     "credential",
     "Requests for a token or calls refused with 401 or 403 by credential.",
     {}},
    {"galleryd_arm_token_expiry_timestamp_seconds", gauge, "credential", "Expiry time of the cached access token.", {}},
    {"galleryd_quota_used",
     gauge,
     "subscription_id region resource",
     "Gallery resources counted against an Azure limit (galleries, definitions, versions).",
     {}},
    {"galleryd_quota_limit",
     gauge,
     "subscription_id region resource",
     "Azure limit that galleryd assumes for the resource.",
     {}},
    // ---- Events, notifications, web ----
    {"galleryd_events_total", counter, "type reason", "Events emitted by type (Normal, Warning) and reason.", {}},
    {"galleryd_http_requests_total", counter, "handler method code", "Requests to the galleryd HTTP server.", {}},
    {"galleryd_http_request_duration_seconds", histogram, "handler", "Latency of the galleryd HTTP server.",
     http_request_duration_seconds_buckets},
    {"galleryd_event_stream_clients", gauge, "", "Open live event streams.", {}},
    {"galleryd_metrics_series_dropped", gauge, "metric", "Series not exported because the detail cap was reached.", {}},
};

}  // namespace

std::span<const MetricDefinition> metric_catalogue() { return catalogue; }

const MetricDefinition* find_metric(std::string_view name) {
    for (const MetricDefinition& definition : catalogue) {
        if (definition.name == name) return &definition;
    }
    return nullptr;
}

std::vector<std::string> label_names(const MetricDefinition& definition) {
    std::vector<std::string> names;
    for (std::string_view rest = definition.labels; !rest.empty();) {
        const std::size_t end = std::min(rest.find(' '), rest.size());
        names.emplace_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return names;
}

std::string_view to_string(MetricType type) {
    switch (type) {
        case MetricType::counter: return "counter";
        case MetricType::gauge: return "gauge";
        case MetricType::histogram: return "histogram";
    }
    return "gauge";
}

std::string metric_reference_markdown() {
    std::string text = "| Metric | Type | Labels | Meaning |\n| --- | --- | --- | --- |\n";
    for (const MetricDefinition& definition : catalogue) {
        std::string labels;
        for (const std::string& name : label_names(definition)) labels += (labels.empty() ? "`" : ", `") + name + "`";
        text += "| `" + std::string(definition.name) + "` | " + std::string(to_string(definition.type)) + " | " +
                (labels.empty() ? "–" : labels) + " | " + std::string(definition.help) + " |\n";
    }
    return text;
}

}  // namespace galleryd::telemetry
