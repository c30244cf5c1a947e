#define _GNU_SOURCE
#include "sampler/peek.h"

#ifdef __linux__
#    include <fcntl.h>
#    include <sys/uio.h>
#    include <unistd.h>

/* Containers may forbid the system call; then the file is read, which has the same memory. */
static int memory_file = -1;
static bool by_file = false;

enum { PLACES_AT_ONCE = 64 };

bool sp_peek(void *into, const void *address, size_t size)
{
    if (by_file)
        return pread(memory_file, into, size, (off_t)(uintptr_t)address) == (ssize_t)size;
    const struct iovec local = {into, size};
    const struct iovec remote = {(void *)address, size};
    return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)size;
}

bool sp_peek_all(const sp_peeked *places, size_t count)
{
    while (count != 0) {
        struct iovec local[PLACES_AT_ONCE], remote[PLACES_AT_ONCE];
        size_t some = count < PLACES_AT_ONCE ? count : PLACES_AT_ONCE;
        ssize_t size = 0;
        for (size_t i = 0; i < some; i++) {
            local[i] = (struct iovec){places[i].into, places[i].size};
            remote[i] = (struct iovec){(void *)places[i].address, places[i].size};
            size += (ssize_t)places[i].size;
            if (by_file && !sp_peek(places[i].into, places[i].address, places[i].size))
                return false;
        }
        if (!by_file && process_vm_readv(getpid(), local, some, remote, some, 0) != size)
            return false;
        places += some;
        count -= some;
    }
    return true;
}

bool sp_peek_init(void)
{
    const int known = 42;
    int read = 0;
    by_file = false;
    if (sp_peek(&read, &known, sizeof read) && read == known)
        return true;
    if (memory_file < 0)
        memory_file = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    by_file = memory_file >= 0;
    return by_file && sp_peek(&read, &known, sizeof read) && read == known;
}

#else

bool sp_peek_init(void) { return false; }

bool sp_peek(void *into, const void *address, size_t size)
{
    (void)into, (void)address, (void)size;
    return false;
}

bool sp_peek_all(const sp_peeked *places, size_t count)
{
    (void)places, (void)count;
    return false;
}

#endif
