/* Regions by the address of their name: a name in the source is one object each time it is
 * executed, so its address finds the region in nearly all cases. There is room for as many as
 * there are regions; each slot holds what came last. Without the GIL nothing is kept. */
#ifndef SP_KNOWN_H
#define SP_KNOWN_H

#include "compat.h"

typedef struct {
    PyObject *name; /* Owned, so that its address cannot come to mean another text. */
    struct sp_region *region;
} sp_known_slot;

typedef struct {
    sp_known_slot *slots; /* NULL before the first. Owned. */
    size_t mask;
} sp_known;

SP_INLINE sp_known_slot *sp_known_slot_of(const sp_known *known, const PyObject *name)
{
    uintptr_t address = (uintptr_t)name >> 4;
    return &known->slots[(address ^ (address >> 12)) & known->mask];
}

SP_INLINE struct sp_region *sp_known_get(const sp_known *known, const PyObject *name)
{
    if (SP_UNLIKELY(known->slots == NULL))
        return NULL;
    const sp_known_slot *slot = sp_known_slot_of(known, name);
    return SP_LIKELY(slot->name == name) ? slot->region : NULL;
}

/* Keep one, with room for `regions`. */
void sp_known_put(sp_known *known, PyObject *name, struct sp_region *region, size_t regions);
void sp_known_free(sp_known *known);

#endif
