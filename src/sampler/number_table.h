/* Numbers by a key of two words. Memory is the C library's: Python's may wait for the GIL, under tracemalloc,
 * for which the sampler never does. */
#ifndef SP_NUMBER_TABLE_H
#define SP_NUMBER_TABLE_H

#include "base/compat.h"

typedef struct {
    uint64_t a, b;
    uint32_t number;
    bool used;
} sp_numbered;

typedef struct {
    sp_numbered *slots;     /* Owned. */
    size_t count, capacity; /* a power of 2, or 0 */
} sp_number_table;

/* Where the number of a key is; NULL when there is none. */
uint32_t *sp_number_find(const sp_number_table *table, uint64_t a, uint64_t b);
/* Give a number to a key that has none; false when memory is out. */
SP_MUST_USE bool sp_number_add(sp_number_table *table, uint64_t a, uint64_t b, uint32_t number);
void sp_number_table_free(sp_number_table *table);

/* Room for one more in an array of so many; false when memory is out. */
SP_MUST_USE bool sp_room_for_one(void **array, size_t size, uint32_t count, uint32_t *capacity);

#endif
