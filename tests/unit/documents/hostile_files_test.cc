#include <doctest/doctest.h>

#include <algorithm>

#include "controller/adapters/documents/places.h"
#include "controller/adapters/documents/reader.h"
#include "controller/core/utf8.h"

// Files that nobody who means well writes; each was found by the fuzz targets (tests/fuzz) or by what they look for.

using namespace galleryd;

namespace {

ReadResult read(std::string content, std::string name = "a.yaml") {
    return read_documents({{.file = std::move(name), .content = std::move(content)}}, {});
}

std::string gallery(const std::string& name) {
    return "apiVersion: galleryd.io/v1alpha1\nkind: Gallery\nmetadata: {name: " + name + ", namespace: images}\n";
}

}  // namespace

TEST_CASE("a file of refused documents is given up after a hundred, and the last word stands for all that follows") {
    std::string file;
    for (int i = 0; i < 5'000; ++i) file += "---\na\n";
    const ReadResult result = read(file);
    REQUIRE(result.documents.size() == 101);
    const DocumentRecord& last = result.documents.back();
    CHECK(last.state == DocumentState::invalid);
    CHECK_FALSE(last.key.has_value());  // whatever was declared here may still be declared
    REQUIRE(last.problems.size() == 1);
    CHECK(last.problems[0].code == "GD1006");
    CHECK(last.problems[0].where.line == 201);
}

TEST_CASE("a hundred refused documents at the end of a file leave nothing unread") {
    std::string file;
    for (int i = 0; i < 100; ++i) file += "---\na\n";
    const ReadResult result = read(file);
    REQUIRE(result.documents.size() == 100);
    CHECK(result.documents.back().problems.at(0).code == "GD1009");
}

TEST_CASE("a file that declares one object again and again is given up after a hundred, and nothing of it is used") {
    std::string file;
    for (int i = 0; i < 10'000; ++i)
        file += "---\napiVersion: galleryd.io/v1alpha1\nkind: LifecyclePolicy\nmetadata: {name: p}\nspec: {}\n";
    const ReadResult result = read(file);
    REQUIRE(result.documents.size() == 102);
    CHECK(result.objects.policies.empty());
    for (const DocumentRecord& document : result.documents) CHECK(document.state == DocumentState::invalid);
    CHECK(result.documents[0].problems.at(0).code == "GD1030");
    CHECK(result.documents[100].problems.at(0).code == "GD1030");
    const DocumentRecord& last = result.documents.back();
    CHECK_FALSE(last.key.has_value());
    CHECK(last.problems.at(0).code == "GD1006");
    CHECK(last.problems.at(0).where.line == 506);
}

TEST_CASE("a given-up file that ends with something that is not ours is told like any other") {
    std::string file;
    for (int i = 0; i < 101; ++i)
        file += "---\napiVersion: galleryd.io/v1alpha1\nkind: LifecyclePolicy\nmetadata: {name: p}\nspec: {}\n";
    file += "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n";
    const ReadResult result = read(file);
    REQUIRE(result.documents.size() == 102);
    CHECK(result.objects.policies.empty());
    CHECK(result.documents[100].problems.at(0).code == "GD1030");
    CHECK(result.documents[100].problems.at(0).where.line == 504);
    CHECK(result.documents.back().problems.at(0).code == "GD1006");
}

TEST_CASE("ten thousand documents that nothing is wrong with are all read") {
    std::string file;
    for (int i = 0; i < 10'000; ++i)
        file += "---\napiVersion: galleryd.io/v1alpha1\nkind: LifecyclePolicy\nmetadata: {name: p" + std::to_string(i) +
                "}\nspec: {}\n";
    const ReadResult result = read(file);
    CHECK(result.documents.size() == 10'000);
    CHECK(result.objects.policies.size() == 10'000);
}

TEST_CASE("a document of too many lines is told by the line that is one too many") {
    std::string file;
    for (int i = 0; i < 60'000; ++i) file += "k" + std::to_string(i) + ": 1\n";
    const ReadResult result = read(file);
    REQUIRE(result.documents.size() == 1);
    CHECK(result.documents[0].problems.at(0).code == "GD1006");
    CHECK(result.documents[0].problems.at(0).where.line == 50'000);
}

TEST_CASE("a List of refused items is given up after a hundred") {
    std::string file = "apiVersion: v1\nkind: List\nitems:\n";
    for (int i = 0; i < 40'000; ++i) file += "- a\n";
    const ReadResult result = read(file);
    REQUIRE(result.documents.size() == 101);
    CHECK(result.documents.back().problems.at(0).code == "GD1006");
    CHECK(result.documents.back().problems.at(0).where.line == 104);
}

TEST_CASE("problems of a List's items are placed in the item that has them") {
    const ReadResult result = read(
        "apiVersion: v1\nkind: List\nitems:\n- {kind: List}\n- apiVersion: galleryd.io/v1alpha1\n  kind: Gallery\n"
        "  metadata: {name: a}\n  spec:\n    location: eastus\n    wrong: 1\n- b\n");
    REQUIRE(result.documents.size() == 2);
    const auto wrong = std::ranges::find(result.documents[0].problems, std::string("GD1010"), &Diagnostic::code);
    REQUIRE(wrong != result.documents[0].problems.end());
    CHECK(wrong->where.line == 10);
    CHECK(result.documents[1].problems.at(0).where.line == 11);
}

TEST_CASE("places of a list's items are those that each would have alone") {
    using namespace galleryd::documents;
    Places places;
    const auto root = places.add(Places::root, "", {1, 1}, {1, 1});
    const auto list = places.add(root, "items", {2, 1}, {1, 1});
    const auto first = places.add(list, "0", {2, 3}, {2, 3});
    places.add(first, "a", {2, 6}, {2, 3});
    places.add(list, "1", {3, 3}, {3, 3});
    places.add(root, "after", {4, 1}, {4, 1});
    const auto items = places.items_below("/items");
    REQUIRE(items.size() == 2);
    CHECK(items[0] == places.below("/items/0"));
    CHECK(items[1] == places.below("/items/1"));
    CHECK(items[0].value_at("/a") == Place{2, 6});
}

TEST_CASE("a field of a mebibyte that is given twice is not repeated in the message") {
    const std::string field(300'000, 'a');
    const ReadResult result = read("? " + field + "\n: 1\n? " + field + "\n: 2\n");
    REQUIRE(result.documents.size() == 1);
    CHECK(result.documents[0].problems.at(0).message.size() < 300);
    const std::string json = "{\"" + field + "\": 1, \"" + field + "\": 2}";
    CHECK(read(json, "a.json").documents.at(0).problems.at(0).message.size() < 300);
}

TEST_CASE("an annotation that is a large map is not repeated in the message") {
    std::string large;
    for (int i = 0; i < 1'000; ++i)
        large += (i == 0 ? "" : ", ") + ("k" + std::to_string(i)) + ": " + std::to_string(i);
    const ReadResult result = read(
        "apiVersion: galleryd.io/v1alpha1\nkind: Gallery\nmetadata:\n  name: a\n  annotations: "
        "{galleryd.io/hold: {" +
        large + "}}\nspec: {}\n");
    REQUIRE(result.documents.size() == 1);
    for (const Diagnostic& problem : result.documents[0].problems) {
        CHECK(problem.message.size() < 400);
        CHECK(problem.remedy.size() < 400);
    }
}

TEST_CASE("a map of thousands of tags is refused for its size, not tag by tag") {
    std::string file = gallery("a") + "spec:\n  tags:\n";
    for (int i = 0; i < 20'000; ++i) file += "    t" + std::to_string(i) + ": 1\n";
    const ReadResult result = read(file);
    REQUIRE(result.documents.size() == 1);
    CHECK(std::ranges::count(result.documents[0].problems, std::string("GD1017"), &Diagnostic::code) == 1);
    CHECK(result.documents[0].problems.size() < 10);
}

TEST_CASE("what yaml-cpp quotes of a wrong escape is whole text, also when the escape is half a character") {
    for (const char* file : {"\"a\\", "\"\\\xc3\xa9\"\n", "a: \"\\\xe2\x82\xac\"\n"}) {
        CAPTURE(file);
        const ReadResult result = read(file);
        REQUIRE(result.documents.size() == 1);
        const std::string& message = result.documents[0].problems.at(0).message;
        CHECK(message.starts_with("this is not YAML: "));
        CHECK(printable(message, 1'000) == message);
    }
}

TEST_CASE("a text of several lines is quoted on one") {
    const ReadResult result = read(gallery("a") + "spec:\n  resourceGroup: |-\n    rg\n    of two lines\n");
    REQUIRE(result.documents.size() == 1);
    const auto wrong = std::ranges::find(result.documents[0].problems, std::string("GD1015"), &Diagnostic::code);
    REQUIRE(wrong != result.documents[0].problems.end());
    CHECK(wrong->message.starts_with("\"rg of two lines\" does not have the form"));
}
