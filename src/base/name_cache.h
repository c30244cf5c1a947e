/* Regions by the address of their name: a name in the source is one object each time it is
 * executed, so its address finds the region in nearly all cases. The slots in which a name may be
 * share a line of memory; what comes to a full line replaces one.
 *
 * Without the GIL, slots are read while they are written, and no lock is taken: the writer takes the
 * name away before it changes the region, so a region that lies between two equal readings of the
 * name is that name's. The caller holds the name, so its address means nothing else meanwhile; and
 * regions, and tables that have become too small, live as long as the manager. With the GIL nobody
 * reads meanwhile, and all is freed when regions are forgotten. */
#ifndef SP_NAME_CACHE_H
#define SP_NAME_CACHE_H

#include "base/compat.h"

typedef struct {
    PyObject *name; /* Owned, so that its address cannot come to mean another text. */
    struct sp_region *region;
} sp_name_cache_slot;

enum { SP_NAME_CACHE_WAYS = 64 / sizeof(sp_name_cache_slot) };
typedef struct {
    sp_name_cache_slot slots[SP_NAME_CACHE_WAYS];
} sp_name_cache_line;

/* It lies in one line of memory, and the lines right behind it. */
typedef struct sp_name_cache_table {
    struct sp_name_cache_table *smaller; /* the one before, which others may still read. Owned. */
    unsigned shift; /* there are 2^(64 - shift) lines */
    void *memory;   /* in which all this is. Owned. */
} sp_name_cache_table;

SP_INLINE sp_name_cache_line *sp_name_cache_lines(const sp_name_cache_table *table)
{
    return (sp_name_cache_line *)table + 1;
}

typedef struct {
    sp_name_cache_table *table; /* NULL before the first. Owned. */
} sp_name_cache;

/* Where it may be: objects of one size have addresses at equal distances, which the multiplication
 * scatters (Knuth, volume 3, 6.4: by 2^64 over the golden ratio). */
SP_INLINE sp_name_cache_slot *sp_name_cache_slots(const sp_name_cache_table *table,
                                                  const PyObject *name)
{
    uint64_t hash = (uint64_t)(uintptr_t)name * 0x9E3779B97F4A7C15u;
    return sp_name_cache_lines(table)[hash >> table->shift].slots;
}

SP_INLINE struct sp_region *sp_name_cache_get(const sp_name_cache *cache, const PyObject *name)
{
    const sp_name_cache_table *table = SP_LOAD(&cache->table);
    if (SP_UNLIKELY(table == NULL))
        return NULL;
    const sp_name_cache_slot *slot = sp_name_cache_slots(table, name);
    unsigned way = 0;
    while (SP_UNLIKELY(SP_LOAD(&slot->name) != name)) {
        if (++way == SP_NAME_CACHE_WAYS)
            return NULL;
        slot++;
    }
    struct sp_region *region = SP_LOAD(&slot->region);
#ifdef Py_GIL_DISABLED
    if (SP_UNLIKELY(SP_LOAD(&slot->name) != name))
        return NULL;
#endif
    return region;
}

/* Keep one, with room for `regions`. The caller keeps others from doing the same, and frees the name
 * that is returned, if any. */
SP_MUST_USE PyObject *sp_name_cache_put(sp_name_cache *cache, PyObject *name,
                                        struct sp_region *region, size_t regions);
void sp_name_cache_free(sp_name_cache *cache);

#endif
