#pragma once
#include <string>
#include <vector>

#include "controller/adapters/documents/reader.h"
#include "controller/core/result.h"

namespace galleryd {

inline constexpr std::size_t read_files_max = 20'000;
inline constexpr std::size_t read_bytes_max = 512UL * 1024 * 1024;

// The manifests at the paths: files as they are, folders recursively (*.yaml, *.yml, *.json; hidden ones skipped;
// sorted). Below a folder nothing outside it is ever opened: links are resolved beneath it (openat2) or refused; linked
// folders are not entered. Only regular files; of a file larger than 1 MiB just enough is read for read_documents to
// refuse it. Errors: invalid, with code GD1090 (does not exist), GD1091 (no file or folder, or a link that leads out),
// GD1092 (too many), GD1093 (cannot be read), GD1094 (nothing found).
Result<std::vector<DocumentFile>> read_paths(std::vector<std::string> paths);

}  // namespace galleryd
