#include <doctest/doctest.h>

#include "tests/simulation/world.h"

using namespace galleryd;

namespace {

const char* const managed_image = R"({"resources": [{
  "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-packer/providers/Microsoft.Compute/images/packer-1",
  "type": "Microsoft.Compute/images", "name": "packer-1", "location": "canadacentral",
  "properties": {"hyperVGeneration": "V2", "storageProfile": {"osDisk": {"osType": "Linux", "osState": "Generalized", "diskSizeGB": 30}}}}]})";

const char* const estate = R"(
apiVersion: galleryd.io/v1alpha1
kind: Gallery
metadata: {name: golden, namespace: images}
spec:
  subscriptionId: 00000000-0000-0000-0000-000000000001
  resourceGroup: rg-golden
  ensureResourceGroup: true
  location: canadacentral
  description: Hardened images
---
apiVersion: galleryd.io/v1alpha1
kind: ImageDefinition
metadata: {name: ubuntu, namespace: images}
spec:
  gallery: golden
  identifier: {publisher: Contoso, offer: Ubuntu, sku: 24_04}
  osType: Linux
  osState: Generalized
  hyperVGeneration: V2
---
apiVersion: galleryd.io/v1alpha1
kind: ImageVersion
metadata: {name: ubuntu-1.0.0, namespace: images}
spec:
  imageDefinition: ubuntu
  version: 1.0.0
  source: {managedImage: /subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-packer/providers/Microsoft.Compute/images/packer-1}
  targetRegions:
    - {name: Canada Central, replicas: 2}
    - {name: canadaeast}
)";

}  // namespace

TEST_CASE("a gallery, a definition and a version come from documents to Azure, and then there is silence") {
    World world;
    world.load(managed_image);
    world.declare({{"estate.yaml", estate}});
    REQUIRE(world.engine->scopes().size() == 2);
    CHECK(world.converge());
    CAPTURE(world.fingerprint());
    CHECK(world.writes() == 4);  // group, gallery, definition, version
    const std::size_t before = world.writes();
    for (int i = 0; i < 100; ++i) world.round();
    CHECK(world.writes() == before);
    CHECK(world.deletes() == 0);
}
