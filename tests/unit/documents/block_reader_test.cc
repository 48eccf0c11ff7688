#include "controller/adapters/documents/block_reader.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <random>

#include "tests/unit/documents/samples.h"

using namespace galleryd;
using namespace galleryd::documents;

namespace {

constexpr const char* version_text = R"(# why: the newest one
apiVersion: galleryd.io/v1alpha1
kind: ImageVersion
metadata:
  name: ubuntu-1.0.5
  namespace: images
  labels: {built-by: packer, "x": y}
spec:
  imageDefinition: ubuntu
  version: 1.0.5
  source:
    managedImage: /subscriptions/0/resourceGroups/rg/providers/Microsoft.Compute/images/packer-5

  targetRegions:
    - name: canadacentral
      replicas: 3
    - name: "East US"
      encryption: {osDisk: {diskEncryptionSetId: x}}
  replicas: 1
  endOfLifeDate: 2031-05-21T00:00:00Z
  excludeFromLatest: false
  tags:
    commit: 'c0005'
    note: it's a [list], {or} not, half-way: no
)";

constexpr const char* plain_text = R"(---
apiVersion: galleryd.io/v1alpha1
kind: ImageVersion
# a remark
metadata: {name: ubuntu-1.0.5, namespace: images, labels: {built-by: packer, of: [a, {b: c}]}}
spec:
  version: 1.0.5
  source:
    managedImage: /subscriptions/0/resourceGroups/rg/providers/Microsoft.Compute/images/packer-5

  targetRegions:
  - name: canadacentral
    replicas: 3
    capacity:
        concurrentVMs: 40
  -   name: "East US"
      storageAccountType: 'Standard_LRS'
  allowed: [eastus, westus 2, 5, true]
  plain:
    - a
    - -1.5
    - 0x1F
    - "yes"
  endOfLifeDate: 2031-05-21T00:00:00Z
  tags:
    url: https://example.com/a?b=c
    note: it's a [list], {or} not, a,b;c
    1.5: .5
)";

// What yaml-cpp makes of it must be the same to the last place, wherever the line reader dares to answer.
bool answers(const std::string& text) {
    for (const Piece& piece : cut_documents(text)) {
        const std::optional<ReadTree> read = read_blocks(piece);
        if (!read) return false;
        REQUIRE_FALSE(read->failure);
        const Tree* const tree = &read->tree;
        const ReadTree other = read_any_yaml(piece);
        INFO(text);
        REQUIRE_FALSE(other.empty);
        if (other.failure) FAIL("yaml-cpp refuses it: " << other.failure->problem.message);
        CHECK(tree->value == other.tree.value);
        CHECK(tree->value.dump() == other.tree.value.dump());  // 1 and 1.0 are equal, and not the same
        CHECK(tree->places == other.tree.places);
    }
    return true;
}

class Mutator {
  public:
    explicit Mutator(unsigned seed) : random_(seed) {}

    std::string mutate(std::string text) {
        for (std::size_t i = pick(4); i-- > 0;) text = once(std::move(text));
        return text;
    }

  private:
    std::size_t pick(std::size_t count) { return random_() % count; }

    std::string once(std::string text) {
        static constexpr std::string_view pieces[] = {
            " ",     "  ",      "\n",  "-",   "- ",   ":",      ": ",     " #",
            "#",     "\"",      "'",   "{",   "}",    "[",      "]",      ",",
            "|",     ">",       "&a",  "*a",  "!",    "!!str ", "%",      "@",
            "`",     "?",       "? ",  "~",   "null", "true",   "010",    "1e3",
            ".",     "...",     "---", "\t",  "\r",   "\\",     "<<: ",   "\xc3\xa9",
            "=",     "+",       "0",   ":\n", "\n- ", "\n  ",   "\n    ", "key: value\n",
            "- - x", "x: y: z", "(",   "$",   "^",    ";"};
        if (text.empty()) return text;
        const std::size_t at = pick(text.size());
        switch (pick(5)) {
            case 0: return text.erase(at, 1 + pick(3));
            case 1: return text.insert(at, pieces[pick(std::size(pieces))]);
            case 2: {  // an indentation moves
                const std::size_t line = text.find('\n', at);
                if (line == std::string::npos) return text;
                if (pick(2) == 0) return text.insert(line + 1, std::string(1 + pick(3), ' '));
                return text[std::min(line + 1, text.size() - 1)] == ' ' ? text.erase(line + 1, 1) : text;
            }
            case 3: {  // a line is there twice, or moves
                const std::size_t begin = text.rfind('\n', at) + 1,
                                  end = std::min(text.find('\n', at), text.size() - 1);
                if (begin > end) return text;
                const std::string line = text.substr(begin, end - begin + 1);
                if (pick(2) == 0) text.erase(begin, line.size());
                const std::size_t other = text.find('\n', text.empty() ? 0 : pick(text.size()));
                return other == std::string::npos ? text : text.insert(other + 1, line);
            }
            default: text[at] = pieces[pick(std::size(pieces))].front(); return text;
        }
    }

    std::mt19937 random_;
};

}  // namespace

TEST_CASE("what generators write is read by lines, and as yaml-cpp reads it") {
    CHECK(answers(plain_text));
    CHECK(answers("a: 1\nb:\n  c: 2\n  d:\n  - e\nf: g"));
    CHECK(answers("a: {}\nb: []\nc: { }\nd: [ {}, [ ], {e: {}} ]\nf:\n- {}\n- []\n"));
    CHECK(answers("a:\n- b: 1\n  c:\n  - d\n- e: 2\n"));
    CHECK(answers("a: b\n\n   \n# c\n  # d\n"));
    CHECK(answers(test::version_document("ubuntu-1.0.0", "1.0.0", "  replicas: 2\n")));
    CHECK(answers(test::estate()));
}

TEST_CASE("what lines alone do not tell is left to yaml-cpp") {
    for (const char* text : {"",
                             "# only\n",
                             "a",
                             "- a",
                             "a:",
                             "a:\n",
                             "a: ~",
                             "a: null",
                             "null: a",
                             "a: b # c",
                             "a: &x b",
                             "a: *x",
                             "a: !!str b",
                             "a: |\n  b",
                             "a: >\n  b",
                             "a: b\n  c",
                             "a: b\n c: d",
                             "a: \"b\\n\"",
                             "a: 'it''s'",
                             "a: \"b",
                             "a: {b: {c: d}",
                             "a: {b: \"c\"}",
                             "a: {,}",
                             "a: [,]",
                             "a: {}}",
                             "a: {} b",
                             "a: {b: }",
                             "a: [b,]",
                             "a: [b",
                             "a: b: c",
                             "a: b:",
                             "a:\tb",
                             "a: b\r\n",
                             "a: \xc3\xa9",
                             "? a\n: b",
                             "a:\n-\n  b",
                             "a:\n- - b",
                             "a:\n  b: c\n d: e",
                             "  a: b",
                             "\"a\": b",
                             "a : b",
                             "a: b\na: c",
                             "a: 010",
                             "--- a",
                             "%YAML 1.2\n---\na: b",
                             "a: - b",
                             "a: @b",
                             "a: `b`",
                             "a: %b",
                             "a: [b]]",
                             "a: {b: c}}",
                             "a: {b: c, b: d}",
                             "<<: {a: b}"}) {
        CAPTURE(text);
        CHECK_FALSE(read_blocks({text, 1}));
    }
    CHECK_FALSE(answers(version_text));
}

TEST_CASE("the line reader and yaml-cpp agree on every example and manifest") {
    std::size_t files = 0, answered = 0;
    for (const char* folder : {"crds", "manifests", "tests/plans", "docs"}) {
        const std::string root = std::string(GALLERYD_SOURCE_DIR) + "/" + folder;
        if (!std::filesystem::exists(root)) continue;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
            if (entry.path().extension() != ".yaml") continue;
            const std::string path = std::filesystem::relative(entry.path(), GALLERYD_SOURCE_DIR).string();
            ++files;
            answered += answers(test::file_text(path)) ? 1 : 0;
        }
    }
    CHECK(files > 50);
    CHECK(answered > 10);
}

TEST_CASE("the line reader and yaml-cpp agree on mutations") {
    const char* wanted = std::getenv("BLOCK_READER_MUTATIONS");  // for an hour of looking: a million
    const long count = wanted == nullptr ? 4'000 : std::strtol(wanted, nullptr, 10);
    const char* first = std::getenv("BLOCK_READER_SEED");
    Mutator mutator(first == nullptr ? 1U : static_cast<unsigned>(std::strtoul(first, nullptr, 10)));
    long answered = 0;
    for (long i = 0; i < count; ++i)
        answered += answers(mutator.mutate(i % 2 == 0 ? plain_text : test::estate())) ? 1 : 0;
    CHECK(answered > count / 20);
}
