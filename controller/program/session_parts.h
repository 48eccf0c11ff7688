#pragma once
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "controller/adapters/azure/arm_client.h"
#include "controller/adapters/azure/resource_graph.h"
#include "controller/adapters/clock/system_clock.h"
#include "controller/adapters/telemetry/metrics_registry.h"
#include "controller/program/credential_folder.h"
#include "controller/program/gallery_apis.h"
#include "controller/program/gallery_clients.h"
#include "controller/program/session.h"
#include "controller/program/wall_clock.h"
#include "controller/runtime/blocking_pool.h"
#include "controller/simulator/face.h"
#include "controller/simulator/simulator.h"

// Internal to controller/program/session*: what a session is made of, and how it is opened.
namespace galleryd {

// In the order in which they are made; destroyed the other way round, the loop last but for the clocks.
struct SessionParts {
    CommonOptions options;
    SystemClock system_clock;
    SystemRandom random;
    std::unique_ptr<simulator::ScaledClock> simulated_clock;
    std::unique_ptr<WallClock> wall_clock;
    std::unique_ptr<WorldClock> world_clock;
    boost::asio::io_context context{1};
    std::unique_ptr<Log> log;
    std::unique_ptr<telemetry::MetricsRegistry> metrics;
    std::unique_ptr<BlockingPool> pool;
    std::unique_ptr<Journal> journal;
    std::unique_ptr<simulator::Simulator> azure;
    std::unique_ptr<simulator::Face> azure_server;
    std::unique_ptr<AzureContact> contact;
    std::unique_ptr<WatchedTransport> transport;
    std::unique_ptr<azure::TokenProvider> credential;
    std::unique_ptr<azure::ArmClient> arm;
    std::unique_ptr<CredentialFolder> gallery_secrets;
    GalleryCredentials gallery_credentials;
    std::unique_ptr<GalleryClients> gallery_clients;
    std::unique_ptr<GalleryApis> galleries;
    std::unique_ptr<azure::ResourceGraph> inventory;
    std::unique_ptr<Engine> engine;
    std::vector<std::unique_ptr<DesiredSource>> sources;
    std::string azure_url;
    doctor::Bearer bearer;

    Clock& clock() { return wall_clock ? static_cast<Clock&>(*wall_clock) : system_clock; }
    Clock& engine_clock() { return world_clock ? static_cast<Clock&>(*world_clock) : system_clock; }
};

// Everything that the options ask for, in the order in which one part needs another. The first error ends it.
Status open_parts(SessionParts& parts, JournalUse use, const std::string& asked_by);

}  // namespace galleryd
