#pragma once
#include <cstddef>
#include <functional>
#include <string>

#include "controller/adapters/azure/secret.h"
#include "controller/core/result.h"

namespace galleryd::azure {

enum class Links : std::uint8_t { follow, refuse };

struct FileToRead {
    std::string path;
    std::size_t bytes_max = 64UL * 1024;
    Links links = Links::follow;  // Kubernetes' secret and token volumes consist of links
};

// Reads a small file as a whole, on the calling thread. Regular files only; a longer one is an error, never cut. The
// error's message says what is wrong with that path; kind and code are the caller's business. controller/program brings
// the real one, tests their own.
using ReadFile = std::function<Result<Secret>(const FileToRead&)>;

}  // namespace galleryd::azure
