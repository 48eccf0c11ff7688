#include "controller/core/error_catalogue.h"

namespace galleryd {

//   GD40xx sources: what could not be read, and why deletions are frozen      GD41xx the state directory
std::span<const CatalogueEntry> source_errors() {
    static constexpr CatalogueEntry table[] = {
        {"GD4001", "The source's folder is not there",
         "The path of --source dir:PATH does not exist (any more): a typing error, a volume that is not mounted, a "
         "checkout that is being replaced. "
         "A folder that is gone is not an empty folder: everything declared in it stays as it was, and nothing is "
         "deleted.",
         "Bring the folder back, or correct --source and restart. galleryd looks again by itself.",
         "galleryd run --source dir:/etc/galleryd/manifests"},
        {"GD4002", "The source's folder cannot be read",
         "The user that galleryd runs as lacks read and search permission on the folder or on one above it. Everything "
         "declared in it stays as it was.",
         "Grant read permission on files and read and search permission on folders.",
         "chmod -R u=rwX,go=rX /etc/galleryd/manifests"},
        {"GD4003", "The mount of the source is gone",
         "At an earlier look the folder was the root of a mounted file system; now it is an ordinary folder. What lies "
         "below a mount is "
         "not what was declared, so it is not read at all.",
         "Mount the file system again. If the folder is meant to be an ordinary one from now on, restart galleryd.",
         "findmnt /etc/galleryd/manifests"},
        {"GD4004", "A file or sub-folder cannot be read",
         "Permission is missing, a link points to nothing, or the file system reported an error. The documents of that "
         "file count as "
         "unreadable, not as removed: they keep their last good content, and deletions of the source are frozen "
         "meanwhile.",
         "Repair permission or link, or remove the file if its documents are meant to go.", ""},
        {"GD4005", "The source is larger than its limits",
         "At most 20,000 files, 1 MiB a file, 256 MiB in all and 32 folders deep are read. A file beyond its limit is "
         "unreadable; a folder beyond its "
         "limit is not read at all, because half a view is none.",
         "Split large files; point --source at the sub-folder that holds the manifests.",
         "galleryd run --source dir:/repo/galleries    # not dir:/repo"},
        {"GD4006", "A link leads out of the source's folder",
         "Links are followed only as long as they stay inside the folder, and absolute links never: otherwise whoever "
         "may write manifests could "
         "have any file of this machine read.",
         "Put the file into the folder, or use a relative link to a file inside it.",
         "ln -s ../shared/policy.yaml team-a/policy.yaml    # shared/ and team-a/ both inside the folder"},
        {"GD4007", "Something with a manifest's name is not a regular file",
         "Devices, sockets and FIFOs are never opened, because opening one can block or have effects.",
         "Replace it by a regular file, or remove it.", ""},
        {"GD4008", "A file keeps changing while it is read",
         "Three looks in a row found the file, or the list of files, changed. Half a document must not be acted upon, "
         "so it counts as unreadable until it "
         "comes to rest; galleryd looks again every few seconds.",
         "Write to a temporary name and rename it into place; stop what rewrites the file continuously.",
         "mv manifest.yaml.tmp manifest.yaml"},
        {"GD4009", "The source has become empty; deletions are frozen",
         "There were objects at the last accepted look and now there are none: a wrong path, an empty mount, a wrong "
         "branch, or intent. Nothing "
         "is deleted until a person decides.",
         "Bring the manifests back. If all of them are meant to go, release exactly this revision.",
         "galleryd approve sha256:…    # the revision that `galleryd get sources` shows"},
        {"GD4010", "The source lost more than 20 % of its objects; deletions are frozen",
         "More than a fifth of the objects of the last accepted look are gone. Creating and updating go on; deletions "
         "wait for a person.",
         "Look at what is missing (`galleryd plan` lists it). Bring it back, or release exactly this revision.",
         "galleryd approve sha256:…    # the revision that `galleryd get sources` shows"},
        {"GD4011", "The history does not descend from the last applied commit; deletions are frozen",
         "The branch was reset, force-pushed or pointed at another history, so a missing document may never have been "
         "removed on purpose.",
         "Check the branch. If the new history is right, release its commit.", "galleryd approve COMMIT"},
        {"GD4012", "The folder cannot be watched",
         "The system's limit of inotify watches or instances is used up, or inotify is not available. The folder is "
         "looked at every 30 seconds instead: "
         "changes are only noticed later.",
         "Raise the limit if a faster reaction is needed.", "sysctl fs.inotify.max_user_watches=524288"},
        {"GD4013", "The source is neither a folder nor a file",
         "The path of --source names a device, a socket or a FIFO.", "Name a folder with manifests, or one manifest.",
         "galleryd plan --source dir:manifests"},
        {"GD4101", "The state directory is in use",
         "Another galleryd holds the lock of this --state-dir. Two daemons on one journal could both write to Azure.",
         "Stop the process whose number the message names, or give this one a --state-dir of its own.",
         "galleryd run --state-dir /var/lib/galleryd-staging"},
        {"GD4102", "The journal is damaged",
         "The database failed its check: a torn write, a failing disk, an edit by hand, or nothing is left of it. It "
         "was "
         "moved aside as galleryd.db.corrupt-<time> and kept, "
         "and a new one was started. The daemon begins by looking only; it rebuilds what it can from Azure's tags and "
         "the documents, "
         "deletes nothing that it cannot prove to be its own, and no version at all for an hour: what the hourly brake "
         "had counted is lost. A command that only looks goes on without the journal and changes nothing on disk.",
         "Check the disk. Keep the file aside if the audit trail of before is needed; otherwise delete it.",
         "sqlite3 galleryd.db.corrupt-20261121T041012Z .recover"},
        {"GD4103", "The journal was written by a newer galleryd",
         "Its schema is newer than this program knows, usually after going back to an older release. Reading goes on; "
         "nothing is written to the journal, "
         "and therefore nothing to Azure.",
         "Run the newer release, or start with an empty --state-dir: galleryd then proves what is its own from Azure's "
         "tags first.",
         "galleryd run --observe"},
        {"GD4104", "The journal is read-only",
         "The state directory is not writable for this user or its file system is mounted read-only, or it was opened "
         "by a command that only reads. "
         "Without a journal nothing is written to Azure; observing goes on.",
         "Make the directory writable for galleryd's user and restart.", "chown -R galleryd: /var/lib/galleryd"},
        {"GD4105", "The journal could not be written",
         "A write or sync failed: disk full, disk error, or a lock held by somebody else. After such a failure nobody "
         "knows what is on disk, so nothing is "
         "written any more, neither to the journal nor to Azure, until a restart.",
         "Free space or replace the disk, end what holds the database open, then restart.", "df -h /var/lib/galleryd"},
        {"GD4106", "The state directory cannot be used",
         "It cannot be made, is not a directory, or its database is not a regular file (a link, for instance).",
         "Name a directory that galleryd's user may make or write to.",
         "galleryd run --state-dir \"$XDG_STATE_HOME/galleryd\""},
        {"GD4107", "There is no journal to read",
         "This command reads the journal of a daemon, and none has been written in this state directory.",
         "Name the daemon's --state-dir, or ask a running daemon with --server.",
         "galleryd events --state-dir /var/lib/galleryd"},
    };
    return table;
}

}  // namespace galleryd
