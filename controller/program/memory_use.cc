#include "controller/program/memory_use.h"

#include <malloc.h>

namespace galleryd {

void keep_little_memory() {
#ifdef __GLIBC__
    // Fixed, because glibc otherwise raises both with each large block that is freed, up to 64 MiB that stay.
    mallopt(M_MMAP_THRESHOLD, 512 * 1024);
    mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
#endif
}

void give_back_memory() {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

}  // namespace galleryd
