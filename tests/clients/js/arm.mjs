// One call of Microsoft's SDK, the way `az` is one call of the CLI: what it answers goes to stdout as JSON, an error to stderr
// with exit code 1. It judges nothing; the Python beside it does.
//
//   node arm.mjs GENERATION GROUP METHOD JSON-ARGUMENTS [--no-wait]
//   node arm.mjs 22 galleries createOrUpdate '["rg-test", "golden", {"location": "canadacentral"}]'
//
// Environment: CLIENTS_JS (the folder that holds node_modules), ARM_URL, ARM_TENANT, ARM_CLIENT, ARM_SECRET, ARM_SUBSCRIPTION.
import { createRequire } from "node:module";

const { CLIENTS_JS, ARM_URL, ARM_TENANT, ARM_CLIENT, ARM_SECRET, ARM_SUBSCRIPTION } = process.env;
const require = createRequire(`${CLIENTS_JS}/package.json`);
const [generation, group, method, text, flag] = process.argv.slice(2);
const wait = flag !== "--no-wait";

function connect() {
  const { ClientSecretCredential } = require("@azure/identity");
  const { ComputeManagementClient } = require(`arm-compute-${generation}`);
  // Without disableInstanceDiscovery a client of Entra asks login.microsoftonline.com whether it may trust another authority.
  const credential = new ClientSecretCredential(ARM_TENANT, ARM_CLIENT, ARM_SECRET, {
    authorityHost: ARM_URL,
    disableInstanceDiscovery: true,
    retryOptions: { maxRetries: 0 },
  });
  return new ComputeManagementClient(credential, ARM_SUBSCRIPTION, { endpoint: ARM_URL });
}

// Writes are long operations: 22 calls them beginX and beginXAndWait, 24 gives back a poller that can be awaited.
async function write(operations, args) {
  if (generation === "22") {
    const name = `begin${method[0].toUpperCase()}${method.slice(1)}`;
    if (wait) return operations[`${name}AndWait`](...args);
    return (await operations[name](...args)).getOperationState();
  }
  const poller = operations[method](...args);
  if (wait) return poller;
  await poller.submitted();
  return poller.operationState;
}

async function call() {
  const operations = connect()[group];
  const args = JSON.parse(text);
  if (method.startsWith("list")) {
    const found = [];
    for await (const one of operations[method](...args)) found.push(one);
    return found;
  }
  return method === "get" ? operations.get(...args) : write(operations, args);
}

try {
  const answer = await call();
  if (answer !== undefined) console.log(JSON.stringify(answer));
} catch (error) {
  console.error(`${error.name}: status ${error.statusCode ?? "-"}, code ${error.code ?? "-"}: ${error.message}`);
  process.exitCode = 1;
}
