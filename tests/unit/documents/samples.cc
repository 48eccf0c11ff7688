#include "tests/unit/documents/samples.h"

#include <fstream>
#include <sstream>

namespace galleryd::test {

std::string file_text(const std::string& path) {
    std::ifstream stream(std::string(GALLERYD_SOURCE_DIR) + "/" + path, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

std::string example(const std::string& path) { return file_text("crds/examples/" + path); }

ReadResult read(const std::vector<DocumentFile>& files) { return read_documents(files, {}); }
ReadResult read_text(const std::string& text) { return read({{"test.yaml", text}}); }

std::string shown(const std::vector<Diagnostic>& problems) {
    std::string text;
    for (const Diagnostic& problem : problems) {
        text += problem.code + " " + problem.field + " " + problem.where.file + ":" +
                std::to_string(problem.where.line) + ":" + std::to_string(problem.where.column) + " " +
                problem.message + (problem.remedy.empty() ? "" : " | " + problem.remedy) + "\n";
    }
    return text;
}

std::string shown(const ReadResult& result) {
    std::string text;
    for (const DocumentRecord& document : result.documents) text += shown(document.problems);
    return text;
}

std::string codes(const ReadResult& result) {
    std::string text;
    for (const DocumentRecord& document : result.documents) {
        for (const Diagnostic& problem : document.problems) text += problem.code + " " + problem.field + "\n";
    }
    return text;
}

std::string estate() {
    return R"(apiVersion: galleryd.io/v1alpha1
kind: Gallery
metadata: {name: golden, namespace: images}
spec: {subscriptionId: 00000000-0000-0000-0000-000000000001, resourceGroup: rg, location: canadacentral}
---
apiVersion: galleryd.io/v1alpha1
kind: ImageDefinition
metadata: {name: ubuntu, namespace: images}
spec: {gallery: golden, identifier: {publisher: Contoso, offer: Ubuntu, sku: s1}, osType: Linux, osState: Generalized, hyperVGeneration: V2}
---
)";
}

std::string version_document(const std::string& name, const std::string& number, const std::string& extra_spec) {
    return "apiVersion: galleryd.io/v1alpha1\nkind: ImageVersion\nmetadata: {name: " + name +
           ", namespace: images}\nspec:\n  imageDefinition: ubuntu\n  version: " + number +
           "\n  source: {managedImage: "
           "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Compute/images/"
           "i}\n" +
           extra_spec;
}

}  // namespace galleryd::test
