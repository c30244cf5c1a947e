#include "memory/block_sizes.h"

#include <stdlib.h>
#ifdef __linux__
#    include <sys/mman.h>
#endif

enum {
    GRANULE_BITS = 4,  /* of an address: inside 16 bytes, */
    LEAF_BITS = 20,    /* inside the megabyte of a leaf, */
    MIDDLE_BITS = 34,  /* inside the 16 GiB of a table of leaves, */
    ADDRESS_BITS = 47, /* and of what a process of the systems that there are can have */
    LEAF_PLACES = 1 << (LEAF_BITS - GRANULE_BITS),
    LEAVES = 1 << (MIDDLE_BITS - LEAF_BITS),
    TABLES = 1 << (ADDRESS_BITS - MIDDLE_BITS)
};

/* 0: unknown; LARGE: in the four places after this one; else the size and 1. */
typedef uint16_t place;
enum { LARGE = 0xffff, LARGE_PLACES = 4 };

static place **tables[TABLES];

/* Zeroed pages, which take memory when they are touched. From the system itself: the allocators are
 * calling. NULL when memory is out. */
static void *new_pages(size_t size)
{
#ifdef __linux__
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
#else
    return calloc(1, size);
#endif
}

static void free_pages(void *pages, size_t size)
{
#ifdef __linux__
    munmap(pages, size);
#else
    (void)size;
    free(pages);
#endif
}

/* What stands there, put there when there is nothing: by the first thread that comes. */
static SP_NOINLINE void *make(void **where, size_t size)
{
    void *made = new_pages(size), *nothing = NULL;
    if (made == NULL || SP_EXCHANGE_IF(where, &nothing, made))
        return made;
    free_pages(made, size);
    return nothing;
}

SP_INLINE place *place_of(uintptr_t address, bool wanted)
{
    uint64_t bits = address;
    if (SP_UNLIKELY((bits & ((1 << GRANULE_BITS) - 1)) != 0 || bits >> ADDRESS_BITS != 0))
        return NULL;
    place ***table = &tables[bits >> MIDDLE_BITS];
    place **leaves = SP_LOAD(table);
    if (SP_UNLIKELY(leaves == NULL)
        && (!wanted || (leaves = make((void **)table, LEAVES * sizeof *leaves)) == NULL))
        return NULL;
    leaves += bits >> LEAF_BITS & (LEAVES - 1);
    place *leaf = SP_LOAD(leaves);
    if (SP_UNLIKELY(leaf == NULL)
        && (!wanted || (leaf = make((void **)leaves, LEAF_PLACES * sizeof *leaf)) == NULL))
        return NULL;
    return leaf + (bits >> GRANULE_BITS & (LEAF_PLACES - 1));
}

/* The places after that of a large block, which may be in the next leaf. */
static SP_NOINLINE bool set_large(uintptr_t address, uint64_t size)
{
    for (int i = 1; i <= LARGE_PLACES; i++, size >>= 16) {
        place *part = place_of(address + ((uintptr_t)i << GRANULE_BITS), true);
        if (part == NULL)
            return false;
        *part = (place)size;
    }
    return true;
}

static SP_NOINLINE uint64_t take_large(uintptr_t address)
{
    uint64_t size = 0;
    for (int i = LARGE_PLACES; i > 0; i--) {
        place *part = place_of(address + ((uintptr_t)i << GRANULE_BITS), false);
        size = size << 16 | (part == NULL ? 0 : *part);
        if (part != NULL)
            *part = 0;
    }
    return size;
}

void sp_block_size_set(const void *block, size_t size)
{
    place *here = place_of((uintptr_t)block, true);
    if (SP_UNLIKELY(here == NULL))
        return;
    if (SP_LIKELY(size < LARGE - 1))
        *here = (place)(size + 1);
    else if (set_large((uintptr_t)block, size))
        *here = LARGE;
}

bool sp_block_size_take(const void *block, size_t *size)
{
    place *here = place_of((uintptr_t)block, false);
    if (here == NULL || *here == 0)
        return false;
    *size = SP_LIKELY(*here != LARGE) ? (size_t)*here - 1 : (size_t)take_large((uintptr_t)block);
    *here = 0;
    return true;
}

void sp_block_sizes_forget(void)
{
    for (size_t i = 0; i < TABLES; i++) {
        place **leaves = SP_LOAD(&tables[i]);
        for (size_t j = 0; leaves != NULL && j < LEAVES; j++) {
            place *leaf = SP_LOAD(&leaves[j]);
            if (leaf == NULL)
                continue;
#ifdef __linux__
            if (madvise(leaf, LEAF_PLACES * sizeof *leaf, MADV_DONTNEED) == 0)
                continue;
#endif
            memset(leaf, 0, LEAF_PLACES * sizeof *leaf);
        }
    }
}
