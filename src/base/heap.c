#include "base/heap.h"

#include "base/local.h"

/* A thread that has nothing of its own yet records nothing either. */
void sp_own_memory_begin(void)
{
    if (sp_here.owner != NULL)
        sp_here.own_memory++;
}

void sp_own_memory_end(void)
{
    if (sp_here.owner != NULL)
        sp_here.own_memory--;
}

void *sp_malloc(size_t size)
{
    sp_own_memory_begin();
    void *block = PyMem_RawMalloc(size);
    sp_own_memory_end();
    return block;
}

void *sp_calloc(size_t count, size_t size)
{
    sp_own_memory_begin();
    void *block = PyMem_RawCalloc(count, size);
    sp_own_memory_end();
    return block;
}

void *sp_realloc(void *block, size_t size)
{
    sp_own_memory_begin();
    void *moved = PyMem_RawRealloc(block, size);
    sp_own_memory_end();
    return moved;
}

void sp_free(void *block) { PyMem_RawFree(block); }
