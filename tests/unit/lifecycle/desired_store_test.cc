#include "reconcilers/lifecycle/desired_store.h"

#include <doctest/doctest.h>

using namespace galleryd;

namespace {

// A document's text is its name and digest, which is all that this layer may rely on.
ObjectKey version_key(const std::string& name) { return {Kind::image_version, "images", name}; }

ImageVersion version(const std::string& name, const std::string& digest = "d1") {
    ImageVersion object;
    object.meta.key = version_key(name);
    object.meta.where = {name + ".yaml", 1, 1};
    object.meta.digest = digest;
    object.governance.deletion_policy = DeletionPolicy::remove;
    object.id = ResourceId(
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/a/images/b/versions/" + name);
    object.definition_id = *object.id.parent();
    return object;
}

std::string print(const DesiredObjects& objects, const ObjectKey& key) {
    return key.name + " " + objects.versions.at(key).meta.digest;
}

DesiredObjects parse(const std::vector<GoodDocument>& documents) {
    DesiredObjects objects;
    for (const GoodDocument& document : documents) {
        const std::size_t blank = document.content.find(' ');
        objects.versions.emplace(document.key,
                                 version(document.content.substr(0, blank), document.content.substr(blank + 1)));
    }
    return objects;
}

Snapshot snapshot_of(const std::vector<std::string>& names, const std::string& revision) {
    Snapshot snapshot;
    snapshot.source = "dir:m";
    snapshot.revision = revision;
    for (const std::string& name : names) {
        snapshot.objects.versions.emplace(version_key(name), version(name));
        snapshot.documents.push_back({version_key(name), name + ".yaml", DocumentState::present, {}});
    }
    return snapshot;
}

const std::vector<std::string> ten{"1.0.0", "1.0.1", "1.0.2", "1.0.3", "1.0.4",
                                   "1.0.5", "1.0.6", "1.0.7", "1.0.8", "1.0.9"};

struct Store {
    std::vector<GoodDocument> documents;
    TimePoint now = *parse_rfc3339("2026-11-21T00:00:00Z");
    std::set<std::string> approvals;
    AcceptedSnapshot accept(const Snapshot& snapshot) {
        AcceptedSnapshot accepted = accept_snapshot(snapshot, documents, {now, approvals}, parse, print);
        documents = accepted.documents;
        return accepted;
    }
};

Scope scope_of(const std::vector<std::string>& names) {
    Scope scope;
    for (const std::string& name : names) scope.versions.push_back(version_key(name));
    return scope;
}

}  // namespace

TEST_CASE("a document that is gone counts as removed, with the number of complete looks and the time of the first") {
    Store store;
    store.accept(snapshot_of(ten, "r1"));
    const std::vector<std::string> nine(ten.begin(), ten.end() - 1);
    const AcceptedSnapshot first = store.accept(snapshot_of(nine, "r2"));
    REQUIRE(first.removed.size() == 1);
    CHECK(first.removed.front().key == version_key("1.0.9"));
    CHECK(first.removed.front().snapshots_missing == 1);
    CHECK(first.removed.front().first_missing == store.now);
    CHECK(first.removed.front().deletion_policy == DeletionPolicy::remove);
    store.now += std::chrono::minutes{20};
    const AcceptedSnapshot second = store.accept(snapshot_of(nine, "r2"));
    CHECK(second.removed.front().snapshots_missing == 2);
    CHECK(second.removed.front().first_missing == store.now - std::chrono::minutes{20});
    SUBCASE("when it comes back its removal is forgotten") {
        CHECK(store.accept(snapshot_of(ten, "r3")).removed.empty());
        CHECK(store.accept(snapshot_of(nine, "r4")).removed.front().snapshots_missing == 1);
    }
}

TEST_CASE("two looks within fifteen minutes count once: the second one has to be apart") {
    Store store;
    store.accept(snapshot_of(ten, "r1"));
    const std::vector<std::string> nine(ten.begin(), ten.end() - 1);
    for (const int minute : {0, 1, 14}) {
        CAPTURE(minute);
        CHECK(store.accept(snapshot_of(nine, "r2")).removed.front().snapshots_missing == 1);
        store.now += std::chrono::minutes{minute == 0 ? 1 : minute == 1 ? 13 : 1};
    }
    CHECK(store.accept(snapshot_of(nine, "r2")).removed.front().snapshots_missing == 2);
}

TEST_CASE("an unreadable source keeps everything and removes nothing") {
    Store store;
    store.accept(snapshot_of(ten, "r1"));
    Snapshot gone;
    gone.source = "dir:m";
    gone.readable = false;
    gone.unreadable_reason = "m: no such directory";
    const AcceptedSnapshot accepted = store.accept(gone);
    CHECK(accepted.objects.versions.size() == 10);
    CHECK(accepted.removed.empty());
    CHECK_FALSE(source_health({accepted}, scope_of(ten)).complete);
    CHECK(store.documents.size() == 10);
}

TEST_CASE("an emptied folder and a fifth taken away freeze deletions until that revision is released") {
    Store store;
    store.accept(snapshot_of(ten, "r1"));
    const std::vector<std::string> rest(ten.begin() + 3, ten.end());
    for (const Snapshot& shrunk : {snapshot_of({}, "empty"), snapshot_of(rest, "shrunk")}) {
        CAPTURE(shrunk.revision);
        Store copy = store;
        const AcceptedSnapshot frozen = copy.accept(shrunk);
        CHECK(frozen.frozen.has_value());
        CHECK(frozen.removed.empty());
        CHECK(frozen.objects.versions.size() == 10);
        CHECK(source_health({frozen}, scope_of(ten)).frozen.has_value());
        copy.now += std::chrono::hours{48};
        CHECK(copy.accept(shrunk).frozen.has_value());
        copy.approvals.insert(shrunk.revision);
        const AcceptedSnapshot released = copy.accept(shrunk);
        CHECK_FALSE(released.frozen.has_value());
        CHECK(released.removed.size() == 10 - shrunk.objects.versions.size());
        CHECK(released.removed.front().snapshots_missing == 1);
    }
}

TEST_CASE("a folder that is emptied slowly, less than a fifth at each look, freezes all the same") {
    Store store;
    store.accept(snapshot_of(ten, "r0"));
    std::vector<std::string> left = ten;
    left.pop_back();
    CHECK_FALSE(store.accept(snapshot_of(left, "r1")).frozen.has_value());
    store.now += std::chrono::minutes{1};
    left.pop_back();
    CHECK_FALSE(store.accept(snapshot_of(left, "r2")).frozen.has_value());
    store.now += std::chrono::minutes{1};
    left.pop_back();
    const AcceptedSnapshot frozen = store.accept(snapshot_of(left, "r3"));
    REQUIRE(frozen.frozen.has_value());
    CHECK(frozen.frozen->find("GD4010") != std::string::npos);
    CHECK(frozen.removed.empty());
    CHECK(frozen.objects.versions.size() == 10);
    SUBCASE("what comes back thaws it, and what stays away counts from then on") {
        store.now += std::chrono::hours{2};
        const AcceptedSnapshot thawed = store.accept(snapshot_of({ten.begin(), ten.end() - 2}, "r4"));
        CHECK_FALSE(thawed.frozen.has_value());
        REQUIRE(thawed.removed.size() == 2);
        CHECK(thawed.removed.front().first_missing == store.now);
        CHECK(thawed.removed.front().snapshots_missing == 1);
    }
    SUBCASE("a person who means it releases it") {
        store.approvals.insert("r3");
        CHECK(store.accept(snapshot_of(left, "r3")).removed.size() == 3);
    }
}

TEST_CASE("removals that were proven one by one do not add up to a freeze") {
    Store store;
    store.accept(snapshot_of(ten, "r0"));
    std::vector<std::string> left = ten;
    for (int round = 1; round <= 4; ++round) {
        CAPTURE(round);
        left.pop_back();
        const std::string revision = "r" + std::to_string(round);
        CHECK_FALSE(store.accept(snapshot_of(left, revision)).frozen.has_value());
        store.now += std::chrono::minutes{16};
        CHECK_FALSE(store.accept(snapshot_of(left, revision)).frozen.has_value());
    }
    CHECK(store.accept(snapshot_of(left, "r4")).removed.size() == 4);
}

TEST_CASE("an empty source stops deletions until its revision is released") {
    Store store;
    store.accept(snapshot_of(ten, "r1"));
    CHECK(source_health({store.accept(snapshot_of({}, "none"))}, scope_of(ten)).revision == "none");
    store.approvals.insert("none");
    const SourceHealth released = source_health({store.accept(snapshot_of({}, "none"))}, scope_of(ten));
    CHECK_FALSE(released.empty);
    CHECK_FALSE(released.frozen.has_value());
    CHECK(released.complete);
}

TEST_CASE("an invalid document keeps its last good content; its scope is not complete, others are") {
    Store store;
    store.accept(snapshot_of(ten, "r1"));
    Snapshot broken = snapshot_of({ten.begin() + 1, ten.end()}, "r2");
    Diagnostic problem;
    problem.code = "GD1012";
    problem.message = "replicas 0";
    broken.documents.push_back({version_key("1.0.0"), "1.0.0.yaml", DocumentState::invalid, {problem}});
    const AcceptedSnapshot accepted = store.accept(broken);
    CHECK(accepted.objects.versions.at(version_key("1.0.0")).meta.digest == "d1");
    CHECK(accepted.removed.empty());
    CHECK_FALSE(source_health({accepted}, scope_of({"1.0.0"})).complete);
    CHECK(source_health({accepted}, scope_of({"1.0.1"})).complete);
    const auto kept = std::ranges::find(store.documents, version_key("1.0.0"), &GoodDocument::key);
    REQUIRE(kept != store.documents.end());
    CHECK(kept->content == "1.0.0 d1");
}

TEST_CASE("a file that does not parse could hold anything: nothing at all counts as removed meanwhile") {
    Store store;
    store.accept(snapshot_of(ten, "r1"));
    Snapshot broken = snapshot_of({ten.begin() + 1, ten.end()}, "r2");
    broken.documents.push_back({std::nullopt, "other.yaml", DocumentState::invalid, {}});
    const AcceptedSnapshot accepted = store.accept(broken);
    CHECK(accepted.removed.empty());
    CHECK(accepted.objects.versions.contains(version_key("1.0.0")));
    CHECK_FALSE(source_health({accepted}, scope_of({"1.0.1"})).complete);
}

TEST_CASE("a removal that had begun does not go on while the source is broken or frozen") {
    Store store;
    store.accept(snapshot_of(ten, "r1"));
    const std::vector<std::string> nine(ten.begin(), ten.end() - 1);
    store.accept(snapshot_of(nine, "r2"));
    Snapshot broken = snapshot_of(nine, "r3");
    broken.documents.push_back({std::nullopt, "other.yaml", DocumentState::unreadable, {}});
    const AcceptedSnapshot accepted = store.accept(broken);
    REQUIRE(accepted.removed.size() == 1);
    CHECK(accepted.removed.front().snapshots_missing == 1);
}

TEST_CASE("before any look there is nothing that could be deleted") {
    const SourceHealth health = source_health({}, scope_of({"1.0.0"}));
    CHECK_FALSE(health.complete);
}

TEST_CASE("a document that was removed stays removed while its source cannot be read") {
    Store store;
    store.accept(snapshot_of(ten, "r1"));
    auto nine = ten;
    nine.pop_back();
    store.accept(snapshot_of(nine, "r2"));
    Snapshot gone;
    gone.source = "dir:m";
    gone.readable = false;
    gone.unreadable_reason = "no such directory";
    const AcceptedSnapshot accepted = store.accept(gone);
    CHECK(accepted.objects.versions.size() == 9);
    CHECK_FALSE(accepted.objects.versions.contains(version_key("1.0.9")));
    CHECK(accepted.held_back.size() == 9);
    CHECK(accepted.removed.empty());  // and nothing is deleted meanwhile
    store.now += std::chrono::minutes{15};
    const AcceptedSnapshot back = store.accept(snapshot_of(nine, "r2"));
    REQUIRE(back.removed.size() == 1);
    CHECK(back.removed.front().snapshots_missing == 2);
}

TEST_CASE("a removed document that comes back broken is not removed any more") {
    Store store;
    store.accept(snapshot_of(ten, "r1"));
    const std::vector<std::string> nine(ten.begin(), ten.end() - 1);
    store.accept(snapshot_of(nine, "r2"));
    store.now += std::chrono::minutes{20};
    REQUIRE(store.accept(snapshot_of(nine, "r2")).removed.front().snapshots_missing == 2);  // proven, and then:
    Snapshot broken = snapshot_of(nine, "r3");
    broken.documents.push_back({version_key("1.0.9"), "1.0.9.yaml", DocumentState::invalid, {}});
    const AcceptedSnapshot accepted = store.accept(broken);
    CHECK(accepted.removed.empty());
    CHECK(accepted.held_back.contains(version_key("1.0.9")));
    CHECK(accepted.objects.versions.contains(version_key("1.0.9")));
    CHECK(store.accept(snapshot_of(nine, "r4")).removed.front().snapshots_missing == 1);  // from the beginning
}

TEST_CASE("a file that cannot be read is to be mended, not approved: nothing counts as gone meanwhile") {
    Store store;
    store.accept(snapshot_of(ten, "r1"));
    Snapshot broken = snapshot_of({ten.begin(), ten.begin() + 5}, "r2");  // half of everything stood in that file
    Diagnostic problem;
    problem.code = "GD1002";
    problem.where = {"1.0.7.yaml", 4, 1};
    problem.message = "is no YAML";
    broken.documents.push_back({std::nullopt, "1.0.7.yaml", DocumentState::invalid, {problem}});
    const AcceptedSnapshot accepted = store.accept(broken);
    CHECK_FALSE(accepted.frozen.has_value());
    CHECK(accepted.removed.empty());
    CHECK(accepted.objects.versions.size() == 10);
    CHECK(accepted.source_problems == std::vector<std::string>{"1.0.7.yaml:4: GD1002 is no YAML"});
    CHECK(accepted.problems.size() == 1);
    CHECK(accepted.problems.at(version_key("1.0.7")) == "1.0.7.yaml:4: GD1002 is no YAML");  // its own file
    CHECK(accepted.notes.size() == 4);
    CHECK(accepted.notes.at(version_key("1.0.9")) ==
          "1.0.9.yaml: its document is gone, and may have moved into a file that cannot be read: 1.0.7.yaml:4: GD1002 "
          "is no YAML");
    const SourceHealth health = source_health({accepted}, scope_of({"1.0.0"}));
    CHECK_FALSE(health.complete);
    CHECK_FALSE(health.frozen.has_value());
    CHECK_FALSE(health.empty);
    SUBCASE("once it is mended, what is gone freezes as ever") {
        const AcceptedSnapshot mended = store.accept(snapshot_of({ten.begin(), ten.begin() + 5}, "r3"));
        REQUIRE(mended.frozen.has_value());
        CHECK(mended.frozen->find("GD4010") != std::string::npos);
    }
    SUBCASE("a folder that cannot be listed is such a file, too") {
        Snapshot folder = snapshot_of({ten.begin(), ten.begin() + 5}, "r4");
        folder.documents.push_back({std::nullopt, "./", DocumentState::unreadable, {}});
        const AcceptedSnapshot held = store.accept(folder);
        CHECK_FALSE(held.frozen.has_value());
        CHECK(held.problems.size() == 5);
    }
}

TEST_CASE("a source whose only documents are not valid is not an empty one") {
    Snapshot broken = snapshot_of({}, "r1");
    broken.documents.push_back({version_key("1.0.0"), "1.0.0.yaml", DocumentState::invalid, {}});
    Store store;
    const SourceHealth health = source_health({store.accept(broken)}, scope_of({"1.0.1"}));
    CHECK_FALSE(health.empty);
    CHECK_FALSE(health.complete);
    CHECK(health.revision.empty());  // nothing to approve
}
