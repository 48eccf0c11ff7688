// One call of Microsoft's SDK, the way `az` is one call of the CLI: what it answers goes to stdout as JSON, an error to stderr
// with exit code 1. It judges nothing; the Python beside it does.
//
//   node arm.mjs GENERATION GROUP METHOD JSON-ARGUMENTS [--no-wait]
//   node arm.mjs 22 galleries createOrUpdate '["rg-test", "golden", {"location": "canadacentral"}]'
//
// Environment: CLIENTS_JS (the folder that holds node_modules), ARM_URL, ARM_SUBSCRIPTION, ARM_TENANT, ARM_CLIENT, ARM_SIGN_IN (secret,
// certificate, federated, managed) and ARM_SECRET (the secret, or the file with the certificate or the token).
import { createRequire } from "node:module";

const { CLIENTS_JS, ARM_URL, ARM_SUBSCRIPTION, ARM_TENANT, ARM_CLIENT, ARM_SIGN_IN, ARM_SECRET } = process.env;
const require = createRequire(`${CLIENTS_JS}/package.json`);
const [generation, group, method, text, flag] = process.argv.slice(2);
const wait = flag !== "--no-wait";

function credential() {
  const identity = require("@azure/identity");
  // Without disableInstanceDiscovery a client of Entra asks login.microsoftonline.com whether it may trust another authority.
  const options = { authorityHost: ARM_URL, disableInstanceDiscovery: true, retryOptions: { maxRetries: 0 } };
  switch (ARM_SIGN_IN) {
    case "secret":
      return new identity.ClientSecretCredential(ARM_TENANT, ARM_CLIENT, ARM_SECRET, options);
    case "certificate":
      return new identity.ClientCertificateCredential(ARM_TENANT, ARM_CLIENT, { certificatePath: ARM_SECRET }, options);
    case "federated":
      return new identity.WorkloadIdentityCredential({ tenantId: ARM_TENANT, clientId: ARM_CLIENT, tokenFilePath: ARM_SECRET, ...options });
    case "managed": // at AZURE_POD_IDENTITY_AUTHORITY_HOST instead of 169.254.169.254
      return new identity.ManagedIdentityCredential({ clientId: ARM_CLIENT });
    default:
      throw new Error(`ARM_SIGN_IN is ${ARM_SIGN_IN}`);
  }
}

function connect() {
  const { ComputeManagementClient } = require(`arm-compute-${generation}`);
  return new ComputeManagementClient(credential(), ARM_SUBSCRIPTION, { endpoint: ARM_URL });
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
