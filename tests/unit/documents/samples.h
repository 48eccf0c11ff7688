#pragma once
#include <string>
#include <vector>

#include "controller/adapters/documents/reader.h"

namespace galleryd::test {

std::string file_text(const std::string& path);           // path below the repository
std::string example(const std::string& path);             // path below crds/examples
ReadResult read(const std::vector<DocumentFile>& files);  // one thread, default limits
ReadResult read_text(const std::string& text);            // one file, "test.yaml"
std::string shown(const ReadResult& result);  // "code field line:column message" a line; "" without problems
std::string shown(const std::vector<Diagnostic>& problems);
std::string codes(const ReadResult& result);  // "GD1012 /spec/replicas" a line, errors and warnings

// A small valid estate without a version or policy: Gallery "golden" and ImageDefinition "ubuntu".
std::string estate();
// An ImageVersion document with these extra lines in its spec (two blanks in front of each).
std::string version_document(const std::string& name, const std::string& number, const std::string& extra_spec);

}  // namespace galleryd::test
