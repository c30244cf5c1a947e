#include "base/name_cache.h"

#include "base/heap.h"

void sp_name_cache_free(sp_name_cache *cache)
{
    sp_name_cache_table *table = cache->table;
    cache->table = NULL;
    while (table != NULL) {
        sp_name_cache_table *smaller = table->smaller;
        for (size_t i = 0; i < (size_t)1 << (64 - table->shift); i++) {
            for (int way = 0; way < SP_NAME_CACHE_WAYS; way++)
                Py_XDECREF(sp_name_cache_lines(table)[i].slots[way].name);
        }
        sp_free(table->memory);
        table = smaller;
    }
}

/* The new table is empty: what is still used comes into it by and by. */
static void replace(sp_name_cache *cache, unsigned bits)
{
    const uintptr_t line = sizeof(sp_name_cache_line);
    void *memory = sp_calloc(((size_t)1 << bits) + 2, line);
    if (memory == NULL)
        return;
    sp_name_cache_table *table = (void *)(((uintptr_t)memory + line - 1) & ~(line - 1));
    table->memory = memory;
    table->shift = 64 - bits;
#ifdef Py_GIL_DISABLED
    table->smaller = cache->table;
#else
    sp_name_cache_free(cache); /* nobody reads it */
#endif
    SP_STORE(&cache->table, table);
}

/* So many lines that nearly every name is the first in its own; with many regions one for each, so that
 * next to none is full; within reason. */
static void grow(sp_name_cache *cache, size_t regions)
{
    enum { FEWEST = 4, SPARSE = 14, MOST = 18 };
    unsigned bits = cache->table == NULL ? 0 : 64 - cache->table->shift;
    if (bits == 0)
        replace(cache, FEWEST);
    else if ((bits < SPARSE ? 4 * regions : regions) >= (size_t)1 << bits && bits < MOST)
        replace(cache, bits + 1);
}

/* A free slot, or any. */
static sp_name_cache_slot *slot_for(const sp_name_cache_table *table, const PyObject *name)
{
    sp_name_cache_slot *slots = sp_name_cache_slots(table, name);
    for (int way = 0; way < SP_NAME_CACHE_WAYS; way++) {
        if (slots[way].name == NULL)
            return &slots[way];
    }
    return &slots[((uintptr_t)name >> 6) % SP_NAME_CACHE_WAYS];
}

PyObject *sp_name_cache_put(sp_name_cache *cache, PyObject *name, struct sp_region *region,
                            size_t regions)
{
    /* A name that nobody else holds, made for this call, is not met again. */
    if (!PyUnicode_CheckExact(name) || Py_REFCNT(name) < 2)
        return NULL;
    grow(cache, regions);
    if (cache->table == NULL)
        return NULL;
    sp_name_cache_slot *slot = slot_for(cache->table, name);
    PyObject *before = slot->name;
    SP_STORE(&slot->name, NULL);
    SP_STORE(&slot->region, region);
    SP_STORE(&slot->name, Py_NewRef(name));
    return before;
}
