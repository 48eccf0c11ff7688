#include <doctest/doctest.h>

#include <filesystem>
#include <set>

#include "controller/adapters/documents/render.h"
#include "controller/core/error_catalogue.h"
#include "tests/unit/documents/samples.h"

// crds/examples: one file per rule. The invalid ones say in their first lines exactly what must be reported, no more
// and no less.
using namespace galleryd;
using namespace galleryd::test;

namespace {

std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> names;
    for (const auto& entry :
         std::filesystem::directory_iterator(std::string(GALLERYD_SOURCE_DIR) + "/crds/examples/" + folder)) {
        names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
}

// "# expect: GD1012 /spec/replicas" lines at the top -> "GD1012 /spec/replicas\n…"
std::string expectation(const std::string& text) {
    static constexpr std::string_view word = "# expect: ";
    std::string expected;
    std::string_view rest = text;
    while (rest.starts_with(word)) {
        const std::size_t end = rest.find('\n');
        expected += std::string(rest.substr(word.size(), end - word.size())) + "\n";
        rest.remove_prefix(end + 1);
    }
    return expected;
}

}  // namespace

TEST_CASE("every valid example is accepted without an error") {
    const auto names = names_in("valid");
    REQUIRE(names.size() >= 15);
    for (const std::string& name : names) {
        const ReadResult result = read({{name, example("valid/" + name)}});
        CAPTURE(name);
        CHECK_FALSE(result.documents.empty());
        for (const DocumentRecord& document : result.documents) {
            CHECK(document.state == DocumentState::present);
            if (name != "unknown_region.yaml") CHECK(shown(document.problems) == "");
        }
    }
}

TEST_CASE("every valid example reads the same after a round trip through its canonical text") {
    for (const std::string& name : names_in("valid")) {
        const ReadResult first = read({{name, example("valid/" + name)}});
        std::vector<DocumentFile> texts;
        for (const DocumentRecord& record : first.documents)
            texts.push_back({"journal", to_json_text(first.objects, *record.key)});
        const ReadResult second = read(texts);
        CAPTURE(name);
        REQUIRE(second.documents.size() == texts.size());
        for (std::size_t i = 0; i < texts.size(); ++i)
            CHECK(to_json_text(second.objects, *first.documents[i].key) == texts[i].content);
    }
}

TEST_CASE("every valid example reads the same after rendering, with and without defaults") {
    for (const std::string& name : names_in("valid")) {
        const ReadResult first = read({{name, example("valid/" + name)}});
        for (const RenderStyle style : {RenderStyle::complete, RenderStyle::without_defaults}) {
            const std::string text = render_all(first.objects, style);
            const ReadResult second = read_text(text);
            CAPTURE(name);
            CAPTURE(text);
            for (const DocumentRecord& record : first.documents)
                CHECK(to_json_text(second.objects, *record.key) == to_json_text(first.objects, *record.key));
        }
    }
}

TEST_CASE("what is rendered without defaults is what a person would write") {
    const ReadResult result = read_text(example("valid/arm_ids.yaml"));
    CHECK(render_object(result.objects, {Kind::image_version, "images", "ubuntu-1.0.0"},
                        RenderStyle::without_defaults) == R"(apiVersion: galleryd.io/v1alpha1
kind: ImageVersion
metadata:
  name: ubuntu-1.0.0
  namespace: images
spec:
  armId: /subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Compute/galleries/golden/images/ubuntu
  version: 1.0.0
  location: canadacentral
  source:
    managedImage: /subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Compute/images/built
)");
}

TEST_CASE("every invalid example is refused for exactly the reason it names") {
    const auto names = names_in("invalid");
    REQUIRE(names.size() >= 60);
    for (const std::string& name : names) {
        const std::string text = example("invalid/" + name);
        const std::string expected = expectation(text);
        const ReadResult result = read({{name, text}});
        CAPTURE(name);
        CAPTURE(shown(result));
        REQUIRE_FALSE(expected.empty());
        CHECK(codes(result) == expected);
        for (const DocumentRecord& document : result.documents) {
            CHECK((document.state == DocumentState::invalid) == !document.problems.empty());
            for (const Diagnostic& problem : document.problems) {
                CHECK(problem.where.file == name);
                CHECK(problem.where.line > 1);  // the first line is the comment
                CHECK(problem.where.column >= 1);
                CHECK(problem.message.size() > 10);
                CHECK(find_error(problem.code) != nullptr);
                if (problem.code != "GD1020") CHECK(problem.remedy.size() > 5);  // a rule's message carries its remedy
            }
        }
    }
}
