#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/unit/azure/usage_bench.h"

// Who uses a version, by Resource Graph (azure-facts §9).
using namespace galleryd;
using namespace galleryd::azure;
using namespace galleryd::azure::test;
using std::chrono::seconds;

namespace {

std::vector<std::string> names(const VersionUsers& found) {
    std::vector<std::string> names;
    for (const ImageUser& user : found.users) names.push_back(user.id.name());
    return names;
}

VersionUsers users_of(const UsageAnswer& answer, const ResourceId& version) {
    return find_users(answer, {.version = version, .versions = nullptr, .missing = {}});
}

}  // namespace

TEST_CASE("a machine uses the version that it runs, whether it names the version or the definition") {
    UsageBench bench;
    bench.put(machine("pinned", by_id(bench.definition + "/versions/1.0.0", "1.0.0")));
    bench.put(machine("by-definition", by_id(bench.definition, "1.0.1")));
    bench.put(
        machine("loud", by_id(bench.box.subscription + "/resourceGroups/RG-IMAGES/providers/"
                                                       "Microsoft.Compute/galleries/G0/images/D0/versions/1.0.1")));
    bench.put(machine("elsewhere", by_id(bench.box.galleries + "g1/images/d0/versions/1.0.0", "1.0.0")));
    bench.put(machine("marketplace", R"({"publisher": "Canonical", "offer": "u", "sku": "s", "version": "latest"})"));
    const UsageAnswer answer = bench.answer();
    CHECK(answer.users.size() == 3);
    CHECK(names(users_of(answer, bench.version("1.0.0"))) == std::vector<std::string>{"pinned"});
    CHECK(names(users_of(answer, bench.version("1.0.1"))) == std::vector<std::string>{"by-definition", "loud"});
    CHECK(users_of(answer, bench.version("1.0.2")).users.empty());
    CHECK(users_of(answer, bench.version("1.0.2")).doubts.empty());
    CHECK(answer.readable == std::vector<std::string>{bench.subscription, second_subscription});
    CHECK(answer.at == ManualClock::default_start);
    REQUIRE(answer.galleries.size() == 1);
    CHECK(answer.galleries.front().found);
    CHECK(answer.galleries.front().permissions == SharingPermissions::private_);
}

TEST_CASE("a machine that names one version and runs another uses both") {
    UsageBench bench;
    bench.put(machine("moved", by_id(bench.definition + "/versions/1.0.0", "1.0.2")));
    const UsageAnswer answer = bench.answer();
    CHECK(names(users_of(answer, bench.version("1.0.0"))) == std::vector<std::string>{"moved"});
    CHECK(names(users_of(answer, bench.version("1.0.2"))) == std::vector<std::string>{"moved"});
    CHECK(users_of(answer, bench.version("1.0.1")).users.empty());
}

TEST_CASE("a machine whose version nobody tells makes every version of its definition doubtful, and no other") {
    UsageBench bench;
    bench.put(machine("silent", by_id(bench.definition)));
    const UsageAnswer answer = bench.answer();
    for (const char* number : {"1.0.0", "1.0.2"}) {
        const VersionUsers found = users_of(answer, bench.version(number));
        CHECK(found.users.empty());
        REQUIRE(found.doubts.size() == 1);
        CHECK(found.doubts.front() == "which version they run is not told of silent");
    }
    CHECK(users_of(answer, ResourceId(bench.gallery + "/images/d1/versions/1.0.0")).doubts.empty());
}

TEST_CASE("consumers of a shared or community gallery are known by its other names") {
    UsageBench bench;
    bench.put(R"({"id": ")" + bench.gallery +
              R"(", "location": "eastus2", "properties": {"sharingProfile": {"permissions": "Community",
                 "communityGalleryInfo": {"publicNames": ["contoso-1234"]}}}})");
    bench.put(machine(
        "direct",
        R"({"sharedGalleryImageId": "/SharedGalleries/11111111-1111-1111-1111-111111111111-G0/Images/d0/Versions/1.0.0", "exactVersion": "1.0.0"})"));
    bench.put(machine(
        "public",
        R"({"communityGalleryImageId": "/CommunityGalleries/Contoso-1234/Images/d0/Versions/latest", "exactVersion": "1.0.1"})"));
    bench.put(machine(
        "other",
        R"({"communityGalleryImageId": "/CommunityGalleries/fabrikam-1/Images/d0/Versions/1.0.0", "exactVersion": "1.0.0"})"));
    const UsageAnswer answer = bench.answer();
    CHECK(names(users_of(answer, bench.version("1.0.0"))) == std::vector<std::string>{"direct"});
    CHECK(names(users_of(answer, bench.version("1.0.1"))) == std::vector<std::string>{"public"});
    const VersionUsers unused = users_of(answer, bench.version("1.0.2"));
    REQUIRE(unused.doubts.size() == 1);
    CHECK(unused.doubts.front() == "its gallery is a community gallery, which anybody may use unseen");
}

TEST_CASE("models of scale sets name a version or take latest, and their instances may run another") {
    UsageBench bench;
    bench.put(scale_set("pinned", by_id(bench.definition + "/versions/1.0.2"), 2));
    bench.put(instance("pinned", 0, by_id(bench.definition + "/versions/1.0.2", "1.0.2")));
    bench.put(instance("pinned", 1, by_id(bench.definition + "/versions/1.0.0", "1.0.0")));
    bench.put(scale_set("newest", by_id(bench.definition), 0));
    bench.put(scale_set("flexible", by_id(bench.definition + "/versions/1.0.1"), 5, "Flexible"));
    const UsageAnswer answer = bench.answer();
    const VersionUsers oldest = users_of(answer, bench.version("1.0.0"));
    REQUIRE(oldest.users.size() == 1);
    CHECK(oldest.users.front().kind == UserKind::scale_set_instance);
    CHECK(oldest.doubts.empty());
    CHECK(names(users_of(answer, bench.version("1.0.1"))) == std::vector<std::string>{"flexible"});
    CHECK(users_of(answer, bench.version("1.0.2")).users.size() == 2);
    CHECK(answer.hidden.empty());  // a flexible set's instances are virtual machines
    const auto newest = std::ranges::find(answer.users, true, &ImageUser::takes_latest);
    REQUIRE(newest != answer.users.end());
    CHECK(newest->id.name() == "newest");
    CHECK(newest->region == "eastus2");
}

TEST_CASE("a scale set that shows fewer instances than it has hides the version of the others") {
    UsageBench bench;
    bench.put(scale_set("web", by_id(bench.definition + "/versions/1.0.2"), 3));
    bench.put(instance("web", 0, by_id(bench.definition + "/versions/1.0.2", "1.0.2")));
    const UsageAnswer answer = bench.answer();
    REQUIRE(answer.hidden.size() == 1);
    CHECK(answer.hidden.front().wanted == 3);
    CHECK(answer.hidden.front().seen == 1);
    const VersionUsers found = users_of(answer, bench.version("1.0.0"));
    CHECK(found.users.empty());
    REQUIRE(found.doubts.size() == 1);
    CHECK(found.doubts.front() == "of scale set web 1 of 3 instances can be seen on images of this gallery");
    CHECK(users_of(answer, ResourceId(bench.gallery + "/images/d1/versions/1.0.0")).doubts.empty());
}

TEST_CASE("a scale set that shows no instance may run any version, whatever image its model names by now") {
    const std::string marketplace = R"({"publisher": "Canonical", "offer": "u", "sku": "s", "version": "latest"})";
    UsageBench bench;
    const std::string other_definition = bench.gallery + "/images/d1";
    std::string model = marketplace;
    SUBCASE("an image of the marketplace") {}
    SUBCASE("another definition") { model = by_id(other_definition + "/versions/1.0.0"); }
    bench.put(scale_set("web", model, 2));
    bench.put(scale_set("idle", marketplace, 0));
    bench.put(scale_set("flexible", marketplace, 5, "Flexible"));
    const auto doubts = [&] { return users_of(bench.answer(), bench.version("1.0.0")).doubts; };
    CHECK(doubts() == std::vector<std::string>{"no instance of scale set web can be seen, and they may run an image "
                                               "that the model names no more"});
    bench.put(instance("web", 0, marketplace));
    bench.put(instance("web", 1, marketplace));
    CHECK(doubts().empty());
}

TEST_CASE("a cloud that refuses the question about instances leaves every version of every gallery in doubt") {
    UsageBench bench;
    bench.put(scale_set("web", by_id(bench.gallery + "/images/d1/versions/1.0.0"), 1));
    bench.put(instance("web", 0, by_id(bench.definition + "/versions/1.0.0", "1.0.0")));
    CHECK(names(users_of(bench.answer(), bench.version("1.0.0"))) == std::vector<std::string>{"0"});
    const auto loaded = bench.box.azure.load_faults(
        "- {match: {path: '*ResourceGraph*', count: 3}, do: {delayMs: 0}}\n- {match: {path: '*ResourceGraph*', count: "
        "1}, do: {status: 400, code: BadRequest}}");
    REQUIRE(loaded.has_value());
    const UsageAnswer answer = bench.answer();
    CHECK_FALSE(answer.instances_known);
    for (const char* number : {"1.0.0", "1.0.2"}) {
        const VersionUsers found = users_of(answer, bench.version(number));
        CHECK(found.users.empty());
        CHECK(found.doubts == std::vector<std::string>{"Resource Graph shows no instances of uniform scale sets here, "
                                                       "and those of scale set web may run it"});
    }
}

TEST_CASE("versions made from a version and templates that start from one use it") {
    UsageBench bench;
    bench.put(R"({"id": ")" + bench.gallery + R"(/images/d1/versions/9.0.0", "location": "eastus2", "properties":
        {"storageProfile": {"source": {"id": ")" +
              bench.definition + R"(/versions/1.0.0"}}}})");
    bench.put(template_of("nightly", bench.definition + "/versions/1.0.1"));
    bench.put(template_of("weekly", bench.definition + "/versions/latest"));
    const UsageAnswer answer = bench.answer();
    CHECK(names(users_of(answer, bench.version("1.0.0"))) == std::vector<std::string>{"9.0.0"});
    CHECK(names(users_of(answer, bench.version("1.0.1"))) == std::vector<std::string>{"nightly"});
    const auto weekly = std::ranges::find(answer.users, true, &ImageUser::takes_latest);
    REQUIRE(weekly != answer.users.end());
    CHECK(weekly->kind == UserKind::image_template);
}

TEST_CASE("the whole estate costs five requests, and each further page one more") {
    GraphOptions small;
    small.page_rows = 10;
    UsageBench bench(simulator::GraphBox::without_lag(), small);
    std::string all;
    for (int i = 0; i < 25; ++i)
        all += (i == 0 ? "" : ",") + machine("vm" + std::to_string(i), by_id(bench.definition, "1.0.0"));
    bench.put(R"({"resources": [)" + all + "]}");
    UsageAnswer answer;
    const auto requests = bench.requests_of([&] { answer = bench.answer(); });
    CHECK(requests == 7);  // galleries, subscriptions, three pages of users, instances, scale sets
    CHECK(answer.requests == 7);
    CHECK(answer.users.size() == 25);
    Result<UsageAnswer> nothing = fail(ErrorKind::bug, "NotRun", "");
    CHECK(bench.requests_of([&] { nothing = bench.run(bench.client.users_of({})); }) == 0);
    REQUIRE(nothing.has_value());
    CHECK(nothing->users.empty());
}

TEST_CASE("a page lost, repeated or cut off makes the whole answer an error") {
    for (const std::string fault : {"dropPage: true", "repeatPage: true", "graphTruncate: true"}) {
        CAPTURE(fault);
        GraphOptions small;
        small.page_rows = 10;
        UsageBench bench(simulator::GraphBox::without_lag(), small);
        std::string all;
        for (int i = 0; i < 25; ++i)
            all += (i == 0 ? "" : ",") + machine("vm" + std::to_string(i), by_id(bench.definition, "1.0.0"));
        bench.put(R"({"resources": [)" + all + "]}");
        const auto loaded = bench.box.azure.load_faults(
            "- {match: {path: '*ResourceGraph*', count: 3}, do: {delayMs: 0}}\n- {match: {path: '*ResourceGraph*', "
            "count: 1}, do: {" +
            fault + "}}");
        REQUIRE(loaded.has_value());
        const auto answer = bench.ask();
        REQUIRE_FALSE(answer.has_value());
        CHECK(answer.error().code == "GD3003");
        CHECK(answer.error().kind == ErrorKind::transient);
    }
}

TEST_CASE("what an unreadable subscription holds is not shown, and it is not among the readable ones") {
    UsageBench bench;
    bench.put(machine("hidden", by_id(bench.definition, "1.0.0")));
    bench.box.azure.set_readable(second_subscription, false);
    UsageAnswer answer = bench.answer();
    CHECK(answer.users.empty());
    CHECK(answer.readable == std::vector<std::string>{bench.subscription});
    bench.box.azure.set_readable(second_subscription, true);
    answer = bench.answer();
    CHECK(answer.users.size() == 1);
}

TEST_CASE("a gallery that the index does not show is told of") {
    UsageBench bench;
    bench.box.azure.set_readable(bench.subscription, false);
    const UsageAnswer answer = bench.answer();
    REQUIRE(answer.galleries.size() == 1);
    CHECK_FALSE(answer.galleries.front().found);
    const VersionUsers found = users_of(answer, bench.version("1.0.0"));
    REQUIRE(found.doubts.size() == 1);
    CHECK(found.doubts.front() == "Resource Graph does not show the gallery, so its users cannot be known either");
}

TEST_CASE("a user that is not understood is an error, not nobody") {
    UsageBench bench;
    bench.put(machine("odd", by_id(bench.gallery + "/pictures/d0")));
    const auto answer = bench.ask();
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().code == "GD3005");
    CHECK(answer.error().message.contains("virtualMachines/odd"));
}

TEST_CASE("a version is found by gallery, definition and number in every subscription") {
    UsageBench bench;
    bench.put(
        R"({"id": "/subscriptions/)" + second_subscription +
        R"(/resourceGroups/r/providers/Microsoft.Compute/galleries/G0/images/d0/versions/1.0.0", "location": "eastus2", "properties": {}})");
    const auto both = bench.run(bench.client.find_versions("g0", "d0", "1.0.0"));
    REQUIRE(both.has_value());
    CHECK(both->size() == 2);
    const auto one = bench.run(bench.client.find_versions("g0", "d0", "1.0.1"));
    REQUIRE(one.has_value());
    CHECK(*one == std::vector<ResourceId>{bench.version("1.0.1")});
    const auto none = bench.run(bench.client.find_versions("0", "d0", "1.0.1"));
    REQUIRE(none.has_value());
    CHECK(none->empty());
}

TEST_CASE("the questions are sent word for word as they are written here") {
    boost::asio::io_context io;
    ManualClock clock(io);
    ScriptedTransport transport(clock);
    CountingToken tokens;
    RecordingLog log;
    RecordingMetrics metrics;
    GraphOptions options;
    options.arm.arm = *http::parse_origin("https://management.azure.com");
    ResourceGraph client(transport, tokens, clock, log, metrics, options);
    const std::string gallery =
        "/subscriptions/" + second_subscription + "/resourceGroups/rg/providers/Microsoft.Compute/galleries/golden";
    const auto page = [](const std::string& rows, int count) {
        return R"({"totalRecords":)" + std::to_string(count) + R"(,"count":)" + std::to_string(count) + R"(,"data":[)" +
               rows + R"(],"facets":[],"resultTruncated":"false"})";
    };
    transport.answer(200, page(R"({"id":")" + gallery + R"(","unique":"2-GOLDEN","sharing":null})", 1));
    transport.answer(200, page(R"({"id":"/subscriptions/)" + second_subscription + R"(","subscriptionId":")" +
                                   second_subscription + R"("})",
                               1));
    transport.answer(200, page("", 0));
    transport.answer(200, page("", 0));
    transport.answer(
        200, page(R"({"id":"/subscriptions/)" + second_subscription +
                      R"(/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/web","capacity":null})",
                  1));
    transport.answer(200, page("", 0));
    const auto answer = run_task(io, clock, client.users_of({ResourceId(gallery)}));
    REQUIRE_MESSAGE(answer.has_value(), (answer ? "" : answer.error().message));
    REQUIRE(answer->hidden.size() == 1);  // a capacity that is not told is not none
    CHECK(answer->hidden.front().anywhere);
    REQUIRE(transport.sent.size() == 6);
    for (const auto& sent : transport.sent) {
        CHECK(sent.request.method == "POST");
        CHECK(sent.request.target == "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01");
    }
    CHECK(
        transport.sent[0].request.body ==
        R"({"options":{"$top":1000,"resultFormat":"objectArray"},"query":"resources\n| where id in~ (')" + gallery +
            R"(')\n| project id, unique = tostring(properties.identifier.uniqueName), sharing = properties.sharingProfile\n| order by id asc"})");
    const std::string prefixes = "image startswith '" + gallery +
                                 "/' or image startswith '/SharedGalleries/2-golden/' or image startswith "
                                 "'/CommunityGalleries/2-golden/'";
    const std::string which =
        "| extend image = coalesce(tostring(ref.id), tostring(ref.sharedGalleryImageId), "
        "tostring(ref.communityGalleryImageId), tostring(properties.source.imageVersionId))\\n| where ";
    const std::string subscriptions = R"(","subscriptions":[")" + second_subscription + "\"]}";
    CHECK(
        transport.sent[2].request.body ==
        R"({"options":{"$top":1000,"resultFormat":"objectArray"},"query":"resources\n| where type in~ ('microsoft.compute/virtualmachines','microsoft.compute/virtualmachinescalesets','microsoft.compute/galleries/images/versions','microsoft.virtualmachineimages/imagetemplates')\n| extend ref = coalesce(properties.storageProfile.imageReference, properties.virtualMachineProfile.storageProfile.imageReference, properties.storageProfile.source)\n)" +
            which + prefixes +
            R"(\n| project id, type, location, image, exact = tostring(ref.exactVersion), capacity = sku.capacity, orchestration = tostring(properties.orchestrationMode)\n| order by id asc)" +
            subscriptions);
    CHECK(
        transport.sent[3].request.body ==
        R"({"options":{"$top":1000,"resultFormat":"objectArray"},"query":"computeresources\n| where type =~ 'microsoft.compute/virtualmachinescalesets/virtualmachines'\n| extend ref = properties.storageProfile.imageReference\n)" +
            which + prefixes +
            R"(\n| project id, type, location, image, exact = tostring(ref.exactVersion)\n| order by id asc)" +
            subscriptions);
    CHECK(
        transport.sent[4].request.body ==
        R"({"options":{"$top":1000,"resultFormat":"objectArray"},"query":"resources\n| where type =~ 'microsoft.compute/virtualmachinescalesets' and tostring(properties.orchestrationMode) !~ 'Flexible'\n| project id, capacity = sku.capacity\n| order by id asc)" +
            subscriptions);
    CHECK(
        transport.sent[5].request.body ==
        R"({"options":{"$top":1000,"resultFormat":"objectArray"},"query":"computeresources\n| where type =~ 'microsoft.compute/virtualmachinescalesets/virtualmachines'\n| project id\n| order by id asc)" +
            subscriptions);
}
