#include "controller/core/error_catalogue.h"

namespace galleryd {

//   GD500x verbs, durations, sign-in, apply      GD501x the daemon and the session      GD504x plan files and prices
std::span<const CatalogueEntry> command_errors() {
    static constexpr CatalogueEntry table[] = {
        {"GD5001", "No such command", "The first word after galleryd is not one of its commands.",
         "Use the command that the message suggests, or look at the list.", "galleryd --help"},
        {"GD5002", "The command line was not understood",
         "A flag is not known, lacks its value, is given twice, or belongs to another command. Nothing was started.",
         "Ask the command itself for its flags.", "galleryd plan --help"},
        {"GD5003", "Not a duration",
         "Durations are a number with a unit, of at least one second and at most what the message names. A bare number "
         "is refused, because nobody can tell seconds from minutes.",
         "Write a number and s, m, h or d.",
         "galleryd run --source dir:manifests --interval 90s    # not --interval 90"},
        {"GD5004", "The Azure endpoint cannot be used",
         "--azure is neither one of the names nor the URL of an endpoint, or it is a plain http URL to another "
         "machine: access tokens travel to "
         "the endpoint and must not be readable on the way.",
         "Write public, usgovernment, china, simulator, or https://HOST without a path. Plain http is for 127.0.0.1, "
         "::1 and localhost only.",
         "galleryd plan manifests --azure http://127.0.0.1:4480 --credential none"},
        {"GD5005", "No way to sign in",
         "A variable that --credential needs is not set, AZURE_AUTHORITY_HOST is not an https "
         "URL or another cloud's, or none of environment, workload identity, managed identity and Azure CLI is there.",
         "Set the variables that the message names, or take another way to sign in. The simulator needs no sign-in: "
         "--credential none.",
         "export AZURE_TENANT_ID=… AZURE_CLIENT_ID=… AZURE_CLIENT_SECRET=…"},
        {"GD5006", "The saved plan no longer fits",
         "Since the plan was saved, documents or Azure have changed, so that applying it would do something that "
         "nobody has read. Nothing was done. "
         "The lines below the message say which scopes differ.",
         "Make a new plan, read it, and apply that one.",
         "galleryd plan manifests --out plan.json && galleryd apply plan.json"},
        {"GD5007", "Deletions need to be approved by number",
         "The plan takes something away, and --approve-deletes does not name exactly that many. Nothing was done, the "
         "rest of the plan neither.",
         "Read the deletions in the plan; if they are meant, repeat with their number. The number must fit, so that a "
         "later plan is not approved by accident.",
         "galleryd apply manifests --allow-deletes --approve-deletes=3"},
        {"GD5008", "Apply ran out of time",
         "--timeout has passed while Azure still worked, or while reads had to agree that something is gone. "
         "Operations "
         "that were started go on in Azure and are in the journal; its last line says so when none was.",
         "Run apply again: it follows what is under way and starts nothing twice. Copying a version to many regions "
         "can take hours.",
         "galleryd apply manifests --timeout 6h"},
        {"GD5009", "What is left needs a person",
         "Everything that could be done has been done. What remains is in conflict with what others made, waits for an "
         "approval, or is blocked.",
         "Each line of the plan above says why and names the way out; galleryd plan --explain adds the verdict on "
         "every version.",
         "galleryd plan manifests --explain"},
        {"GD5010", "No daemon answers",
         "get, events and wait ask a running galleryd over http. Nothing listens at that address, it is not a "
         "galleryd, or it answered with an error.",
         "Start the daemon, or name the address it printed at its start.",
         "galleryd get versions --server http://127.0.0.1:8080"},
        {"GD5011", "The daemon would listen to other machines",
         "--http or --metrics is not a loopback address. There is no sign-in, so everybody who reaches it could read "
         "plans and events.",
         "Listen on 127.0.0.1 or [::1] and let a port-forward or a proxy that checks who asks lead there.",
         "galleryd run --source dir:manifests --http 127.0.0.1:8080"},
        {"GD5012", "No manifests were named",
         "Neither a folder or file nor --source was given. The working directory is never taken silently.",
         "Name the folder that holds the documents.", "galleryd plan manifests\ngalleryd run --source dir:manifests"},
        {"GD5013", "The log flags cannot be used", "--log-format or --log-level is not one of the known words.",
         "Formats: text, json. Levels: debug, info, warning, error.",
         "galleryd run --source dir:manifests --log-format json --log-level debug"},
        {"GD5014", "A file named on the command line cannot be read or written",
         "The path is misspelt, is a folder, or this user may not read or write it.",
         "Correct the path or its permissions.", "ls -l azure.json"},
        {"GD5015", "The time scale of the simulator is out of range",
         "--time-scale says how many times faster than the wall the simulator's clock runs; it is a number above 0 and "
         "at most 1000000.",
         "Write such a number. 1 is real time; 600 makes ten minutes pass in a second.",
         "galleryd plan manifests --azure simulator --time-scale 600"},
        {"GD5017", "A source of this kind is not known",
         "--source does not begin with a kind of source that this version has.",
         "Write dir:PATH, with the path of a folder or of one file.",
         "galleryd run --source dir:/etc/galleryd/manifests"},
        {"GD5018", "The instance name cannot be used",
         "--instance becomes the first part of the owner tag on everything galleryd makes, with slashes as separators; "
         "it is empty or holds a blank or a slash.",
         "Choose a short name, one for each daemon that works on its own documents, and keep it: under another name "
         "the same resources are not its own.",
         "galleryd run --source dir:manifests --instance images-prod"},
        {"GD5019", "Not a digest",
         "An approval names one digest exactly: sha256: and 64 lower-case hexadecimal digits. A shortened one is "
         "refused.",
         "Copy the whole digest out of the plan or the event that asks for the approval.",
         "galleryd approve sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 --for 24h"},
        {"GD5020", "The configuration file cannot be used",
         "The file given to --config cannot be read, is not one YAML mapping, holds a name that is no flag, or a value "
         "that is neither text, number nor true/false.",
         "Correct the name or value that the message shows. Flags and GALLERYD_ variables win over the file.",
         "source: dir:/etc/galleryd/manifests\ninterval: 5m\nallow-deletes: false"},
        {"GD5021", "The share of Azure's request budgets is out of range",
         "--arm-share says how much of each request budget of a subscription galleryd may use; the rest stays for "
         "others. 0 would stop it, and more than all there is cannot be used.",
         "Write a number above 0 and at most 1.", "galleryd run --source dir:manifests --arm-share 0.5"},
        {"GD5022", "Not the name of an image version",
         "usage, hold, release and restore take one image version: the Azure id, or gallery, definition and number as "
         "Azure "
         "calls them. Names of "
         "documents do not say where in Azure to look.",
         "Write GALLERY/DEFINITION/VERSION, or the id as the portal and plan -o json print it.",
         "galleryd usage golden/ubuntu-2404/1.8.0"},
        {"GD5023", "No such image version can be seen",
         "Resource Graph shows no version of that gallery, definition and number in any subscription that this "
         "identity "
         "can read. A version that was published a moment ago appears there within minutes.",
         "Check the spelling, give the identity Reader on the gallery's subscription, or ask by Azure id.",
         "galleryd usage "
         "/subscriptions/…/resourceGroups/rg/providers/Microsoft.Compute/galleries/golden/images/ubuntu-2404/versions/"
         "1.8.0"},
        {"GD5024", "Several galleries have that image version",
         "Gallery names are unique within a subscription only, and more than one subscription has such a version.",
         "Ask by one of the ids that the message lists.",
         "galleryd usage "
         "/subscriptions/…/resourceGroups/rg/providers/Microsoft.Compute/galleries/golden/images/ubuntu-2404/versions/"
         "1.8.0"},
        {"GD5025", "No such way to sign in", "--credential (or GALLERYD_CREDENTIAL) is not one of the known words.",
         "Write default, environment, client-secret, client-certificate, workload-identity, managed-identity, "
         "azure-cli, or none for the simulator.",
         "galleryd plan manifests --credential azure-cli"},
        {"GD5026", "Complete looks would come more often than looks",
         "--full-interval is shorter than --interval: each complete look is one of the looks that --interval spaces.",
         "Make --full-interval at least as long as --interval.",
         "galleryd run --source dir:manifests --interval 60s --full-interval 1h"},
        {"GD5027", "The address to listen on cannot be used",
         "Another program listens on that port already (often another galleryd), this user may not take it, this "
         "machine "
         "has no such address, or it is not HOST:PORT.",
         "Stop the other program, or name another address; port 0 takes any free port and prints it.",
         "galleryd run --source dir:manifests --http 127.0.0.1:8081\ngalleryd simulate --listen 127.0.0.1:0"},
        {"GD5028", "The simulator's estate cannot be used",
         "The JSON file of simulate --state or --simulator-state has a key that the simulator does not read: what "
         "stands "
         "there would be ignored.",
         "Correct the key as the message proposes. Resources stand in \"resources\", as GET prints them.",
         "galleryd simulate --state azure.json"},
        {"GD5029", "The file of faults cannot be used",
         "simulate --faults names a YAML file that is not a list of faults, or has a key or value that is not known.",
         "Correct the place that the message names.", "galleryd simulate --faults faults.yaml"},
        {"GD5030", "Not a date that can be looked ahead to",
         "--at is neither a date nor RFC 3339, lies in the past, or more than a hundred years ahead. Of the past "
         "nothing can be said: what was in Azure then is not known.",
         "Write a day, which means its end in UTC, or an instant with its offset. Without --at it is now.",
         "galleryd retention preview manifests --at 2027-06-01"},
        {"GD5031", "Observing forbids it",
         "hold, release and restore write to Azure, and --observe (or GALLERYD_OBSERVE, or observe in the "
         "configuration "
         "file) says that nothing is written.",
         "Leave --observe out for this one command.", "GALLERYD_OBSERVE=false galleryd hold golden/ubuntu-2404/1.8.0"},
        {"GD5032", "A digest is approved, not released",
         "hold, release and restore are about one image version. Deletions that wait, and sources "
         "whose "
         "deletions are frozen, are named by a digest.",
         "Approve the digest.", "galleryd approve sha256:…"},
        {"GD5033", "The image version cannot be written now",
         "Azure is changing it, and takes no other change until that has ended; or it is being deleted, and no tag "
         "stops that. Nothing was written.",
         "Ask again later, or with a longer --timeout. In a gallery with soft delete a deleted version can be brought "
         "back: galleryd restore.",
         "galleryd hold golden/ubuntu-2404/1.8.0 --timeout 1h"},
        {"GD5034", "The reason cannot be a tag's value",
         "Reason and end of a hold are the value of the tag galleryd-hold: at most 256 characters, in one line.",
         "Write a shorter one and say where the rest is to be found.",
         "galleryd hold golden/ubuntu-2404/1.8.0 --reason \"incident 4711, ask security@example.com\""},
        {"GD5035", "The image version is not as it was written",
         "Azure took the write, and then failed, or the version does not look as written: somebody wrote at the same "
         "time. Azure has no way to refuse the later of two writers.",
         "Look at the version, and give the command again.", "galleryd hold golden/ubuntu-2404/1.8.0"},
        {"GD5036", "Not a date that a hold can end with",
         "--until is neither a date nor RFC 3339, or lies in the past: such a hold would hold nothing.",
         "Write a day, which is held to its end wherever on earth it ends last, or an instant with its offset. Without "
         "--until the hold has no end.",
         "galleryd hold golden/ubuntu-2404/1.8.0 --until 2026-12-24"},
        {"GD5037", "The image version is not deleted",
         "restore brings back what a gallery keeps soft-deleted, and this version is in Azure. Nothing was written.",
         "Where it is marked for deletion, a hold keeps it; else there is nothing to do.",
         "galleryd hold golden/ubuntu-2404/1.8.0"},
        {"GD5038", "The image version is gone for good",
         "The gallery has soft delete, and does not keep this version: its time is over (seven days, unless the "
         "gallery "
         "names another), it was deleted past soft delete, or it never was there.",
         "Check gallery, definition and number. What is gone for good has to be published again, under a new number.",
         "galleryd restore golden/ubuntu-2404/1.8.0"},
        {"GD5039", "Soft delete is not on in the gallery",
         "Only a gallery with soft delete keeps what is deleted in it. In this one it is off, and the version is not "
         "among what was kept before.",
         "Publish the image again, under a new number. To be able to restore the next one, declare soft delete.",
         "spec:\n  softDelete: {enabled: true}"},
        {"GD5040", "Not a saved plan",
         "The file given to apply cannot be read, is not JSON, or was not written by galleryd plan --out of this major "
         "format.",
         "Make a new one.", "galleryd plan ./manifests --out plan.json && galleryd apply plan.json"},
        {"GD5042", "The price list cannot be used",
         "The file given to --prices cannot be read or does not say what a price list says.",
         "Correct the line that the message names. Without --prices the list inside the binary is used.",
         "date: 2026-11-01\ncurrency: USD\nsnapshotGBMonth: {Standard_LRS: 0.05}\negressGB: 0.02"},
        {"GD5043", "The plan cannot be saved",
         "The file named by --out cannot be written: the directory is missing, not writable, or full.",
         "Name a path that this user may write.", "galleryd plan manifests --out /tmp/plan.json"},
    };
    return table;
}

}  // namespace galleryd
