// What a Terraform refresh does, with Microsoft's JavaScript SDK: every gallery, definition and version read by its id, versions with their
// replication status, ten at a time. Prints how many it read.
//   node peer.mjs IDS     a file with a JSON list of resource ids; environment as tests/clients/js/arm.mjs
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const { CLIENTS_JS, ARM_URL, ARM_SUBSCRIPTION, ARM_TENANT, ARM_CLIENT, ARM_SECRET } = process.env;
const require = createRequire(`${CLIENTS_JS}/package.json`);
const { ClientSecretCredential } = require("@azure/identity");
const { ComputeManagementClient } = require("arm-compute-22");
const credential = new ClientSecretCredential(ARM_TENANT, ARM_CLIENT, ARM_SECRET, { authorityHost: ARM_URL, disableInstanceDiscovery: true });
const compute = new ComputeManagementClient(credential, ARM_SUBSCRIPTION, { endpoint: ARM_URL });

async function read(id) {
  const [, , , , group, , , , gallery, , definition, , version] = id.split("/");
  if (version) return compute.galleryImageVersions.get(group, gallery, definition, version, { expand: "ReplicationStatus" });
  if (definition) return compute.galleryImages.get(group, gallery, definition);
  return compute.galleries.get(group, gallery);
}

const ids = JSON.parse(readFileSync(process.argv[2], "utf8"));
let next = 0;
let seen = 0;
async function work() {
  while (next < ids.length) {
    const one = await read(ids[next++]);
    if (one.provisioningState === "Succeeded") seen++;
  }
}
await Promise.all(Array.from({ length: 10 }, work));
console.log(seen);
