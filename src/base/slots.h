/* A map like sp_map, for entries that come and go: generators that wait, contexts that are left for a
 * while. An entry has its place in an array, by its key; the map behind has only those whose place is
 * taken. So few entries need no memory that is allocated and freed. */
#ifndef SP_SLOTS_H
#define SP_SLOTS_H

#include "base/map.h"

enum { SP_SLOTS = 64 };

typedef struct {
    const void *a, *b; /* where it has been freed, `a` is its own address, which is nobody's */
    void *value;       /* NULL: it is free */
} sp_slot;

typedef struct {
    sp_slot slots[SP_SLOTS];
    sp_map rest;
    uint32_t count;      /* entries, */
    uint32_t rest_count; /* and those in the map */
} sp_slots;

SP_INLINE uint32_t sp_slot_of(const void *a, const void *b)
{
    uint64_t mixed =
        ((uint64_t)(uintptr_t)a ^ (uint64_t)(uintptr_t)b) * UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(mixed >> 32) % SP_SLOTS;
}

/* NULL when absent. */
SP_INLINE void *sp_slots_get(const sp_slots *slots, const void *a, const void *b)
{
    const sp_slot *slot = &slots->slots[sp_slot_of(a, b)];
    if (SP_LIKELY(slot->a == a && slot->b == b))
        return slot->value;
    return SP_LIKELY(slots->rest_count == 0) ? NULL : sp_map_get(&slots->rest, a, b);
}

/* The key must be absent and the value not NULL. -1 when memory is out. */
SP_MUST_USE int sp_slots_add(sp_slots *slots, const void *a, const void *b, void *value);
/* Forget the key; returns its value, or NULL when it was absent. */
void *sp_slots_pop(sp_slots *slots, const void *a, const void *b);
/* Call visit(value, argument) for every entry, in no order, until it returns non-zero, which is then
 * returned. visit may pop its own entry. */
int sp_slots_each(const sp_slots *slots, int (*visit)(void *value, void *argument),
                  void *argument);
void sp_slots_free(sp_slots *slots);

#endif
