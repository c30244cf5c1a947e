/* Regions by the address of their name: a name in the source is one object each time it is
 * executed, so its address finds the region in nearly all cases. There is room for as many as
 * there are regions; each slot holds what came last.
 *
 * Without the GIL, slots are read while they are written, and no lock is taken: the writer takes the
 * name away before he changes the region, so a region that lies between two equal readings of the
 * name is that name's. Who asks holds the name, so its address means nothing else meanwhile; and
 * regions, and tables that have become too small, live as long as the manager. With the GIL nobody
 * reads meanwhile, and all is freed when regions are forgotten. */
#ifndef SP_KNOWN_H
#define SP_KNOWN_H

#include "base/compat.h"

typedef struct {
    PyObject *name; /* Owned, so that its address cannot come to mean another text. */
    struct sp_region *region;
} sp_known_slot;

typedef struct sp_known_table {
    struct sp_known_table *smaller; /* the one before, which others may still read. Owned. */
    size_t mask;
    sp_known_slot slots[];
} sp_known_table;

typedef struct {
    sp_known_table *table; /* NULL before the first. Owned. */
} sp_known;

SP_INLINE size_t sp_known_place(const sp_known_table *table, const PyObject *name)
{
    uintptr_t address = (uintptr_t)name >> 4;
    return (address ^ (address >> 12)) & table->mask;
}

SP_INLINE struct sp_region *sp_known_get(const sp_known *known, const PyObject *name)
{
#ifdef Py_GIL_DISABLED
    const sp_known_table *table = SP_LOAD(&known->table);
#else
    const sp_known_table *table = known->table;
#endif
    if (SP_UNLIKELY(table == NULL))
        return NULL;
    const sp_known_slot *slot = &table->slots[sp_known_place(table, name)];
#ifdef Py_GIL_DISABLED
    if (SP_UNLIKELY(SP_LOAD(&slot->name) != name))
        return NULL;
    struct sp_region *region = SP_LOAD(&slot->region);
    return SP_LIKELY(SP_LOAD(&slot->name) == name) ? region : NULL;
#else
    return SP_LIKELY(slot->name == name) ? slot->region : NULL;
#endif
}

/* Keep one, with room for `regions`. The caller keeps others from doing the same, and frees the name
 * that is returned, if any. */
SP_MUST_USE PyObject *sp_known_put(sp_known *known, PyObject *name, struct sp_region *region,
                                   size_t regions);
void sp_known_free(sp_known *known);

#endif
