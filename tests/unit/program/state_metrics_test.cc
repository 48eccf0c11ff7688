#include "controller/program/state_metrics.h"

#include "tests/unit/program/small_engine.h"

using namespace galleryd;

namespace {

const MetricLabels creations{{"gallery", "images/golden"}, {"action", "create"}};

MetricLabels resource(const std::string& kind, const std::string& status) {
    return {{"kind", kind}, {"gallery", "images/golden"}, {"status", status}};
}

}  // namespace

TEST_CASE("series of objects, plans and sources appear with the first pass") {
    SmallEngine small;
    RecordingMetrics metrics;
    StateMetrics state(metrics);
    state.publish(small.engine, small.clock.now());
    CHECK(metrics.values.empty());

    small.declare(std::string(small_gallery) + small_definition);
    small.pass();
    state.publish(small.engine, small.clock.now());
    for (const char* kind : {"Gallery", "ImageDefinition"}) {
        CAPTURE(kind);
        CHECK(metrics.sum("galleryd_resources", {{"kind", kind}, {"gallery", "images/golden"}}) == 1);
        CHECK(metrics.has("galleryd_resources", resource(kind, "failed")));
        CHECK(metrics.value("galleryd_resources", resource(kind, "failed")) == 0);
        CHECK(metrics.value("galleryd_resource_suspended", {{"kind", kind}, {"gallery", "images/golden"}}) == 0);
    }
    CHECK(metrics.has("galleryd_plan_changes", creations));
    CHECK(metrics.value("galleryd_source_ready", {{"source", "dir:test"}}) == 1);
    CHECK(metrics.value("galleryd_source_manifests", {{"source", "dir:test"}, {"result", "valid"}}) == 2);
    CHECK(metrics.value("galleryd_source_manifests", {{"source", "dir:test"}, {"result", "invalid"}}) == 0);
}

TEST_CASE("values follow the engine, and what is there already is not written again") {
    SmallEngine small;
    RecordingMetrics metrics;
    StateMetrics state(metrics);
    small.declare(small_gallery);
    small.pass();
    state.publish(small.engine, small.clock.now());
    CHECK(metrics.value("galleryd_source_ready", {{"source", "dir:test"}}) == 1);
    CHECK(metrics.value("galleryd_plan_changes", creations) > 0);

    for (int i = 0; i < 5; ++i) {  // the group, then the gallery; each operation takes a second
        small.clock.advance(std::chrono::minutes{1});
        small.pass();
    }
    small.declare(std::string(small_gallery) +
                  "---\napiVersion: galleryd.io/v1alpha1\nkind: Gallery\nmetadata: {name: broken, namespace: "
                  "images}\nspec: {location: 5}\n");
    const auto before = metrics.values;
    state.publish(small.engine, small.clock.now());
    CHECK(metrics.value("galleryd_plan_changes", creations) == 0);
    CHECK(metrics.value("galleryd_source_ready", {{"source", "dir:test"}}) == 0);
    CHECK(metrics.value("galleryd_source_manifests", {{"source", "dir:test"}, {"result", "invalid"}}) == 1);
    CHECK(metrics.values != before);

    metrics.values.clear();  // a second publication of the same state sends nothing
    state.publish(small.engine, small.clock.now());
    CHECK(metrics.values.empty());
}

TEST_CASE("series of what is gone are forgotten, and only those") {
    SmallEngine two, one, none;
    two.declare(std::string(small_gallery) + small_definition);
    two.pass();
    one.declare(small_gallery);
    one.pass();
    RecordingMetrics metrics;
    StateMetrics state(metrics);
    state.publish(two.engine, two.clock.now());
    CHECK(metrics.has("galleryd_resources", resource("ImageDefinition", "current")));
    const MetricLabels versions{{"gallery", "images/golden"}, {"definition", "ubuntu"}, {"state", "succeeded"}};
    CHECK(metrics.has("galleryd_image_versions", versions));
    CHECK_FALSE(  // noughts of a definition are not told
        metrics.has("galleryd_retention_deletions_pending", {{"gallery", "images/golden"}, {"definition", "ubuntu"}}));

    state.publish(one.engine, one.clock.now());
    CHECK_FALSE(metrics.has("galleryd_resources", resource("ImageDefinition", "current")));
    CHECK_FALSE(metrics.has("galleryd_image_versions", versions));
    CHECK(metrics.has("galleryd_resources", resource("Gallery", "current")));
    CHECK(metrics.value("galleryd_source_manifests", {{"source", "dir:test"}, {"result", "valid"}}) == 1);

    state.publish(none.engine, none.clock.now());
    CHECK(metrics.values.empty());
}

TEST_CASE("only what was touched is looked at again, until the documents change") {
    SmallEngine small;
    RecordingMetrics metrics;
    StateMetrics state(metrics);
    small.declare(std::string(small_gallery) + small_definition);
    state.publish_touched(small.engine, small.clock.now());  // the first time is everything
    CHECK(metrics.value("galleryd_source_ready", {{"source", "dir:test"}}) == 1);
    small.pass();
    state.publish_touched(small.engine, small.clock.now());
    CHECK_FALSE(metrics.has("galleryd_plan_changes", creations));
    state.touch("images/golden/ubuntu");
    state.publish_touched(small.engine, small.clock.now());
    CHECK(metrics.value("galleryd_plan_changes", creations) > 0);
    CHECK(metrics.has("galleryd_resources", resource("ImageDefinition", "current")));

    state.touch("images/golden");
    state.touch("images/nobody");
    const auto before = metrics.values;
    state.publish_touched(small.engine, small.clock.now());
    CHECK(metrics.values == before);
    RecordingMetrics whole;
    StateMetrics(whole).publish(small.engine, small.clock.now());
    CHECK(metrics.values == whole.values);
}

TEST_CASE("documents that change publish everything, without any touch") {
    SmallEngine small;
    RecordingMetrics metrics;
    StateMetrics state(metrics);
    small.declare(small_gallery);
    state.publish_touched(small.engine, small.clock.now());
    small.pass();
    small.declare(std::string(small_gallery) + small_definition);
    state.publish_touched(small.engine, small.clock.now());
    CHECK(metrics.value("galleryd_plan_changes", creations) > 0);
    CHECK(metrics.value("galleryd_source_manifests", {{"source", "dir:test"}, {"result", "valid"}}) == 2);
}

TEST_CASE("a gallery whose name begins with another's name keeps its series to itself") {
    SmallEngine small;
    RecordingMetrics metrics;
    StateMetrics state(metrics);
    std::string second(small_gallery);
    second.replace(second.find("name: golden"), 12, "name: golden.2");
    small.declare(std::string(small_gallery) + small_definition + "---" + second);
    small.pass();
    state.publish(small.engine, small.clock.now());
    CHECK(metrics.sum("galleryd_resources", {{"gallery", "images/golden"}}) == 2);
    CHECK(metrics.sum("galleryd_resources", {{"gallery", "images/golden.2"}}) == 1);
}

TEST_CASE("who uses versions has an age only after somebody asked") {
    class Nobody : public UsageReader {
      public:
        Task<UsageAnswer> users_of(std::vector<ResourceId>) override { co_return UsageAnswer{}; }
        Task<std::vector<ResourceId>> find_versions(std::string, std::string, std::string) override {
            co_return std::vector<ResourceId>{};
        }
        Task<std::vector<ResourceId>> find_definitions(std::string, std::string) override {
            co_return std::vector<ResourceId>{};
        }
    };
    Nobody nobody;
    SmallEngine small;
    small.engine.use_usage(nobody);
    RecordingMetrics metrics;
    StateMetrics state(metrics);
    small.declare(std::string(small_gallery) + small_definition);
    small.pass();
    state.publish(small.engine, small.clock.now());
    CHECK_FALSE(metrics.has("galleryd_usage_look_timestamp_seconds", {}));  // nothing is to be taken away
}

TEST_CASE("a pass that ends as the one before is no news, one that ends in another plan is") {
    SmallEngine small;
    small.declare(std::string(small_gallery) + small_definition);
    CHECK(small.pass() == std::set<std::string>{"images/golden", "images/golden/ubuntu"});
    small.clock.advance(std::chrono::minutes{10});
    for (int i = 0; i < 10; ++i) {
        small.clock.advance(std::chrono::minutes{1});
        small.pass();
    }
    small.clock.advance(std::chrono::minutes{1});
    CHECK(small.pass().empty());
    std::string edited(small_definition);
    edited.replace(edited.find("name: ubuntu"), 12, "name: debian");
    edited.replace(edited.find("sku: 24_04"), 10, "sku: 24_10");
    small.declare(std::string(small_gallery) + small_definition + edited);
    std::string news;
    for (const std::string& name : small.pass()) news += name + " ";
    CHECK(news == "images/golden/debian ");
}

TEST_CASE("after an hour everything is told again, because time alone ends lives") {
    SmallEngine small;
    RecordingMetrics metrics;
    StateMetrics state(metrics);
    small.declare(small_gallery);
    state.publish_touched(small.engine, small.clock.now());
    small.pass();
    small.clock.advance(StateMetrics::publish_all_after - std::chrono::seconds{1});
    state.publish_touched(small.engine, small.clock.now());
    CHECK_FALSE(metrics.has("galleryd_plan_changes", creations));  // nobody touched it
    small.clock.advance(std::chrono::seconds{1});
    state.publish_touched(small.engine, small.clock.now());
    CHECK(metrics.has("galleryd_plan_changes", creations));
}

TEST_CASE("regions of several definitions are counted together, each under its own name") {
    SmallEngine small;
    RecordingMetrics metrics;
    StateMetrics state(metrics);
    std::string yaml = small_gallery;
    for (const std::string name : {"ubuntu", "debian"}) {
        std::string definition(small_definition);
        definition.replace(definition.find("name: ubuntu"), 12, "name: " + name);
        definition.replace(definition.find("sku: 24_04"), 10, "sku: " + name);
        yaml += definition + "---\napiVersion: galleryd.io/v1alpha1\nkind: ImageVersion\nmetadata: {name: " + name +
                "-1, namespace: images}\nspec:\n  imageDefinition: " + name +
                "\n  version: 1.0.0\n  source: {managedImage: /subscriptions/00000000-0000-0000-0000-000000000001/"
                "resourceGroups/rg-golden/providers/Microsoft.Compute/images/packer}\n  targetRegions:\n"
                "  - {name: canadacentral, replicas: 3}\n  - {name: southafricanorthwest, replicas: 2}\n";
    }
    small.declare(yaml);
    small.pass();
    state.publish(small.engine, small.clock.now());
    const auto desired = [&](const std::string& region) {
        return metrics.value("galleryd_replicas_desired", {{"gallery", "images/golden"}, {"region", region}});
    };
    CHECK(desired("canadacentral") == 6);
    CHECK(desired("southafricanorthwest") == 4);  // longer than a string that needs no room of its own
    CHECK(metrics.sum("galleryd_replicas_desired") == 10);
}
