#pragma once
#include <string>
#include <vector>

#include "controller/adapters/documents/reader.h"
#include "controller/core/result.h"
#include "controller/program/doctor/finding.h"

// What can be checked without Azure: the documents and the state directory. Nothing is left behind.
namespace galleryd::doctor {

// `paths` as typed; `read` is nullopt when none were named.
Finding judge_documents(const std::vector<std::string>& paths, const Result<ReadResult>& read, bool any_named);

// Whether a daemon could keep its journal there: the directory (or, when it is still to be made, the nearest one above)
// takes files, which is tried out, and no other daemon holds its lock. The lock is tried for an instant and given back.
Finding look_at_state_directory(const std::string& directory);

}  // namespace galleryd::doctor
