#include "base/heap.h"

#include "base/local.h"

/* A thread that has nothing of its own yet records nothing either. */
static void begin(void)
{
    if (sp_here.owner != NULL)
        sp_here.own_memory++;
}

static void *end(void *block)
{
    if (sp_here.owner != NULL)
        sp_here.own_memory--;
    return block;
}

void *sp_malloc(size_t size)
{
    begin();
    return end(PyMem_RawMalloc(size));
}

void *sp_calloc(size_t count, size_t size)
{
    begin();
    return end(PyMem_RawCalloc(count, size));
}

void *sp_realloc(void *block, size_t size)
{
    begin();
    return end(PyMem_RawRealloc(block, size));
}

void sp_free(void *block) { PyMem_RawFree(block); }
