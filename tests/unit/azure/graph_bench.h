#pragma once
#include <string>
#include <vector>

#include "controller/adapters/azure/resource_graph.h"
#include "controller/simulator/simulator.h"
#include "tests/unit/azure/scripted_transport.h"
#include "tests/unit/simulator/graph_box.h"

// A ResourceGraph client that talks to the built-in Azure in this process, or to a script.
namespace galleryd::azure::test {

class BoxToken : public TokenProvider {
  public:
    explicit BoxToken(simulator::Simulator& azure) : azure_(azure) {}
    Task<std::string> token() override { co_return azure_.issue_token("graph client"); }
    void invalidate(std::string) override {}
    std::string_view name() const override { return "simulator"; }

  private:
    simulator::Simulator& azure_;
};

// Keeps ids only, as they come.
class IdSink : public InventorySink {
  public:
    void on_gallery(ObservedGallery row) override { galleries.push_back(std::move(row)); }
    void on_definition(ObservedDefinition row) override { definitions.push_back(std::move(row)); }
    void on_version(ObservedVersion row) override { versions.push_back(std::move(row)); }
    std::vector<ObservedGallery> galleries;
    std::vector<ObservedDefinition> definitions;
    std::vector<ObservedVersion> versions;
};

struct GraphBench {
    explicit GraphBench(simulator::Options options = simulator::GraphBox::without_lag(), GraphOptions graph = {})
        : box(std::move(options)),
          transport(box.azure, box.clock),
          tokens(box.azure),
          graph_options(with_origin(std::move(graph))),
          client(transport, tokens, box.clock, log, metrics, graph_options) {}
    static GraphOptions with_origin(GraphOptions options) {
        options.arm.arm = *http::parse_origin("https://azure.test");
        return options;
    }
    template <class T>
    Result<T> run(Task<T> task) {
        return run_task(box.io, box.clock, std::move(task));
    }
    Result<LookSummary> look(std::size_t parallel = 1) {
        return run(client.look({.subscriptions = {subscription}, .parallel = parallel}, sink));
    }
    std::uint64_t requests_of(auto&& action) {
        const std::uint64_t before = box.azure.requests();
        action();
        return box.azure.requests() - before;
    }

    const std::string subscription = "11111111-1111-1111-1111-111111111111";
    simulator::GraphBox box;
    simulator::InProcessTransport transport;
    BoxToken tokens;
    RecordingLog log;
    RecordingMetrics metrics;
    GraphOptions graph_options;
    IdSink sink;
    ResourceGraph client;
};

}  // namespace galleryd::azure::test
