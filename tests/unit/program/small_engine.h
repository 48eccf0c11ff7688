#pragma once
#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "controller/adapters/azure/arm_client.h"
#include "controller/adapters/azure/token.h"
#include "controller/adapters/documents/reader.h"
#include "controller/adapters/journal/journal.h"
#include "controller/core/digest.h"
#include "controller/program/engine.h"
#include "controller/simulator/simulator.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_journal.h"
#include "tests/support/recording_log.h"
#include "tests/support/recording_metrics.h"
#include "tests/support/run_task.h"

namespace galleryd {

// An engine with a journal in memory against the simulator: what the API and the metrics of the program are read from.
class SmallEngine {
  public:
    explicit SmallEngine(EngineOptions options = {})
        : clock(context, *parse_rfc3339("2026-11-21T00:00:00Z")),
          azure(clock, simulator_options()),
          transport(azure, clock),
          arm(transport, token, clock, log, arm_metrics, arm_options()),
          journal(memory_journal(clock.now())),
          engine(arm, *journal, clock, log, arm_metrics, std::move(options)) {
        REQUIRE(engine.load().has_value());
    }

    void declare(const std::string& yaml) {
        ReadResult read = read_documents({{"images.yaml", yaml}}, ReadOptions{});
        Snapshot snapshot;
        snapshot.source = "dir:test";
        snapshot.revision = sha256_label(yaml);
        snapshot.objects = std::move(read.objects);
        snapshot.documents = std::move(read.documents);
        REQUIRE(engine.accept(std::move(snapshot)).has_value());
    }

    // One pass over every scope; operations that Azure starts are not followed. The scopes whose pass was news.
    std::set<std::string> pass() {
        std::set<std::string> news;
        std::vector<std::string> names;
        for (const auto& [name, scope] : engine.scopes()) names.push_back(name);
        for (const std::string& name : names) {
            const auto result = run_task(context, clock, engine.pass(name));
            REQUIRE(result.has_value());
            REQUIRE_MESSAGE(!result->error.has_value(), (result->error ? result->error->message : ""));
            if (result->is_news) news.insert(name);
        }
        return news;
    }

    boost::asio::io_context context;
    ManualClock clock;
    RecordingLog log;
    RecordingMetrics arm_metrics;
    simulator::Simulator azure;
    simulator::InProcessTransport transport;
    azure::NoToken token;
    azure::ArmClient arm;
    std::unique_ptr<Journal> journal;
    Engine engine;

  private:
    static simulator::Options simulator_options() {
        simulator::Options options;
        options.limits = options.check_tokens = false;
        options.operation_length = [](std::string_view, std::string_view) {
            return std::optional<Duration>(std::chrono::seconds{1});
        };
        return options;
    }
    static azure::ArmOptions arm_options() {
        azure::ArmOptions options;
        options.arm = {"https", "management.azure.com", "443"};
        return options;
    }
};

inline const char* const small_gallery = R"(
apiVersion: galleryd.io/v1alpha1
kind: Gallery
metadata: {name: golden, namespace: images}
spec:
  subscriptionId: 00000000-0000-0000-0000-000000000001
  resourceGroup: rg-golden
  ensureResourceGroup: true
  location: canadacentral
)";

inline const char* const small_definition = R"(---
apiVersion: galleryd.io/v1alpha1
kind: ImageDefinition
metadata: {name: ubuntu, namespace: images}
spec:
  gallery: golden
  identifier: {publisher: Contoso, offer: Ubuntu, sku: 24_04}
  osType: Linux
  osState: Generalized
  hyperVGeneration: V2
)";

}  // namespace galleryd
