#pragma once
#include "controller/adapters/azure/credential_file.h"

namespace galleryd {

// azure::ReadFile for real files: opens without blocking (a FIFO cannot hold us up), reads on the calling thread. For
// files of a few kilobytes on a local or memory file system. Error messages name path and reason.
Result<azure::Secret> read_credential_file(const azure::FileToRead& file);
// The same of a file that is open already; its path is for messages.
Result<azure::Secret> read_opened_credential(int number, const azure::FileToRead& file);

}  // namespace galleryd
