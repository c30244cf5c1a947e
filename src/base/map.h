/* A map of pairs of addresses to an address: (parent node, region) -> node, (code, region) -> line cells,
 * code -> decision, ... It is in the order of insertion.
 *
 * What a look-up costs are the lines of memory that it waits for. Entries lie in an array, and beside it are
 * slots with the hash and the place of each, as in Python's dict: what is absent touches one line, what is
 * there two. (With a chain of entries, each where it was allocated, these waits were a fourth of what a
 * program pays that calls thousands of functions for the first time.) */
#ifndef SP_MAP_H
#define SP_MAP_H

#include "base/compat.h"

typedef struct {
    const void *a, *b;
    void *value; /* NULL: it was popped */
} sp_map_entry;

typedef struct {
    sp_map_entry *entries; /* Owned. */
    uint64_t *slots;       /* from where its hash says on, the place of each entry. Owned. */
    uint32_t mask; /* one less than there are slots; there is room for half as many entries */
    uint32_t used, count; /* entries with those that were popped, and without */
} sp_map;

/* NULL when absent. */
void *sp_map_get(const sp_map *map, const void *a, const void *b);
/* The key must be absent and the value not NULL. -1 when memory is out. */
SP_MUST_USE int sp_map_add(sp_map *map, const void *a, const void *b, void *value);
/* Forget the key; returns its value, or NULL when it was absent. What is empty holds no memory. */
void *sp_map_pop(sp_map *map, const void *a, const void *b);
/* Call visit(value, argument) for every entry, in the order of insertion, until it returns
 * non-zero, which is then returned. visit may pop its own entry. */
int sp_map_each(const sp_map *map, int (*visit)(void *value, void *argument), void *argument);
void sp_map_free(sp_map *map);

#endif
