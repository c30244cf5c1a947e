#include "memory/allocators.h"

#include "base/heap.h"
#include "base/platform.h"
#include "memory/block_sizes.h"
#include "memory/thread_memory.h"

/* What our allocators do: hand on, or count; or while it is asked whether they are in, say so first. */
enum { OFF, ON, ASKED };
static int state;

/* Python's three, and NumPy's. */
enum { NUMPY = PYMEM_DOMAIN_OBJ + 1, DOMAINS };
static bool was_asked[DOMAINS];

static SP_NOINLINE bool counts_slow(int domain)
{
    was_asked[domain] |= (SP_LOAD(&state) & ASKED) != 0;
    return (SP_LOAD(&state) & ON) != 0;
}

SP_INLINE bool counts(int domain)
{
    return SP_LIKELY(SP_LOAD(&state) == ON) || counts_slow(domain);
}

/* ---- Counting ---------------------------------------------------------------------------- */

/* Of what an allocator takes, that which it takes from another one, as pymalloc does large blocks, does not
 * count once more. A thread that records nothing has no counters, but its blocks are known all the same. */
SP_INLINE bool is_inside(const sp_thread_memory *mine) { return mine != NULL && mine->inside; }

SP_INLINE sp_thread_memory *go_inside(void)
{
    sp_thread_memory *mine = sp_here.memory;
    if (mine != NULL)
        mine->inside = true;
    return mine;
}

SP_INLINE void come_out(sp_thread_memory *mine)
{
    if (mine != NULL)
        mine->inside = false;
}

/* What our own code takes, the core's or Python's, is not the program's. */
SP_INLINE void *took(sp_thread_memory *mine, void *block, size_t size)
{
    if (SP_UNLIKELY(block == NULL || (sp_here.own_memory | sp_here.unrecorded) != 0))
        return block;
    sp_block_size_set(block, size);
    if (SP_LIKELY(mine != NULL))
        sp_memory_took(mine, size);
    return block;
}

/* A block that is about to be freed: after that its place may be another thread's. */
typedef struct {
    size_t size;
    bool known;
} known_block;

/* False when an allocator gives it back for another one. */
SP_INLINE bool gives_back(void *block, known_block *before)
{
    before->known = block != NULL && sp_block_size_take(block, &before->size);
    return !is_inside(sp_here.memory);
}

SP_INLINE void freed(sp_thread_memory *mine, const known_block *before)
{
    if (before->known && mine != NULL)
        sp_memory_gave_back(mine, before->size);
}

SP_INLINE void *resized(sp_thread_memory *mine, void *block, const known_block *before,
                        void *moved, size_t size)
{
    if (SP_LIKELY(moved != NULL)) {
        freed(mine, before);
        return took(mine, moved, size);
    }
    if (before->known) /* it is as it was */
        sp_block_size_set(block, before->size);
    return NULL;
}

/* ---- Python's allocators ----------------------------------------------------------------- */

/* PyMem_SetAllocator() writes five words which threads without the GIL read one by one. So ours have the
 * context of those that they were put before, and read what they hand on to from here: a record that never
 * changes. Whatever mixture a thread finds, it works. */
static const PyMemAllocatorEx *below[NUMPY];

SP_INLINE void *count_malloc(PyMemAllocatorDomain domain, size_t size)
{
    const PyMemAllocatorEx *next = SP_LOAD(&below[domain]);
    if (!counts(domain) || is_inside(sp_here.memory))
        return next->malloc(next->ctx, size);
    sp_thread_memory *mine = go_inside();
    void *block = next->malloc(next->ctx, size);
    come_out(mine);
    return took(mine, block, size);
}

SP_INLINE void *count_calloc(PyMemAllocatorDomain domain, size_t count, size_t size)
{
    const PyMemAllocatorEx *next = SP_LOAD(&below[domain]);
    if (!counts(domain) || is_inside(sp_here.memory))
        return next->calloc(next->ctx, count, size);
    sp_thread_memory *mine = go_inside();
    void *block = next->calloc(next->ctx, count, size);
    come_out(mine);
    return took(mine, block, count * size);
}

SP_INLINE void *count_realloc(PyMemAllocatorDomain domain, void *block, size_t size)
{
    const PyMemAllocatorEx *next = SP_LOAD(&below[domain]);
    known_block before;
    if (!counts(domain) || !gives_back(block, &before))
        return next->realloc(next->ctx, block, size);
    sp_thread_memory *mine = go_inside();
    void *moved = next->realloc(next->ctx, block, size);
    come_out(mine);
    return resized(mine, block, &before, moved, size);
}

SP_INLINE void count_free(PyMemAllocatorDomain domain, void *block)
{
    const PyMemAllocatorEx *next = SP_LOAD(&below[domain]);
    known_block before;
    if (!counts(domain) || !gives_back(block, &before)) {
        next->free(next->ctx, block);
        return;
    }
    sp_thread_memory *mine = go_inside();
    freed(mine, &before);
    next->free(next->ctx, block);
    come_out(mine);
}

#define ALLOCATOR(name, domain)                                                                  \
    static void *name##_malloc(void *unused, size_t size)                                        \
    {                                                                                            \
        (void)unused;                                                                            \
        return count_malloc(domain, size);                                                       \
    }                                                                                            \
    static void *name##_calloc(void *unused, size_t count, size_t size)                          \
    {                                                                                            \
        (void)unused;                                                                            \
        return count_calloc(domain, count, size);                                                \
    }                                                                                            \
    static void *name##_realloc(void *unused, void *block, size_t size)                          \
    {                                                                                            \
        (void)unused;                                                                            \
        return count_realloc(domain, block, size);                                               \
    }                                                                                            \
    static void name##_free(void *unused, void *block)                                           \
    {                                                                                            \
        (void)unused;                                                                            \
        count_free(domain, block);                                                               \
    }

ALLOCATOR(raw, PYMEM_DOMAIN_RAW)
ALLOCATOR(mem, PYMEM_DOMAIN_MEM)
ALLOCATOR(obj, PYMEM_DOMAIN_OBJ)

static const PyMemAllocatorEx ours[NUMPY] = {
    [PYMEM_DOMAIN_RAW] = {NULL, raw_malloc, raw_calloc, raw_realloc, raw_free},
    [PYMEM_DOMAIN_MEM] = {NULL, mem_malloc, mem_calloc, mem_realloc, mem_free},
    [PYMEM_DOMAIN_OBJ] = {NULL, obj_malloc, obj_calloc, obj_realloc, obj_free},
};

/* Whether the allocators of the domain ask ours, which others may have been put before. */
static bool is_in(PyMemAllocatorDomain domain)
{
    int before = state;
    sp_own_memory_begin();
    was_asked[domain] = false;
    SP_STORE(&state, before | ASKED);
    switch (domain) {
    case PYMEM_DOMAIN_RAW:
        sp_free(sp_malloc(1));
        break;
    case PYMEM_DOMAIN_MEM:
        PyMem_Free(PyMem_Malloc(1));
        break;
    case PYMEM_DOMAIN_OBJ:
        PyObject_Free(PyObject_Malloc(1));
        break;
    }
    SP_STORE(&state, before);
    sp_own_memory_end();
    return was_asked[domain];
}

bool sp_allocators_are_in(void)
{
    return is_in(PYMEM_DOMAIN_RAW) && is_in(PYMEM_DOMAIN_MEM) && is_in(PYMEM_DOMAIN_OBJ);
}

static int put_in(PyMemAllocatorDomain domain)
{
    if (is_in(domain))
        return 0;
    PyMemAllocatorEx *now = sp_malloc(sizeof *now); /* never freed: a thread may be reading it */
    if (now == NULL)
        return -1;
    PyMem_GetAllocator(domain, now);
    PyMemAllocatorEx put = ours[domain];
    put.ctx = now->ctx;
    SP_STORE(&below[domain], now);
    PyMem_SetAllocator(domain, &put);
    return 0;
}

int sp_allocators_count(bool on)
{
    static uint32_t users;
    if (!on) {
        if (--users == 0)
            SP_STORE(&state, OFF);
        return 0;
    }
    if (put_in(PYMEM_DOMAIN_RAW) < 0 || put_in(PYMEM_DOMAIN_MEM) < 0
        || put_in(PYMEM_DOMAIN_OBJ) < 0)
        return -1;
    if (users++ == 0) {
        sp_block_sizes_forget();
        SP_STORE(&state, ON);
    }
    return 0;
}

/* ---- NumPy's ----------------------------------------------------------------------------- */

/* As numpy/ndarraytypes.h has it, version 1. */
typedef struct {
    void *ctx;
    void *(*malloc)(void *ctx, size_t size);
    void *(*calloc)(void *ctx, size_t count, size_t size);
    void *(*realloc)(void *ctx, void *block, size_t size);
    void (*free)(void *ctx, void *block, size_t size);
} numpy_allocator;

typedef struct {
    char name[127];
    uint8_t version;
    numpy_allocator allocator;
} numpy_handler;

static numpy_allocator numpy_below;

static void *numpy_malloc(void *ctx, size_t size)
{
    if (!counts(NUMPY) || is_inside(sp_here.memory))
        return numpy_below.malloc(ctx, size);
    sp_thread_memory *mine = go_inside();
    void *block = numpy_below.malloc(ctx, size);
    come_out(mine);
    return took(mine, block, size);
}

static void *numpy_calloc(void *ctx, size_t count, size_t size)
{
    if (!counts(NUMPY) || is_inside(sp_here.memory))
        return numpy_below.calloc(ctx, count, size);
    sp_thread_memory *mine = go_inside();
    void *block = numpy_below.calloc(ctx, count, size);
    come_out(mine);
    return took(mine, block, count * size);
}

static void *numpy_realloc(void *ctx, void *block, size_t size)
{
    known_block before;
    if (!counts(NUMPY) || !gives_back(block, &before))
        return numpy_below.realloc(ctx, block, size);
    sp_thread_memory *mine = go_inside();
    void *moved = numpy_below.realloc(ctx, block, size);
    come_out(mine);
    return resized(mine, block, &before, moved, size);
}

static void numpy_free(void *ctx, void *block, size_t size)
{
    known_block before;
    if (!counts(NUMPY) || !gives_back(block, &before)) {
        numpy_below.free(ctx, block, size);
        return;
    }
    sp_thread_memory *mine = go_inside();
    freed(mine, &before);
    numpy_below.free(ctx, block, size);
    come_out(mine);
}

/* PyDataMem_SetHandler() would be for one context, and threads begin with empty ones: so it is the default
 * handler whose functions are replaced, which all contexts share, and arrays that are there already. */
bool sp_allocators_enter_numpy(void *of_numpy)
{
    numpy_handler *handler = of_numpy;
    numpy_allocator *theirs = &handler->allocator;
    if (strcmp(handler->name, "default_allocator") != 0 || handler->version != 1
        || !sp_is_writable(theirs, sizeof *theirs))
        return false;
    if (theirs->malloc == numpy_malloc)
        return true;
    numpy_below = *theirs;
    SP_STORE(&theirs->free, numpy_free);
    SP_STORE(&theirs->realloc, numpy_realloc);
    SP_STORE(&theirs->calloc, numpy_calloc);
    SP_STORE(&theirs->malloc, numpy_malloc);
    return true;
}
