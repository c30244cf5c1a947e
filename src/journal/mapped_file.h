/* A file that grows, mapped into memory as it does. Its space is taken from the disk before it is mapped,
 * so that writing to it raises no SIGBUS. */
#ifndef SP_MAPPED_FILE_H
#define SP_MAPPED_FILE_H

#include "base/compat.h"

typedef struct {
    char *address;
    size_t length;
} sp_mapping;

typedef struct sp_mapped_file {
    int file;               /* or -1 when it is closed */
    uint64_t device, inode; /* which it is: a program may close what it does not know */
    uint64_t size;
    uint64_t blocks;      /* in use by who made it: it must not go before */
    sp_mapping *mappings; /* Owned. */
    size_t count, capacity;
    struct sp_mapped_file *next, **link; /* in the list of all, for forks */
} sp_mapped_file;

/* Make a new file, with a lock on it as long as it is open. NULL with *error what errno says. */
sp_mapped_file *sp_mapped_file_create(const char *path, int *error);
/* Let it grow by so many bytes, which are mapped at *address: zeros. 0, or what errno says. */
SP_MUST_USE int sp_mapped_file_grow(sp_mapped_file *mapped, size_t length, char **address);
/* Take the name away from a file that it had once, if it is that one's still; without a name it goes when
 * it is not mapped any more. */
void sp_mapped_file_unlink(const char *path, uint64_t device, uint64_t inode);
/* What is mapped stays. */
void sp_mapped_file_close(sp_mapped_file *mapped);
/* Close it and forget what is mapped. */
void sp_mapped_file_free(sp_mapped_file *mapped);
/* The number of this process: a child that was forked must not write to its parent's. */
int64_t sp_mapped_file_process(void);

#endif
