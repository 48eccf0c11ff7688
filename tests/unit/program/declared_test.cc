#include "controller/program/declared.h"

#include <doctest/doctest.h>

#include "controller/adapters/documents/reader.h"
#include "controller/adapters/journal/journal.h"
#include "reconcilers/lifecycle/interlock.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_journal.h"
#include "tests/support/recording_log.h"
#include "tests/support/recording_metrics.h"

using namespace galleryd;

namespace {

constexpr const char* gallery = R"(apiVersion: galleryd.io/v1alpha1
kind: Gallery
metadata: {name: golden, namespace: images}
spec: {subscriptionId: 00000000-0000-0000-0000-000000000001, resourceGroup: rg, location: canadacentral}
)";

std::string definition(const std::string& name, const std::string& description) {
    return "apiVersion: galleryd.io/v1alpha1\nkind: ImageDefinition\nmetadata: {name: " + name +
           ", namespace: images}\nspec:\n  gallery: golden\n  location: canadacentral\n  description: " + description +
           "\n  osType: Linux\n  osState: Generalized\n  hyperVGeneration: V2\n  architecture: x64\n"
           "  identifier: {publisher: p, offer: o, sku: " +
           name + "}\n";
}

struct Store {
    boost::asio::io_context io;
    ManualClock clock{io, std::chrono::sys_days{std::chrono::year{2026} / 11 / 21}};
    RecordingLog log;
    RecordingMetrics metrics;
    std::unique_ptr<Journal> journal = memory_journal(clock.now());
    EventRecorder events{*journal, clock, log, metrics};
    Declared declared{*journal, clock, events, Declared::Options{}};
    std::map<std::string, std::string> files{
        {"gallery.yaml", gallery}, {"a.yaml", definition("a", "one")}, {"b.yaml", definition("b", "one")}};

    Snapshot snapshot(const std::string& revision) const {
        std::vector<DocumentFile> read;
        for (const auto& [name, text] : files) read.push_back({name, text});
        ReadResult result = read_documents(read, {});
        Snapshot made;
        made.source = "dir:test";
        made.revision = revision;
        made.objects = std::move(result.objects);
        made.documents = std::move(result.documents);
        return made;
    }
    static Snapshot unchanged(const std::string& revision) {
        Snapshot made;
        made.source = "dir:test";
        made.revision = revision;
        made.unchanged = true;
        return made;
    }
};

const ObjectKey key_a{Kind::image_definition, "images", "a"};
const std::set<std::string> nothing;

}  // namespace

TEST_CASE("declared: an edit moves its own scope; an unchanged look moves none and loses nothing") {
    Store store;
    const auto first = store.declared.accept(store.snapshot("r1"));
    REQUIRE(first.has_value());
    CHECK(first->edited == std::set<std::string>{"images/golden", "images/golden/a", "images/golden/b"});
    CHECK(first->health_changed);

    store.files["a.yaml"] = definition("a", "two");
    const auto edited = store.declared.accept(store.snapshot("r2"));
    REQUIRE(edited.has_value());
    CHECK(edited->edited == std::set<std::string>{"images/golden/a"});
    CHECK_FALSE(edited->health_changed);

    const auto again = store.declared.accept(Store::unchanged("r2"));
    REQUIRE(again.has_value());
    CHECK(again->nothing);
    CHECK(again->edited == nothing);
    CHECK_FALSE(again->health_changed);
    CHECK(store.declared.all_objects().definitions.size() == 2);
    CHECK(store.declared.all_objects().definitions.at(key_a).description == "two");
    CHECK(store.declared.sources().front().valid == 3);
}

TEST_CASE("declared: a document that breaks keeps its last good content from the journal, also while nothing changes") {
    Store store;
    REQUIRE(store.declared.accept(store.snapshot("r1")).has_value());
    store.files["a.yaml"] = "kind: [";
    const auto broken = store.declared.accept(store.snapshot("r2"));
    REQUIRE(broken.has_value());
    CHECK(broken->edited.contains("images/golden/a"));
    for (int i = 0; i < 3; ++i) {
        CAPTURE(i);
        REQUIRE(store.declared.all_objects().definitions.contains(key_a));
        CHECK(store.declared.all_objects().definitions.at(key_a).description == "one");
        CHECK(store.declared.sources().front().held_back.contains(key_a));
        CHECK(store.declared.sources().front().source_problems.size() == 1);
        CHECK(store.declared.sources().front().valid == 2);
        const auto again = store.declared.accept(Store::unchanged("r2"));
        REQUIRE(again.has_value());
        CHECK(again->edited == nothing);
    }
}

TEST_CASE("declared: a removal is counted by unchanged looks as by whole ones") {
    Store store;
    store.files["c.yaml"] = definition("c", "one");
    for (const char* name : {"d", "e", "f", "g"}) store.files[std::string(name) + ".yaml"] = definition(name, "one");
    REQUIRE(store.declared.accept(store.snapshot("r1")).has_value());
    store.files.erase("a.yaml");
    REQUIRE(store.declared.accept(store.snapshot("r2")).has_value());
    REQUIRE(store.declared.sources().front().removed.size() == 1);
    CHECK(store.declared.sources().front().removed.front().snapshots_missing == 1);
    store.clock.advance(std::chrono::minutes{16});
    const auto again = store.declared.accept(Store::unchanged("r2"));
    REQUIRE(again.has_value());
    CHECK(store.declared.sources().front().removed.front().snapshots_missing == 2);
    CHECK(again->edited == std::set<std::string>{"images/golden/a"});
}

TEST_CASE("declared: an unchanged look at what was never taken over is refused, and nothing moves") {
    Store store;
    CHECK_FALSE(store.declared.accept(Store::unchanged("r1")).has_value());
    REQUIRE(store.declared.accept(store.snapshot("r1")).has_value());
    const auto other = store.declared.accept(Store::unchanged("r2"));
    REQUIRE_FALSE(other.has_value());
    CHECK(other.error().reason == "SnapshotUnknown");
    CHECK(store.declared.all_objects().definitions.size() == 2);
}

TEST_CASE("declared: while something is missing or broken, an unchanged look still counts") {
    Store store;
    REQUIRE(store.declared.accept(store.snapshot("r1")).has_value());
    SUBCASE("missing") { store.files.erase("b.yaml"); }
    SUBCASE("broken") { store.files["b.yaml"] = definition("b", "[one"); }
    REQUIRE(store.declared.accept(store.snapshot("r2")).has_value());
    for (int i = 0; i < 3; ++i) {
        store.clock.advance(std::chrono::minutes{1});
        const auto look = store.declared.accept(Store::unchanged("r2"));
        REQUIRE(look.has_value());
        CHECK_FALSE(look->nothing);
    }
    store.files["b.yaml"] = definition("b", "one");
    REQUIRE(store.declared.accept(store.snapshot("r3")).has_value());
    const auto look = store.declared.accept(Store::unchanged("r3"));
    REQUIRE(look.has_value());
    CHECK(look->nothing);
    CHECK_FALSE(store.declared.accept(Store::unchanged("r4")).has_value());
}

TEST_CASE("declared: a removal that is proven stays as it is, however often the folder is looked at") {
    Store store;
    for (const char* name : {"c", "d", "e", "f", "g"})
        store.files[std::string(name) + ".yaml"] = definition(name, "one");
    REQUIRE(store.declared.accept(store.snapshot("r1")).has_value());
    store.files.erase("a.yaml");
    REQUIRE(store.declared.accept(store.snapshot("r2")).has_value());
    store.clock.advance(std::chrono::minutes{16});
    REQUIRE(store.declared.accept(Store::unchanged("r2"))->edited.size() == 1);
    for (int i = 0; i < 5; ++i) {
        CAPTURE(i);
        store.clock.advance(std::chrono::minutes{16});
        const auto again = store.declared.accept(Store::unchanged("r2"));
        REQUIRE(again.has_value());
        CHECK(again->edited == nothing);
        CHECK_FALSE(again->health_changed);
        CHECK(store.declared.sources().front().removed.front().snapshots_missing == removed_snapshots_min);
    }
}

TEST_CASE("declared: what two sources claim is told once, and again when it is settled") {
    Store store;
    REQUIRE(store.declared.accept(store.snapshot("r1")).has_value());
    Snapshot other = store.snapshot("x1");
    other.source = "dir:other";
    const auto claimed = store.declared.accept(other);
    REQUIRE(claimed.has_value());
    CHECK(claimed->health_changed);
    CHECK(store.declared.double_claims().size() == 3);
    CHECK(store.declared.sources().front().double_claims.size() == 3);
    for (int i = 0; i < 3; ++i) {
        const auto again = store.declared.accept(Store::unchanged("r1"));
        REQUIRE(again.has_value());
        CHECK_FALSE(again->health_changed);
        CHECK(again->edited == nothing);
        CHECK(store.declared.sources().front().double_claims.size() == 3);
    }
    Snapshot empty;
    empty.source = "dir:other";
    empty.revision = "x2";
    const auto frozen = store.declared.accept(empty);  // emptied at once: its documents stand, so the claims do
    REQUIRE(frozen.has_value());
    CHECK(store.declared.double_claims().size() == 3);
}

TEST_CASE("declared: whoever asks with a scope from before the documents changed spoils no later answer") {
    Store store;
    REQUIRE(store.declared.accept(store.snapshot("r1")).has_value());
    const Scope now = *store.declared.find_scope("images/golden/a");
    Scope before = now;
    before.gallery.reset();
    CHECK(store.declared.objects_of(before)->galleries.empty());
    CHECK(store.declared.objects_of(now)->galleries.size() == 1);
    before = now;
    before.definition_id = definition_id(now.gallery_id, "elsewhere");
    CHECK(store.declared.objects_of(before)->definitions.empty());
    CHECK(store.declared.objects_of(now)->definitions.contains(key_a));
    CHECK(store.declared.objects_of(now) == store.declared.objects_of(now));  // the last one is at hand
}

TEST_CASE("declared: a command observes what stands on its last good content, which may be older than Azure") {
    Store store;
    REQUIRE(store.declared.accept(store.snapshot("r1")).has_value());
    Declared command{*store.journal, store.clock, store.events,
                     Declared::Options{.remember = false, .reconcile_held_back = false}};
    REQUIRE(command.load().has_value());
    const auto mode_of = [&](const char* name) {
        return command.all_objects().definitions.at({Kind::image_definition, "images", name}).governance.mode;
    };
    SUBCASE("the definition itself is broken") {
        store.files["a.yaml"] = "kind: [";
        REQUIRE(command.accept(store.snapshot("r2")).has_value());
        CHECK(command.sources().front().held_back.contains(key_a));
        CHECK(mode_of("a") == Mode::observe);
        CHECK(mode_of("b") == Mode::manage);
        store.files["a.yaml"] = definition("a", "two");
        REQUIRE(command.accept(store.snapshot("r3")).has_value());
        CHECK(mode_of("a") == Mode::manage);
    }
    SUBCASE("its gallery is broken") {
        for (auto& [name, text] : store.files) {
            if (text.find("kind: Gallery") != std::string::npos) text = "kind: [";
        }
        REQUIRE(command.accept(store.snapshot("r2")).has_value());
        CHECK(mode_of("a") == Mode::observe);
        CHECK(mode_of("b") == Mode::observe);
    }
}

namespace {

const ObjectKey gallery_key{Kind::gallery, "images", "golden"},
    policy_key{Kind::lifecycle_policy, "images", "standard"}, version_a{Kind::image_version, "images", "a-1"};

// A gallery that names a policy, and a definition with a version.
void declare_with_policy(Store& store) {
    store.files["gallery.yaml"].replace(store.files["gallery.yaml"].rfind('}'), 1, ", lifecyclePolicy: standard}");
    store.files["policy.yaml"] =
        "apiVersion: galleryd.io/v1alpha1\nkind: LifecyclePolicy\nmetadata: {name: standard, namespace: images}\n"
        "spec:\n  retention: {keepNewest: 1, inUse: Ignore}\n";
    store.files["v.yaml"] =
        "apiVersion: galleryd.io/v1alpha1\nkind: ImageVersion\nmetadata: {name: a-1, namespace: images}\nspec:\n"
        "  imageDefinition: a\n  version: 1.0.0\n  source: {managedImage: "
        "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Compute/images/i}\n"
        "  targetRegions: [{name: canadacentral, replicas: 1}]\n";
    for (const char* more : {"c", "d", "e", "f"}) store.files[std::string(more) + ".yaml"] = definition(more, "one");
    REQUIRE(store.declared.accept(store.snapshot("r1")).has_value());
    REQUIRE(store.declared.sources().front().problems.empty());
    REQUIRE(store.declared.scopes().size() == 7);
}

}  // namespace

TEST_CASE("declared: a policy that goes while a gallery names it stays in force, and so does all that hangs on it") {
    Store store;
    declare_with_policy(store);
    store.files.erase("policy.yaml");
    for (const bool restarted : {false, true}) {
        CAPTURE(restarted);
        Declared again{*store.journal, store.clock, store.events, Declared::Options{}};
        Declared& declared = restarted ? again : store.declared;
        REQUIRE(declared.load().has_value());
        REQUIRE(declared.accept(store.snapshot("r2")).has_value());
        const AcceptedSnapshot& source = declared.sources().front();
        CHECK(declared.scopes().size() == 7);
        CHECK(declared.policies().contains(policy_key));
        CHECK(declared.all_objects().versions.contains(version_a));
        CHECK(source.removed.empty());
        CHECK_FALSE(source.frozen.has_value());
        CHECK(source.problems.size() == 2);
        CHECK(source.problems.at(gallery_key).find("gallery.yaml:4: GD1032 there is no LifecyclePolicy") == 0);
        CHECK(source.problems.at(policy_key) ==
              "policy.yaml: its document is gone, and Gallery/images/golden names it; bring it back, or take its name "
              "out there");
        CHECK(source.notes.at(key_a).find("GD1033") != std::string::npos);
        CHECK(source.notes.at(version_a).find("GD1033") != std::string::npos);
    }
    SUBCASE("once nobody names it, it goes") {
        store.files["gallery.yaml"] = gallery;
        REQUIRE(store.declared.accept(store.snapshot("r3")).has_value());
        CHECK(store.declared.sources().front().problems.empty());
        CHECK(store.declared.sources().front().held_back.empty());
        CHECK(store.declared.policies().empty());
    }
}

TEST_CASE("declared: a syntax error is told of what stands in that file, and not blamed on what hangs on it") {
    Store store;
    declare_with_policy(store);
    store.files["a.yaml"] += "\t: {\n";
    REQUIRE(store.declared.accept(store.snapshot("r2")).has_value());
    const AcceptedSnapshot& source = store.declared.sources().front();
    CHECK(store.declared.scopes().size() == 7);
    REQUIRE(source.problems.size() == 1);
    CHECK(source.problems.at(key_a).find("a.yaml:") == 0);
    CHECK(source.problems.at(key_a).find(" GD10") != std::string::npos);
    CHECK(source.notes.size() == 1);
    CHECK(source.notes.at(version_a).find("GD1032 no document that can be understood is the ImageDefinition \"a\"") !=
          std::string::npos);
    CHECK(store.declared.notes_on({version_a, key_a}) == source.notes);
    const auto events = store.journal->events(0, 100);
    REQUIRE(events.has_value());
    std::set<std::string> told;
    for (const EventRecord& event : *events) told.insert(event.reason + " " + event.object);
    CHECK(told == std::set<std::string>{"ValidationFailed dir:test"});  // once for the file, no brake
    CHECK(store.declared.source_trouble() == "dir:test: 2 documents are not valid (galleryd get sources)");
}

TEST_CASE("declared: what is wrong with a source is one line for the readiness page") {
    Store store;
    REQUIRE(store.declared.accept(store.snapshot("r1")).has_value());
    CHECK(store.declared.source_trouble() == "");
    SUBCASE("missing") {
        Snapshot gone;
        gone.source = "dir:test";
        gone.readable = false;
        gone.unreadable_reason = "GD4001 folder test is not there";
        REQUIRE(store.declared.accept(gone).has_value());
        CHECK(store.declared.source_trouble() ==
              "dir:test cannot be read, its last good content stays in force: GD4001 folder test is not there");
        CHECK(store.declared.notes_on({key_a}).at(key_a) == "dir:test cannot be read: GD4001 folder test is not there");
    }
    SUBCASE("frozen") {
        store.files = {{"gallery.yaml", gallery}};
        REQUIRE(store.declared.accept(store.snapshot("r2")).has_value());
        CHECK(store.declared.source_trouble().find("(GD4010); deletions are frozen") != std::string::npos);
    }
}

TEST_CASE("declared: a policy that is gone and is named stays in force at every look, whole or unchanged") {
    Store store;
    store.files["policy.yaml"] =
        "apiVersion: galleryd.io/v1alpha1\nkind: LifecyclePolicy\nmetadata: {name: standard, namespace: images}\n"
        "spec: {deprecate: {beyondNewest: 2}}\n";
    for (const char* name : {"c", "d", "e", "f"}) {
        store.files[std::string(name) + ".yaml"] = definition(name, "one") + "  lifecyclePolicy: standard\n";
    }
    REQUIRE(store.declared.accept(store.snapshot("r1")).has_value());
    const ObjectKey policy{Kind::lifecycle_policy, "images", "standard"};
    const ObjectKey key_c{Kind::image_definition, "images", "c"};
    REQUIRE(store.declared.all_objects().policies.contains(policy));
    REQUIRE(store.declared.all_objects().definitions.at(key_c).lifecycle_policy == "standard");

    store.files.erase("policy.yaml");  // one of seven: not enough to freeze
    REQUIRE(store.declared.accept(store.snapshot("r2")).has_value());
    for (int i = 0; i < 4; ++i) {
        CAPTURE(i);
        CHECK(store.declared.all_objects().policies.contains(policy));
        CHECK(store.declared.all_objects().definitions.at(key_c).lifecycle_policy == "standard");
        CHECK(store.declared.sources().front().held_back.contains(policy));
        CHECK(store.declared.sources().front().problems.contains(policy));
        store.clock.advance(std::chrono::minutes{16});
        const auto again = store.declared.accept(Store::unchanged("r2"));
        REQUIRE(again.has_value());
        CHECK(again->edited == nothing);
    }
}
