#include "base/pages.h"

#ifdef _WIN32

void sp_pages_rest(void *address, size_t length) { (void)address, (void)length; }

#else

#    include <sys/mman.h>

void sp_pages_rest(void *address, size_t length)
{
    (void)madvise(address, length, MADV_DONTNEED);
}

#endif
