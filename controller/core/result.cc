#include "controller/core/result.h"

#include <cstdio>
#include <cstdlib>

#include "controller/core/check.h"

namespace galleryd {

std::string_view to_string(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::transient: return "transient";
        case ErrorKind::throttled: return "throttled";
        case ErrorKind::conflict: return "conflict";
        case ErrorKind::not_ready: return "not_ready";
        case ErrorKind::invalid: return "invalid";
        case ErrorKind::denied: return "denied";
        case ErrorKind::bug: return "bug";
    }
    return "bug";
}

void check_failed(const char* condition, const char* text, const char* file, int line) {
    std::fprintf(stderr, "galleryd: internal error: %s (%s) at %s:%d\n", text, condition, file, line);
    std::abort();
}

}  // namespace galleryd
