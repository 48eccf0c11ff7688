#include "tests/fuzz/hostile_shapes.h"

#include <functional>
#include <string_view>

namespace galleryd::fuzz {
namespace {

constexpr std::string_view version_id =
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/a/images/b/versions/1.0.0";

class Shapes {
  public:
    explicit Shapes(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    // head, then as many pieces as fit, then tail
    void add(std::string name, std::string head, const std::function<std::string(std::size_t)>& piece,
             std::string_view tail = "") {
        std::string text = std::move(head);
        for (std::size_t i = 0;; ++i) {
            const std::string next = piece(i);
            if (text.size() + next.size() + tail.size() > bytes_max_) break;
            text += next;
        }
        shapes_.push_back({std::move(name), text.append(tail)});
    }
    void repeat(std::string name, const std::string& piece, const std::string& head = "", std::string_view tail = "") {
        add(
            std::move(name), head, [&](std::size_t) { return piece; }, tail);
    }
    void one(std::string name, std::string text) { shapes_.push_back({std::move(name), std::move(text)}); }
    std::vector<Shape> take() { return std::move(shapes_); }

  private:
    std::size_t bytes_max_;
    std::vector<Shape> shapes_;
};

std::string manifest(const std::string& kind, const std::string& spec) {
    return "apiVersion: galleryd.io/v1alpha1\nkind: " + kind + "\nmetadata: {name: a, namespace: b}\nspec:\n" + spec;
}

void add_texts(Shapes& shapes) {
    for (const char* piece :
         {"[",       "{",    "(",   "- ",     "? ", "a: ",      "\"",  "'",   "a",    "\n",     " ",   ",",
          "#",       "&a ",  "*a ", "!a ",    "0",  "-",        "|\n", ">\n", "%",    "---\n",  "a\n", "\\",
          "<<: a\n", "eyJ-", "e-",  "sig=a ", "x.", "\xc3\xa9", "/a",  "a/",  "not ", "1.0.0\n"})
        shapes.repeat("only " + std::string(piece), piece);
    shapes.repeat("a query of conditions", " and a == 1", "resources | where a == 1");
    shapes.repeat("a query of stages", " | where a == 1", "resources");
    shapes.repeat("a query of words", "'a',", "resources | where a in (", "'b')");
    shapes.repeat("secrets", "client_secret=");
    shapes.repeat("tokens that are none", "eyJ~");
}

void add_yaml(Shapes& shapes) {
    shapes.repeat("documents of a word", "---\na\n");
    shapes.repeat("documents of a list", "---\n- a\n");
    shapes.repeat("documents of a map", "---\na: b\n");
    shapes.repeat("documents without a name", "---\napiVersion: galleryd.io/v1alpha1\nkind: Gallery\n");
    shapes.repeat("quotes that do not close", "a: \"b\n");
    shapes.repeat("deeper and deeper", "a:\n ", "");
    shapes.repeat("one long plain text", "word ", "a: ");
    shapes.repeat("one long quoted text", "word ", "a: \"", "\"");
    shapes.repeat("one long folded text", "  word\n", "a: >\n");
    shapes.repeat("one long key", "a", "", ": b");
    shapes.add("keys", "", [](std::size_t i) { return "k" + std::to_string(i) + ": 1\n"; });
    shapes.repeat("a list of words", "- a\n");
    shapes.repeat("a list of maps", "- a: b\n");
    shapes.add("indentation that grows", "", [](std::size_t i) { return std::string(i, ' ') + "a:\n"; });
}

void add_manifests(Shapes& shapes) {
    shapes.repeat("a List of words", "- a\n", "apiVersion: v1\nkind: List\nitems:\n");
    shapes.repeat("a List of Lists", "- {kind: List}\n", "apiVersion: v1\nkind: List\nitems:\n");
    shapes.repeat("a List of halves", "- {apiVersion: galleryd.io/v1alpha1}\n", "apiVersion: v1\nkind: List\nitems:\n");
    shapes.add("unknown fields", manifest("Gallery", ""),
               [](std::size_t i) { return "  field" + std::to_string(i) + ": 1\n"; });
    shapes.add("numbers for tags", manifest("Gallery", "  tags:\n"),
               [](std::size_t i) { return "    t" + std::to_string(i) + ": 1\n"; });
    shapes.add("tags", manifest("Gallery", "  tags:\n"),
               [](std::size_t i) { return "    t" + std::to_string(i) + ": x\n"; });
    shapes.add("regions", manifest("ImageVersion", "  targetRegions:\n"),
               [](std::size_t i) { return "    - {name: region" + std::to_string(i) + "}\n"; });
    shapes.repeat("one region again and again", "    - {name: eastus}\n",
                  manifest("ImageVersion", "  targetRegions:\n"));
    shapes.repeat("regions without a name", "    - {}\n", manifest("ImageVersion", "  targetRegions:\n"));
    shapes.repeat("a long description", "word ", manifest("Gallery", "  description: "));
    shapes.repeat("a long name", "a", manifest("Gallery", "  azureName: "));
    shapes.add("wrong annotations",
               "apiVersion: galleryd.io/v1alpha1\nkind: Gallery\nmetadata:\n  name: a\n  annotations:\n",
               [](std::size_t i) { return "    galleryd.io/x" + std::to_string(i) + ": 1\n"; });
    shapes.add("labels", "apiVersion: galleryd.io/v1alpha1\nkind: Gallery\nmetadata:\n  name: a\n  labels:\n",
               [](std::size_t i) { return "    l" + std::to_string(i) + ": 1\n"; });
    shapes.add("versions that name no definition", "", [](std::size_t i) {
        return "---\napiVersion: galleryd.io/v1alpha1\nkind: ImageVersion\nmetadata: {name: v" + std::to_string(i) +
               "}\nspec: {imageDefinition: x, version: 1.0." + std::to_string(i) + ", source: {managedImage: a}}\n";
    });
    shapes.add("versions of a definition that is nowhere", "", [](std::size_t i) {
        return "---\napiVersion: galleryd.io/v1alpha1\nkind: ImageVersion\nmetadata: {name: v" + std::to_string(i) +
               "}\nspec: {imageDefinition: x, version: 1.0." + std::to_string(i) +
               ", source: {managedImage: "
               "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/r/providers/"
               "Microsoft.Compute/images/a}}\n";
    });
    shapes.add("policies, each of them right", "", [](std::size_t i) {
        return "---\napiVersion: galleryd.io/v1alpha1\nkind: LifecyclePolicy\nmetadata: {name: p" + std::to_string(i) +
               "}\nspec: {}\n";
    });
    shapes.repeat("one policy again and again",
                  "---\napiVersion: galleryd.io/v1alpha1\nkind: LifecyclePolicy\nmetadata: {name: p}\nspec: {}\n");
}

void add_json(Shapes& shapes) {
    const std::string version = "{\"id\":\"" + std::string(version_id) + "\",\"location\":\"eastus\",\"properties\":{";
    shapes.repeat("a page of numbers", "0,", R"({"value":[)", "0]}");
    shapes.repeat("a page of empty objects", "{},", R"({"value":[)", "{}]}");
    shapes.repeat("a page of versions", version + "}},", R"({"value":[)", version + "}}]}");
    shapes.add(
        "members", "{", [](std::size_t i) { return "\"k" + std::to_string(i) + "\":1,"; }, "\"k\":1}");
    shapes.repeat("arrays in arrays", "[", "", "");
    shapes.repeat("maps in maps", "{\"a\":");
    shapes.repeat("backslashes", "\\\\", "{\"a\":\"", "\"}");
    shapes.repeat("escapes", "\\u00e9", "{\"a\":\"", "\"}");
    shapes.repeat("one long number", "1", "{\"a\":", "}");
    shapes.repeat("target regions", R"({"name":"East US"},)", version + R"("publishingProfile":{"targetRegions":[)",
                  R"({"name":"x"}]}}})");
    shapes.add(
        "replication of regions", version + R"("replicationStatus":{"summary":[)",
        [](std::size_t i) { return "{\"region\":\"r" + std::to_string(i) + "\",\"state\":\"Completed\"},"; },
        R"({"region":"x"}]}}})");
    shapes.repeat("data disks", R"({"lun":1},)", version + R"("storageProfile":{"dataDiskImages":[)",
                  R"({"lun":2}]}}})");
    shapes.add(
        "tags of a version", "{\"id\":\"" + std::string(version_id) + "\",\"tags\":{",
        [](std::size_t i) { return "\"t" + std::to_string(i) + "\":null,"; }, "\"t\":\"x\"}}");
    shapes.repeat("details of an error", R"({"code":"C","message":"m"},)", R"({"error":{"code":"A","details":[)",
                  R"({"code":"C"}]}})");
    const std::string run(400'000, 'a');
    shapes.one("an error that repeats itself", R"({"error":{"code":"A","message":")" + run + run.substr(0, 100'000) +
                                                   R"(","details":[{"message":")" + run + R"(b"}]}})");
    shapes.repeat("rows", R"({"id":"a"},)", R"({"totalRecords":1,"data":[)", R"({"id":"b"}]})");
    shapes.repeat("quotes in rows", R"("a",)", R"({"totalRecords":1,"data":[)", R"("b"]})");
    shapes.repeat("scopes of a plan", "[", R"({"kind":"Plan","saved":{},"format_version":)");
    shapes.add(
        "failures of regions", R"({"writtenByUs":true,"regionRetries":{)",
        [](std::size_t i) { return "\"r" + std::to_string(i) + "\":1,"; }, R"("r":1}})");
}

}  // namespace

std::vector<Shape> hostile_shapes(ShapeKind kind, std::size_t bytes_max) {
    Shapes shapes(bytes_max);
    switch (kind) {
        case ShapeKind::text: add_texts(shapes); break;
        case ShapeKind::yaml: add_yaml(shapes); break;
        case ShapeKind::manifest: add_manifests(shapes); break;
        case ShapeKind::json: add_json(shapes); break;
    }
    return shapes.take();
}

}  // namespace galleryd::fuzz
