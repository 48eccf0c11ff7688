#pragma once
#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>

#include "controller/adapters/journal/journal.h"
#include "controller/core/fingerprint.h"
#include "controller/core/policy.h"
#include "reconcilers/lifecycle/executor.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_journal.h"
#include "tests/support/recording_log.h"
#include "tests/support/recording_metrics.h"
#include "tests/support/run_task.h"
#include "tests/unit/lifecycle/fake_api.h"

namespace galleryd {

// Executor and memory over a journal in memory and a fake Azure, with one version that is ours and in order.
struct LifecycleBench {
    boost::asio::io_context context;
    ManualClock clock{context};
    RecordingLog log;
    RecordingMetrics metrics;
    FakeApi api;
    std::unique_ptr<Journal> journal = memory_journal(ManualClock::default_start);
    ResourceMemory memory{*journal};
    EventRecorder events{*journal, clock, log, metrics};
    Executor executor{api, *journal, memory, clock, events};
    const ObjectKey document{Kind::image_version, "images", "ubuntu-1.0.0"};
    const ResourceId id = version_id(definition_id(gallery_id("s1", "rg", "golden"), "ubuntu"), "1.0.0");

    LifecycleBench() { REQUIRE(memory.load().has_value()); }

    ObservedVersion version() {
        ObservedVersion observed;
        observed.id = id;
        observed.name = "1.0.0";
        observed.state = ProvisioningState::succeeded;
        observed.number = parse_image_version_number("1.0.0");
        observed.published = clock.now() - std::chrono::days{100};
        observed.tags[owner_tag] = owner_tag_value("test", document);
        observed.target_regions.resize(1);
        observed.target_regions.front().name = "canadacentral";
        observed.replication_known = true;
        observed.replication["canadacentral"].state = ReplicationState::completed;
        observed.read_at = clock.now();
        observed.server_date = clock.now();
        return observed;
    }

    Change change(Action action, Step step, bool exists = true) {
        Change made;
        made.address = "images/golden/ubuntu/1.0.0";
        made.kind = "ImageVersion";
        made.arm_id = id;
        made.object = document;
        made.action = action;
        made.reason = "manifest_changed";
        made.step = std::move(step);
        if (exists) {
            api.versions[id.key()] = version();
            made.seen = fingerprint_of(version());
        }
        return made;
    }

    Change deletion() {
        Change made = change(Action::remove, DeleteVersion{});
        made.reason = "retention";
        made.destructive = true;
        return made;
    }

    ApplyContext allowed() {
        ApplyContext made;
        made.scope = "images/golden/ubuntu";
        made.revision = "r1";
        made.asked_by = "test";
        made.instance = "test";
        made.allow_deletes = true;
        made.document_digests[to_string(document)] = "digest-1";
        return made;
    }

    ApplyReport apply(std::vector<Change> changes, ApplyContext with) {
        Plan plan;
        plan.observed_at = clock.now();
        plan.scope = "images/golden/ubuntu";
        plan.id = "sha256:plan";
        plan.changes = std::move(changes);
        auto report = run_task(context, executor.apply(std::move(plan), std::move(with)));
        REQUIRE(report.has_value());
        return std::move(*report);
    }
    ApplyReport apply(Change one) { return apply(std::vector<Change>{std::move(one)}, allowed()); }
};

}  // namespace galleryd
