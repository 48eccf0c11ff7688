#include <doctest/doctest.h>

#include "controller/program/state_metrics.h"
#include "tests/unit/program/small_engine.h"

using namespace galleryd;

namespace {

const std::string group = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-golden";
const std::string golden = group + "/providers/Microsoft.Compute/galleries/golden";
const std::string ubuntu = golden + "/images/ubuntu";

std::string version(const std::string& number, const std::string& published, const std::string& tags) {
    return R"(,{"id": ")" + ubuntu + "/versions/" + number + R"(", "name": ")" + number +
           R"(", "type": "Microsoft.Compute/galleries/images/versions", "location": "canadacentral", "tags": )" + tags +
           R"(, "properties": {"provisioningState": "Succeeded", "publishingProfile": {"targetRegions": [{"name":
           "Canada Central", "regionalReplicaCount": 1, "storageAccountType": "Standard_LRS"}], "replicaCount": 1,
           "excludeFromLatest": false, "storageAccountType": "Standard_LRS", "publishedDate": ")" +
           published + R"("}, "storageProfile": {"source": {"id": ")" + group +
           R"(/providers/Microsoft.Compute/images/p"}, "osDiskImage": {"sizeInGB": 30, "hostCaching": "ReadWrite"}},
           "safetyProfile": {"allowDeletionOfReplicatedLocations": false}}})";
}

// A gallery and a definition of ours; two old versions of a pipeline that are marked and through their grace, and a new
// one.
std::string estate() {
    const std::string mark =
        R"({"galleryd-delete-after": "2026-11-01T00:00:00Z", "galleryd-delete-rule": "standard/olderThan"})";
    return R"({"resources": [{"id": ")" + group +
           R"(", "name": "rg-golden", "type": "Microsoft.Resources/resourceGroups",
        "location": "canadacentral", "properties": {"provisioningState": "Succeeded"}}, {"id": ")" +
           golden + R"(", "name": "golden", "type": "Microsoft.Compute/galleries", "location": "canadacentral",
        "tags": {"galleryd-owner": "galleryd/Gallery/images/golden"},
        "properties": {"provisioningState": "Succeeded"}}, {"id": ")" +
           ubuntu + R"(", "name": "ubuntu", "type": "Microsoft.Compute/galleries/images", "location": "canadacentral",
        "tags": {"galleryd-owner": "galleryd/ImageDefinition/images/ubuntu"}, "properties": {"provisioningState":
        "Succeeded", "osType": "Linux", "osState": "Generalized", "hyperVGeneration": "V2", "architecture": "x64",
        "identifier": {"publisher": "Contoso", "offer": "Ubuntu", "sku": "24_04"},
        "features": [{"name": "SecurityType", "value": "Standard"}]}})" +
           version("1.0.0", "2026-01-01T00:00:00Z", mark) + version("1.1.0", "2026-02-01T00:00:00Z", mark) +
           version("1.2.0", "2026-11-01T00:00:00Z", "{}") + "]}";
}

EngineOptions that_may_delete() {
    EngineOptions options;
    options.allow_deletes = true;
    return options;
}

struct Waiting : SmallEngine {
    Waiting() : SmallEngine(that_may_delete()) { REQUIRE(azure.load_state(estate()).has_value()); }

    // "" = as it is: at most five at once, a person is asked.
    void policy(const std::string& more) {
        declare(std::string(small_gallery) + small_definition + "  lifecyclePolicy: standard\n---" + R"(
apiVersion: galleryd.io/v1alpha1
kind: LifecyclePolicy
metadata: {name: standard, namespace: images}
spec:
  governs: All
  retention: {action: Delete, keepNewest: 1, olderThan: 30d, minimumAge: 1d, grace: 7d, inUse: Ignore,
    maxPercentPerPass: 100)" +
                more + "}\n");
        look();
    }
    void look() {
        for (int i = 0; i < 3; ++i) {  // nothing is taken away before everything was looked at
            pass();
            clock.advance(std::chrono::seconds{2});
        }
    }
    double blocked(const std::string& reason) {
        RecordingMetrics metrics;
        StateMetrics(metrics).publish(engine, clock.now());
        return metrics.value("galleryd_retention_deletions_blocked",
                             {{"gallery", "images/golden"}, {"definition", "ubuntu"}, {"reason", reason}});
    }
    double brake() {
        RecordingMetrics metrics;
        StateMetrics(metrics).publish(engine, clock.now());
        return metrics.value("galleryd_retention_brake_engaged", {{"gallery", "images/golden"}});
    }
    bool is_there(const std::string& number) {
        const auto seen = run_task(context, clock, arm.get_version(ResourceId(ubuntu + "/versions/" + number), false));
        REQUIRE(seen.has_value());
        return seen->has_value() && (*seen)->state != ProvisioningState::deleting;
    }
    std::string digest() {
        const auto plan = run_task(context, clock, engine.plan_scope("images/golden/ubuntu"));
        REQUIRE(plan.has_value());
        return plan->deletions_digest;
    }
};

}  // namespace

TEST_CASE("what deletions wait for is a label, and a shut window or a missing approval pages nobody") {
    Waiting small;
    small.policy(", window: {days: [Mon], from: '01:00', to: '02:00', timeZone: UTC}");
    CHECK(small.blocked("window") == 2);
    CHECK(small.brake() == 0);
    small.policy("");
    CHECK(small.blocked("window") == 0);
    CHECK(small.blocked("approval_required") == 2);
    CHECK(small.brake() == 0);
    small.policy(", maxDeletesPerPass: 1");
    CHECK(small.blocked("approval_required") == 2);  // a version counts once, by the first of its reasons
    CHECK(small.brake() == 1);
    CHECK(small.is_there("1.0.0"));
    CHECK(small.is_there("1.1.0"));
}

TEST_CASE("an approval lets exactly its plan through, and only until it expires") {
    Waiting small;
    small.policy("");
    const std::string digest = small.digest();
    REQUIRE(digest.starts_with("sha256:"));
    const auto in = [&](std::chrono::minutes time) { return small.clock.now() + time; };
    REQUIRE(
        small.journal->put_approval("sha256:" + std::string(64, '0'), "ana", in(std::chrono::hours{1})).has_value());
    REQUIRE(small.journal->put_approval(digest, "ana", in(std::chrono::minutes{30})).has_value());
    small.clock.advance(std::chrono::minutes{30});
    small.look();
    CHECK(small.is_there("1.0.0"));  // it expired this second
    CHECK(small.is_there("1.1.0"));
    CHECK(small.blocked("approval_required") == 2);
    CHECK(small.digest() == digest);  // the same plan may be approved again
    REQUIRE(small.journal->put_approval(digest, "ana", in(std::chrono::minutes{30})).has_value());
    small.look();
    CHECK_FALSE(small.is_there("1.0.0"));
    CHECK_FALSE(small.is_there("1.1.0"));
    CHECK(small.is_there("1.2.0"));
}
