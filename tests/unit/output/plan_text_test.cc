#include "controller/program/plan_text.h"

#include <doctest/doctest.h>

#include <sstream>

#include "tests/unit/output/sample_plan.h"

using namespace galleryd;

namespace {

std::string text_of(const std::vector<Plan>& plans, const TextOptions& options = {}) {
    std::ostringstream out;
    print_plan_text(out, plans, sample::header(), options);
    return out.str();
}

std::string last_line(const std::string& text) {
    const std::size_t before = text.rfind('\n', text.size() - 2);
    return text.substr(before + 1, text.size() - before - 2);
}

}  // namespace

TEST_CASE("the plan of the experience document is printed as it stands there") {
    const std::string expected = R"(source  ./manifests (git main@9f3c1ab, clean)      gallery  corp/golden
observed 2026-11-21T04:10:12Z, 2 regions, 2 versions

  + ImageVersion ubuntu-2404/1.8.0            create                  versions.yaml:41
      from      managed image packer-1182
      regions   westeurope x3  northeurope x3  eastus x3  eastus2 x3  southeastasia x2
      latest    held back until all 5 regions are Completed
      ready in  about 55 min
  ~ ImageVersion ubuntu-2404/1.7.2            update in place         versions.yaml:27
      + southeastasia  x2 Standard_ZRS
      ~ eastus         x2 -> x3
      - brazilsouth    x2       ! latest in brazilsouth falls back to 1.6.9
  - ImageVersion ubuntu-2404/1.2.0            delete
      why       past end of life for 41 d (standard/pastEndOfLife)
      undo      Azure can restore it while the gallery's soft delete keeps it
  = ImageVersion ubuntu-2404/1.3.0            blocked: in_use
      would     delete (standard/olderThan)
      by        3 scale sets in 2 subscriptions (7 of 9 subscriptions readable)
      do        move its users to a newer version
  x ImageVersion win-2022/2.1.0               conflict                win.yaml:12
      storageAccountType Standard_LRS -> Standard_ZRS cannot change after creation
      do        publish a new version, or set it back       galleryd explain GD2103

Plan: 1 create, 1 update, 1 delete, 1 blocked, 1 conflict.  Regions +6 -1.
Cost: 412.10 -> 463.55 USD/month (+51.45; list price, upper bound).  Azure writes: about 3.
Next: galleryd plan ./manifests --out p.json && galleryd apply p.json
)";
    CHECK(text_of({sample::ubuntu(), sample::windows()}) == expected);
}

TEST_CASE("nothing to do is said in exactly one sentence and the time of observation") {
    Plan plan;
    plan.scope = "corp/golden";
    plan.observed_at = sample::observed_at;
    CHECK(text_of({plan}) == "No changes. Azure matches the manifests.\nobserved 2026-11-21T04:10:12Z\n");
    plan.notices = {"corp/golden: suspended"};
    CHECK(text_of({plan}) ==
          "No changes. Azure matches the manifests.\nobserved 2026-11-21T04:10:12Z\nnote: corp/golden: suspended\n");
}

TEST_CASE("what is under way or unread is never called no changes, and what is blocked is named below the sentence") {
    Plan plan;
    plan.scope = "corp/golden/ubuntu-2404";
    plan.observed_at = sample::observed_at;
    SUBCASE("a replication") {
        plan.waiting = {"corp/golden/ubuntu-2404/1.8.0"};
        plan.regions[plan.waiting[0]] = {{"eastus", 2, 2, ReplicationState::completed, true, 100, ""},
                                         {"westus", 2, 0, ReplicationState::replicating, true, 62, ""},
                                         {"uksouth", 1, 0, ReplicationState::failed, true, 0, "internal error"}};
        const std::string text = text_of({plan});
        CHECK(text.find("  . ubuntu-2404/1.8.0                         in progress: 1 of 3 regions\n      regions   "
                        "westus 62%  uksouth failed\n") != std::string::npos);
        CHECK(text.find("Plan: 0 create, 0 update, 0 delete, 1 waiting.\n") != std::string::npos);
        CHECK(text.find("No changes") == std::string::npos);
    }
    SUBCASE("a block") {
        plan.blocked = {sample::in_use()};
        const std::string text = text_of({plan});
        CHECK(
            text.starts_with("No changes. Azure matches the manifests.\nobserved 2026-11-21T04:10:12Z\nexcept where a "
                             "person has to decide: 1 blocked, 0 in conflict\n"));
        CHECK(text.find("ImageVersion ubuntu-2404/1.3.0") != std::string::npos);
        CHECK(text.find("blocked: in_use") != std::string::npos);
    }
    SUBCASE("an incomplete look") {
        plan.complete = false;
        const std::string text = text_of({plan});
        CHECK(text.find("No changes") == std::string::npos);
        CHECK(text.find("was not complete") != std::string::npos);
    }
    SUBCASE("a scope that could not be read at all, which has no time of observation") {
        Plan unseen;
        unseen.scope = "corp/golden/win-2022";
        unseen.complete = false;
        const std::string text = text_of({plan, unseen});
        CHECK(text.find("No changes") == std::string::npos);
        CHECK(text.find("observed 2026-11-21T04:10:12Z") != std::string::npos);
    }
}

TEST_CASE("scopes that nobody could look at for one reason are one line") {
    std::vector<Plan> plans{sample::ubuntu()};
    for (int i = 0; i < 12; ++i) {
        Plan unseen;
        unseen.scope = "images/golden/d" + std::to_string(10 + i);
        unseen.complete = false;
        unseen.notices = {std::string(unseen_notice) + (i == 11 ? "not allowed" : "cannot connect")};
        plans.push_back(std::move(unseen));
    }
    const std::string text = text_of(plans);
    CHECK(
        text.contains("  ! images/golden/d10, images/golden/d11, images/golden/d12 and 8 more could not be looked at: "
                      "cannot connect; nothing is planned there\n"));
    CHECK(text.contains("  ! images/golden/d21 could not be looked at: not allowed; nothing is planned there\n"));
    CHECK(text.find("cannot connect") == text.rfind("cannot connect"));
}

TEST_CASE("the summary still names every deletion, and the counts come last") {
    const std::string text =
        text_of({sample::ubuntu(), sample::windows()}, {.colour = false, .wide = false, .summary_only = true});
    CHECK(text.find("  - ImageVersion ubuntu-2404/1.2.0            delete\n") != std::string::npos);
    CHECK(text.find("  = ImageVersion ubuntu-2404/1.3.0            blocked: in_use\n") != std::string::npos);
    CHECK(text.find("1.8.0") == std::string::npos);
    CHECK(text.find("Plan: 1 create, 1 update, 1 delete, 1 blocked, 1 conflict.") != std::string::npos);
    CHECK(last_line(text).starts_with("Next: "));
}

TEST_CASE("colour only repeats the glyph and ends on the same line") {
    const std::string plain = text_of({sample::ubuntu(), sample::windows()});
    std::string coloured =
        text_of({sample::ubuntu(), sample::windows()}, {.colour = true, .wide = false, .summary_only = false});
    CHECK(coloured.find("\x1b[31m  - ImageVersion ubuntu-2404/1.2.0            delete\x1b[0m\n") != std::string::npos);
    CHECK(coloured.find("\x1b[32m  + ImageVersion") != std::string::npos);
    CHECK(coloured.find("\x1b[2m  = ImageVersion") != std::string::npos);
    for (const char* code : {"\x1b[0m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m"}) {
        for (std::size_t at = coloured.find(code); at != std::string::npos; at = coloured.find(code))
            coloured.erase(at, std::string(code).size());
    }
    CHECK(coloured == plain);
}

TEST_CASE("names are never cut, long values are, and control characters never reach the terminal") {
    Plan plan = sample::windows();
    plan.conflicts.clear();
    Change change = sample::update();
    change.address = "corp/golden/" + std::string(90, 'n');
    change.fields = {{.path = "/description",
                      .op = FieldOp::replace,
                      .before = std::string(200, 'a'),
                      .after = "evil\x1b[2J\nfake line\xc2\x9b",
                      .effect = "",
                      .detail = "",
                      .cause = "spec"}};
    plan.changes = {change};
    const std::string text = text_of({plan});
    CHECK(text.find(std::string(90, 'n')) != std::string::npos);
    CHECK(text.find(std::string(81, 'a')) == std::string::npos);
    CHECK(text.find(std::string(80, 'a') + "…") != std::string::npos);
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find("\nfake") == std::string::npos);
    CHECK(text.find("\xc2\x9b") == std::string::npos);
    CHECK(text_of({plan}, {.colour = false, .wide = true, .summary_only = false}).find(std::string(200, 'a')) !=
          std::string::npos);
}

TEST_CASE("a cut never leaves half a character") {
    CHECK(printable("aé", 2) == "a…");
    CHECK(printable("aé", 3) == "aé");
    CHECK(printable("", 5) == "");
}

TEST_CASE("several galleries keep their names in front") {
    Plan other = sample::windows();
    other.scope = "corp/silver/win-2022";
    other.conflicts[0].address = "corp/silver/win-2022/2.1.0";
    const std::string text = text_of({sample::ubuntu(), other});
    CHECK(text.find("      galleries  2\n") != std::string::npos);
    CHECK(text.find("x ImageVersion corp/silver/win-2022/2.1.0") != std::string::npos);
    CHECK(text.find("+ ImageVersion corp/golden/ubuntu-2404/1.8.0") != std::string::npos);
}

TEST_CASE("deletions that wait for a person name the digest to approve") {
    Plan plan = sample::windows();
    plan.conflicts.clear();
    plan.blocked = {sample::in_use()};
    plan.blocked[0].reasons = {{.interlock_point = 10,
                                .reason = "approval_required",
                                .condition = "ApprovalRequired",
                                .message = "m",
                                .way_out = "w"}};
    plan.deletions_digest = "sha256:dddd";
    CHECK(last_line(text_of({plan})) == "Next: galleryd approve sha256:dddd");
    plan.blocked[0].reasons.push_back(
        {.interlock_point = 7, .reason = "in_use", .condition = "InUse", .message = "m", .way_out = "w"});
    CHECK(text_of({plan}).find("galleryd approve") == std::string::npos);  // approving would not let it go
}

TEST_CASE("the verdict table has one line a version with its rule") {
    std::ostringstream out;
    print_versions_text(out, {sample::ubuntu()}, {});
    CHECK(out.str() == R"(corp/golden/ubuntu-2404
  VERSION  RANK  TIER     STATE    VERDICT  RULE                    WHY
  1.7.2    1     -        Active   keep     standard/keepNewest     among the newest 5
  1.2.0    9     archive  Retired  delete   standard/pastEndOfLife  past end of life for 41 d
)");
}

namespace {

// An empty Azure: the gallery is created now, the rest once it is there.
std::vector<Plan> from_nothing() {
    Plan gallery;
    gallery.scope = "corp/golden";
    gallery.observed_at = sample::observed_at;
    Change creation;
    creation.address = gallery.scope;
    creation.kind = "Gallery";
    creation.action = Action::create;
    creation.step = CreateGallery{};
    gallery.changes = {creation};
    Plan images;
    images.scope = "corp/golden/ubuntu-2404";
    images.observed_at = sample::observed_at;
    images.waiting = {images.scope, images.scope + "/1.8.0", images.scope + "/1.7.0"};
    images.later = {
        {images.scope, "ImageDefinition", {"ubuntu.yaml", 3, 1}, "its gallery"},
        {images.scope + "/1.8.0", "ImageVersion", {"versions.yaml", 41, 1}, "its gallery and its definition"}};
    images.notices = {images.scope + "/1.8.0: it waits for its gallery", "another thing"};
    images.regions[images.scope + "/1.8.0"] = {{"eastus", 2, 0, ReplicationState::unknown, false, 0, ""},
                                               {"westus", 1, 0, ReplicationState::unknown, false, 0, ""}};
    images.regions[images.scope + "/1.7.0"] = {{"eastus", 2, 0, ReplicationState::replicating, true, 40, ""}};
    return {gallery, images};
}

}  // namespace

TEST_CASE("what is created once its parents are there is shown and counted as created, not as waiting") {
    CHECK(text_of(from_nothing()) == R"(source  ./manifests (git main@9f3c1ab, clean)      gallery  corp/golden
observed 2026-11-21T04:10:12Z, 2 regions, 0 versions

  + Gallery corp/golden                       create
  + ImageDefinition ubuntu-2404               create later            ubuntu.yaml:3
      after     its gallery
  + ImageVersion ubuntu-2404/1.8.0            create later            versions.yaml:41
      after     its gallery and its definition
      regions   eastus x2  westus x1
  . ubuntu-2404/1.7.0                         in progress: 0 of 1 region
      regions   eastus 40%

note: another thing
Plan: 3 create (2 of them after their parents), 0 update, 0 delete, 1 waiting.
Azure writes: about 3.
Next: galleryd plan ./manifests --out p.json && galleryd apply p.json
)");
}
