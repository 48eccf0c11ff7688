#include "tests/unit/azure/scripted_transport.h"

#include <algorithm>

namespace galleryd::azure::test {

Task<http::Response> ScriptedTransport::send(http::Origin origin, http::Request request, http::CallLimits limits) {
    sent.push_back(
        {.origin = std::move(origin), .request = std::move(request), .at = clock_.monotonic(), .limits = limits});
    if (script_.empty())
        co_return fail(ErrorKind::bug, "ScriptEnded",
                       "the test's script has no answer for " + sent.back().request.target);
    Played next = std::move(script_.front());
    script_.pop_front();
    in_flight_most = std::max(in_flight_most, ++in_flight);
    if (next.takes.count() > 0) co_await clock_.sleep_for(next.takes);
    --in_flight;
    co_return std::move(next.answer);
}

void ScriptedTransport::answer(int status, std::string body, http::Headers headers, std::chrono::seconds takes) {
    script_.push_back(
        {.answer = http::Response{.status = status, .headers = std::move(headers), .body = std::move(body)},
         .takes = takes});
}

void ScriptedTransport::fail_with(Error error) { script_.push_back({.answer = std::unexpected(std::move(error))}); }

Task<std::string> CountingToken::token() { co_return "token-" + std::to_string(generation); }
void CountingToken::invalidate(std::string refused) {
    if (refused == "token-" + std::to_string(generation)) ++generation;
}

void RecordingMetrics::add(std::string_view counter, MetricLabels labels, double amount) {
    values_[{std::string(counter), std::move(labels)}] += amount;
}
void RecordingMetrics::set(std::string_view gauge, MetricLabels labels, double value) {
    values_[{std::string(gauge), std::move(labels)}] = value;
}
void RecordingMetrics::observe(std::string_view histogram, MetricLabels labels, double) {
    values_[{std::string(histogram), std::move(labels)}] += 1;
}
void RecordingMetrics::forget(std::string_view gauge, MetricLabels match) {
    std::erase_if(values_, [&](const auto& entry) {
        return entry.first.first == gauge && std::ranges::all_of(match, [&](const auto& label) {
                   const auto found = entry.first.second.find(label.first);
                   return found != entry.first.second.end() && found->second == label.second;
               });
    });
}
std::optional<double> RecordingMetrics::value(const std::string& name, const MetricLabels& labels) const {
    const auto found = values_.find({name, labels});
    if (found == values_.end()) return std::nullopt;
    return found->second;
}

void RecordingLog::write(LogLevel, std::string_view message, std::initializer_list<LogField> fields) {
    text += std::string(message);
    for (const auto& [name, value] : fields) text += " " + std::string(name) + "=" + value;
    text += "\n";
}

namespace {
ArmOptions with_arm(ArmOptions options) {
    options.arm = {.scheme = "https", .host = "management.azure.com", .port = "443"};
    return options;
}
}  // namespace

Bench::Bench(ArmOptions options)
    : clock(io), transport(clock), client(transport, tokens, clock, log, metrics, with_arm(std::move(options))) {}

const ResourceId sample_gallery(
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/clitest.rg000001/providers/Microsoft.Compute/"
    "galleries/gallery_000003");
const ResourceId sample_definition = definition_id(sample_gallery, "image1");
const ResourceId sample_version = version_id(sample_definition, "1.1.2");

std::string error_body(const std::string& code, const std::string& message) {
    return R"({"error":{"code":")" + code + R"(","message":")" + message + R"("}})";
}

std::string gallery_body() {
    return "{\r\n  \"name\": \"gallery_000003\",\r\n  \"id\": \"" + sample_gallery.text() +
           "\",\r\n  \"type\": \"Microsoft.Compute/galleries\",\r\n  \"location\": \"eastus2\",\r\n  \"properties\": "
           "{\r\n    \"identifier\": {\r\n      "
           "\"uniqueName\": \"0b1f6471-1bf0-4dda-aec3-cb9272f09590-GALLERY_A3T5AOORIOTT\"\r\n    },\r\n    "
           "\"provisioningState\": \"Succeeded\"\r\n  }\r\n}";
}

std::string definition_body() {
    return "{\r\n  \"name\": \"image1\",\r\n  \"id\": \"" + sample_definition.text() +
           "\",\r\n  \"type\": \"Microsoft.Compute/galleries/images\",\r\n  \"location\": \"eastus2\",\r\n  \"tags\": "
           "{},\r\n  \"properties\": {\r\n    "
           "\"hyperVGeneration\": \"V1\",\r\n    \"architecture\": \"x64\",\r\n    \"osType\": \"Linux\",\r\n    "
           "\"osState\": \"Generalized\",\r\n    "
           "\"identifier\": {\r\n      \"publisher\": \"publisher1\",\r\n      \"offer\": \"offer1\",\r\n      "
           "\"sku\": \"sku1\"\r\n    },\r\n    "
           "\"provisioningState\": \"Succeeded\"\r\n  }\r\n}";
}

std::string version_body() {
    return "{\r\n  \"name\": \"1.1.2\",\r\n  \"id\": \"" + sample_version.text() + R"(",
  "type": "Microsoft.Compute/galleries/images/versions", "location": "eastus2", "tags": {},
  "properties": { "publishingProfile": { "targetRegions": [
      { "name": "West US 2", "regionalReplicaCount": 1, "storageAccountType": "Standard_LRS" },
      { "name": "East US 2", "regionalReplicaCount": 2, "storageAccountType": "Standard_LRS" } ],
      "replicaCount": 2, "excludeFromLatest": false, "publishedDate": "2025-01-07T05:56:46.4648477+00:00", "storageAccountType": "Standard_LRS" },
    "storageProfile": { "source": { "id": "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/clitest.rg000001/providers/Microsoft.Compute/images/managedImage1" },
      "osDiskImage": { "sizeInGB": 30, "hostCaching": "ReadWrite", "source": {} },
      "dataDiskImages": [ { "lun": 0, "sizeInGB": 10, "hostCaching": "None" } ] },
    "safetyProfile": { "reportedForPolicyViolation": false, "allowDeletionOfReplicatedLocations": false },
    "provisioningState": "Succeeded" } })";
}

}  // namespace galleryd::azure::test
