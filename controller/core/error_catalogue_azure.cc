#include "controller/core/error_catalogue.h"

namespace galleryd {
namespace {

// Codes of adapters/azure: its error table names one for every row.
// clang-format off: a table
constexpr CatalogueEntry table[] = {
    // ---- answers that cannot be used ----
    {"GD3001", "An answer of Azure was cut off or is not JSON",
     "The connection broke in the middle of an answer, or something between here and Azure changed it. A half answer "
     "is never used as a whole one.",
     "Usually passes by itself: the read is repeated. If it stays, look at proxies and TLS inspection between this "
     "machine and the ARM endpoint.",
     ""},
    {"GD3002", "A web page came back instead of Azure's answer",
     "A proxy, gateway or captive portal answered in Azure's place. Such an answer says nothing about the resource, "
     "whatever its status is.",
     "Check HTTPS_PROXY and the allow-list of the network: management.azure.com (or the endpoint of your cloud) and "
     "the sign-in host must be reachable.",
     "curl -sS -o /dev/null -w '%{http_code} %{content_type}\\n' https://management.azure.com/"},
    {"GD3003", "A list did not arrive as a whole",
     "A page has no list, a link to the next page came twice, or there were more than 1,000 pages. Nothing is planned "
     "from a part of a list.",
     "Repeats by itself. If it stays, open a support case with the correlation id.", ""},
    {"GD3004", "Azure's answer led to another host",
     "The link to the next page or to an operation does not lead to the configured ARM endpoint. The access token is "
     "sent nowhere else.",
     "Check --azure: the endpoint must be the one that the answers name. If it is, somebody is rewriting answers on "
     "the way.",
     ""},
    {"GD3005", "An answer does not describe what was asked for",
     "The answer is JSON but holds no resource of the asked type, or an operation without a status.",
     "Repeats by itself. If it stays, note the correlation id and report it: Azure's answer has a shape this version "
     "does not know.",
     ""},
    {"GD3006", "Not the id of an Azure resource",
     "An id must begin with /subscriptions/ and consist of plain name/value segments. Ids with blanks, '%', '?', '#' "
     "or '..' are refused before any request.",
     "Correct the id or name in the document.",
     "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Compute/galleries/"
     "golden"},
    {"GD3007", "Azure Resource Graph cannot be used",
     "The service refuses the query, or is not offered here. Everything can still be read through the lists of Azure "
     "Resource Manager, with about a hundred times as many requests.",
     "Give galleryd's identity the Reader role at the subscriptions it looks after. In a cloud without Resource Graph "
     "nothing needs to be done.",
     "az graph query -q \"resources | where type =~ 'microsoft.compute/galleries' | count\""},
    {"GD3008", "Azure cannot be reached",
     "The name of the endpoint or of the sign-in host cannot be resolved, nothing answers there, or the connection "
     "breaks off: name service, route, firewall or proxy.",
     "Repeats by itself. If it stays: let this machine reach the host in the message, or correct --azure or "
     "AZURE_AUTHORITY_HOST.",
     "curl -sS -o /dev/null -w '%{http_code}\\n' https://management.azure.com/"},
    {"GD3009", "The server's certificate is not trusted",
     "The TLS certificate was not signed by an authority that this machine trusts, is for another name or has "
     "expired; often a proxy that opens TLS connections. Nothing is sent to such a server.",
     "Name the authority's certificate (PEM) with --azure-ca-file, or have the proxy leave this host alone.",
     "openssl s_client -connect management.azure.com:443 -showcerts </dev/null"},
    // ---- sign-in ----
    {"GD3010", "Sign-in to Azure was refused",
     "The token endpoint did not accept the credential for a reason without a code of its own here; the AADSTS number "
     "is in the message.",
     "Look the number up at https://login.microsoftonline.com/error, and check AZURE_TENANT_ID, AZURE_CLIENT_ID and "
     "the secret.",
     ""},
    {"GD3011", "The client secret is wrong",
     "AADSTS7000215: the value does not belong to the application. Often the secret's id was copied.",
     "Set AZURE_CLIENT_SECRET to the secret's value.", "az ad app credential reset --id APP_ID --append"},
    {"GD3012", "The client secret has expired", "AADSTS7000222: secrets have an end date.",
     "Make a new secret and set AZURE_CLIENT_SECRET; then remove the old one.",
     "az ad app credential reset --id APP_ID --append --end-date 2027-12-31"},
    {"GD3013", "The application is unknown in the tenant",
     "AADSTS700016: no application with this client id in this tenant.",
     "Check AZURE_CLIENT_ID and AZURE_TENANT_ID; a multi-tenant application needs consent in the tenant first.",
     "az ad sp show --id CLIENT_ID"},
    {"GD3014", "The tenant is unknown",
     "AADSTS90002: the tenant does not exist in this cloud, or its name is malformed.",
     "Check AZURE_TENANT_ID (a GUID or a domain) and --azure (public, usgovernment, china).",
     "az account show --query tenantId"},
    {"GD3015", "Azure refused the access token",
     "The token is expired, malformed, or meant for another audience, and a new one was refused as well.",
     "Check that --azure and the credential belong to the same cloud and that this machine's clock is right.",
     "galleryd doctor"},
    {"GD3016", "The token is from the wrong tenant",
     "The subscription trusts another tenant than the one that issued the token.",
     "Set AZURE_TENANT_ID to the tenant of the subscription.", "az account show --subscription ID --query tenantId"},
    {"GD3017", "The certificate or assertion was refused",
     "AADSTS700027, 50013, 700021 or 700023: the certificate is not registered with the application or has expired, "
     "the "
     "signature does not fit, or the assertion names another application or audience.",
     "Register the public part of exactly this certificate with the application, and check AZURE_CLIENT_ID, "
     "AZURE_TENANT_ID and AZURE_AUTHORITY_HOST.",
     "az ad app credential list --id APP_ID --cert"},
    {"GD3018", "No federated credential fits",
     "AADSTS70021: issuer, subject or audience of the workload's token match no federated credential.",
     "Compare the token's iss, sub and aud with the application's federated credentials.",
     "az ad app federated-credential list --id APP_ID"},
    {"GD3019", "A token or assertion is outside its time",
     "AADSTS700024, or a token that is not valid yet: this machine's clock and Azure's differ by more than five "
     "minutes, or the file of a workload's token is no longer renewed.",
     "Set this machine's clock (NTP). With workload identity, look whether the token file is still written.",
     "timedatectl status\nstat \"$AZURE_FEDERATED_TOKEN_FILE\""},
    // ---- permission, policy, locks ----
    {"GD3020", "galleryd's identity lacks a right",
     "Azure's role assignments do not hold the action named in the message at that scope.",
     "An Owner or User Access Administrator of the scope gives the identity the role named in the message. New "
     "assignments take some minutes.",
     "az role assignment create --assignee CLIENT_ID --role \"Compute Gallery Artifacts Publisher\" --scope SCOPE"},
    {"GD3021", "A right on a linked resource is missing",
     "The source image or another linked resource is in a subscription or tenant that the identity may not read.",
     "Give the identity Reader (or Compute Gallery Image Reader) on the source, in the source's tenant.", ""},
    {"GD3022", "Azure Policy denies the request",
     "A policy assignment with the effect deny applies; its name is in the message.",
     "Change the document so that it satisfies the policy, or ask the policy's owner for an exemption.",
     "az policy state list --resource ID"},
    {"GD3023", "A lock protects the resource",
     "A management lock (CanNotDelete or ReadOnly) is set on it or above it. galleryd never removes locks.",
     "If the change is wanted, the lock's owner removes it.", "az lock list --resource-group RG"},
    // ---- more of sign-in ----
    {"GD3024", "Azure asks for more than this sign-in has",
     "A claims challenge or a refusal by Conditional Access: the session was revoked, the address is not allowed, or a "
     "second factor is asked for. A new token was tried once and refused as well.",
     "Ask the owner of the Conditional Access policy to let this workload identity or address in. After az login: sign "
     "in again.",
     "az login"},
    {"GD3025", "The client certificate cannot be used",
     "The file is missing, not PEM or PFX, lacks the private key, needs another password, holds a key that is not RSA, "
     "or its time is over or has not begun.",
     "Put certificate and private key into one PEM or PFX file, name it in AZURE_CLIENT_CERTIFICATE_PATH, and set "
     "AZURE_CLIENT_CERTIFICATE_PASSWORD if it has one. The file is read again for each token.",
     "openssl pkcs12 -in app.pfx -nodes -out app.pem\nopenssl x509 -in app.pem -noout -dates"},
    {"GD3026", "The workload's token file cannot be used",
     "AZURE_FEDERATED_TOKEN_FILE names a file that is missing, empty, or holds no whole token: the volume is not "
     "mounted, or the file is being written.",
     "An empty or half-written file is read again by itself. If it stays: the pod needs the label "
     "azure.workload.identity/use: \"true\" and its service account the annotation azure.workload.identity/client-id.",
     "kubectl get pod POD -o jsonpath='{.spec.volumes}'"},
    {"GD3027", "The managed identity cannot be used",
     "The identity endpoint of this machine does not answer, knows no (such) identity, or is not on this machine or "
     "link: then nothing is sent to it.",
     "Assign an identity to the machine; for a user-assigned one set AZURE_CLIENT_ID to its client id. On Azure Arc, "
     "galleryd's user must be in the group himds. IDENTITY_ENDPOINT is set by Azure, not by people.",
     "az vm identity assign --name VM --resource-group RG --identities IDENTITY_ID"},
    {"GD3028", "The Azure CLI gives no token",
     "az is not signed in, its sign-in has expired, it did not end within 30 s, or it failed.",
     "Run az login as the user that runs galleryd. A daemon is better off with a managed identity or a certificate.",
     "az login\naz account get-access-token --output none"},
    {"GD3029", "The credential of a gallery cannot be used",
     "The gallery's spec.credential names a Secret that is missing or incomplete, that cannot be read, or for which "
     "there is no --credentials-dir; or two documents of one gallery name different ones. The gallery is neither read "
     "nor written; galleryd's own credential is never taken instead.",
     "Put AZURE_TENANT_ID, AZURE_CLIENT_ID and one of AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE, "
     "AZURE_FEDERATED_TOKEN into the folder that the message names, one file each. It is read again by itself.",
     "ls -l CREDENTIALS_DIR/NAMESPACE/NAME\ngalleryd doctor manifests --credentials-dir CREDENTIALS_DIR"},
    // ---- budgets ----
    {"GD3030", "Azure throttles requests",
     "A budget of the subscription, tenant or Compute provider is used up, or galleryd's share of it (--arm-share); "
     "other programs use the rest. Nothing is sent before the time that Azure named or the budget's next window.",
     "Passes by itself. If it stays: a longer --interval, a larger --arm-share where nobody else needs the budget, or "
     "find the other caller in the activity log (galleryd_arm_ratelimit_remaining shows what is left).",
     ""},
    {"GD3031", "A quota is used up",
     "Azure's limit for this kind of resource in this subscription and region is reached (100 galleries, 1,000 "
     "definitions, 10,000 versions).",
     "Remove what is not needed (galleryd retention preview), or ask Azure for a higher limit.", ""},
    // ---- not there ----
    {"GD3040", "Not found in Azure", "Azure knows no resource with this id.",
     "Wait if it was made just now; otherwise check subscription, group and name.", ""},
    {"GD3041", "The resource group does not exist",
     "Everything of a gallery lives in a resource group, and this one is missing.",
     "Create it, or set ensureResourceGroup: true on the Gallery.", "az group create --name RG --location LOCATION"},
    {"GD3042", "The parent does not exist", "A definition needs its gallery and a version needs its definition first.",
     "Wait until the parent has been made; check its name if it should be there.", ""},
    {"GD3043", "The subscription cannot be found",
     "It does not exist, is disabled, belongs to another tenant, or the identity has no right in it at all.",
     "Check spec.subscriptionId and give the identity a role in the subscription.", "az account list --all -o table"},
    {"GD3044", "The subscription does not accept changes",
     "It is disabled, expired or past due: everything in it can be read, nothing written.",
     "Its owner enables it again or settles what is owed. galleryd goes on by itself after that.",
     "az account subscription enable --id SUBSCRIPTION_ID"},
    // ---- state of the resource ----
    {"GD3050", "Azure does not let this field change",
     "The property named in the message is fixed when the resource is created.",
     "Put the old value back, or make a new definition or version with the new value and move to it.", ""},
    {"GD3051", "Children are still there",
     "A gallery or definition can be deleted only when it is empty; for some seconds after the last child went, and "
     "while soft-deleted children exist, Azure still counts them.",
     "Repeats by itself after our own deletions. Otherwise delete the children, or wait for the soft-delete period.",
     ""},
    {"GD3052", "The version is being deleted", "A version marked for deletion accepts no change.",
     "Wait until it is gone.", ""},
    {"GD3053", "The version is protected until its end of life",
     "blockDeletionBeforeEndOfLife is on and endOfLifeDate lies in the future. galleryd never clears that flag in "
     "order to delete.",
     "Wait, or change safety.blockDeletionBeforeEndOfLife or endOfLifeDate in the document.", ""},
    {"GD3054", "Azure refuses to remove a replicated region",
     "safetyProfile.allowDeletionOfReplicatedLocations is false on the version.",
     "galleryd sets the flag in a step of its own before it removes a region; if somebody sets it back, talk to them.",
     ""},
    {"GD3055", "The resource exists in another region",
     "A name is taken by a resource with another location, and locations are fixed.",
     "Use that location in the document, or another name.", ""},
    {"GD3056", "Publisher, offer and sku are taken", "Another definition of the gallery has the same triple.",
     "Choose another identifier.", ""},
    {"GD3057", "The gallery's name is taken",
     "Gallery names are unique in a whole subscription, not only in a resource group.", "Choose another azureName.",
     "az sig list --query \"[?name=='golden'].id\""},
    // ---- the declaration ----
    {"GD3060", "Azure does not accept the request", "A value is wrong for Azure; its message says which.",
     "Correct the document.", ""},
    {"GD3061", "The source image was not found",
     "The source does not exist, is in another region than the version, or is not replicated to it.",
     "Check spec.source; source and version must be in the same region.", "az image show --ids ID --query location"},
    {"GD3062", "The region does not offer galleries", "The location is unknown to this cloud or has no galleries.",
     "Choose a region of the list in the message.", "az account list-locations -o table"},
    {"GD3063", "The api-version is not supported here",
     "This cloud does not know (or no longer knows) the api-version that this program is pinned to. Nothing is written "
     "with another one, because defaults differ.",
     "Use a version of galleryd that fits the cloud.", "galleryd version"},
    {"GD3064", "The resource provider is not registered",
     "Microsoft.Compute (and Microsoft.Storage for stagingStorage) must be registered once per subscription.",
     "Register it and wait some minutes.",
     "az provider register --namespace Microsoft.Compute --subscription SUBSCRIPTION_ID"},
    {"GD3065", "A preview feature is not registered",
     "softDelete.enabled: true needs the feature Microsoft.Compute/SIGSoftDelete in the gallery's subscription while "
     "it "
     "is a preview.",
     "Register it, wait until its state is Registered, or take softDelete out of the document.",
     "az feature register --namespace Microsoft.Compute --name SIGSoftDelete --subscription SUBSCRIPTION_ID"},
    // ---- replication ----
    {"GD3070", "Replication failed in one or more regions",
     "Azure could not copy the image to the regions named in the message.",
     "Repeats by itself; with regionRetry: RemoveAndAdd the failed region is removed and added again.", ""},
    {"GD3071", "A disk of the source is too large",
     "Azure copies disks of up to 2 TB in Full mode, 32 TB with Shallow.",
     "Shrink the disk, or use replicationMode: Shallow (home region only).", ""},
    {"GD3072", "Too many versions are made from one source", "Azure limits the copies of one source at a time.",
     "Repeats by itself.", ""},
    // ---- access and storage ----
    {"GD3080", "The principal is not known yet",
     "A new user, group or service principal takes minutes to appear everywhere, or the object id is wrong.",
     "Wait; if it stays, check principalId (the object id, not the client id) and principalType.",
     "az ad sp show --id CLIENT_ID --query id"},
    {"GD3081", "The role is assigned already", "The same role, principal and scope exist under another name.",
     "Nothing to do: galleryd counts it as done.", ""},
    {"GD3082", "Unknown role", "Only some built-in roles are known by name.",
     "Write the role definition id instead of the name.", "az role definition list --name \"My role\" --query [].id"},
    {"GD3083", "The storage account's name is taken", "Names of storage accounts are unique in all of Azure.",
     "Choose another name for stagingStorage.", "az storage account check-name --name NAME"},
    // ---- the rest ----
    {"GD3090", "Azure has a problem of its own", "The service answered with an internal error or not in time.",
     "Repeats by itself. If it stays, look at Azure's status page and note the correlation id.", ""},
    {"GD3091", "Something else is changing the resource",
     "Another operation is in progress, or the group is being deleted.", "Repeats by itself after a new look.", ""},
    {"GD3092", "A change was made, says Azure, and it is not there",
     "The operation ended as succeeded, and minutes later the resource is exactly as it was before. Either somebody "
     "else writes it, too, and put it back (another galleryd, Terraform, a person), or Azure did not keep it (an Azure "
     "Policy with a modify effect does that).",
     "The activity log tells which: a write by a caller that is not galleryd is the other writer, and one of the two "
     "has "
     "to let go of the field (take it out of the document, or stop the other); no such write, but a policy event, is "
     "the policy. galleryd tries again after an hour.",
     "az monitor activity-log list --resource-id ID --offset 1h --query \"[].{by:caller, what:operationName.value}\""},
    {"GD3098", "galleryd sent a request that Azure cannot understand",
     "A mistake of this program, or something on the way changed the request. No document can make it right.",
     "Report it with the correlation id and the version (galleryd version). Other objects go on.", "galleryd version"},
    {"GD3099", "Azure refused the request",
     "A code that this version of galleryd does not know; Azure's own words are in the message.",
     "Follow Azure's message; note the correlation id for a support case.", ""},
    {"GD3110", "A long operation has not ended",
     "Azure accepted it, and hours later neither the operation nor the resource says that it ended. Replication of "
     "large images can take hours and sometimes hangs for more than a day.",
     "Nothing is lost and nothing is repeated: galleryd follows it on and goes on when it ends. Look at the regions of "
     "the version; a region that hangs can be removed and added again (regionRetry: RemoveAndAdd does so after it "
     "failed). If nothing moves for a day, open a support case with the operation's start time.",
     "az sig image-version show -r GALLERY -i DEFINITION -e VERSION -g GROUP --expand ReplicationStatus"},
};
// clang-format on

}  // namespace

std::span<const CatalogueEntry> azure_errors() { return table; }

}  // namespace galleryd
