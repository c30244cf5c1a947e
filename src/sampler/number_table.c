#include "sampler/number_table.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 64 };

static uint64_t hash_of(uint64_t a, uint64_t b)
{
    uint64_t mixed = (a ^ (b << 32 | b >> 32)) * 0x9E3779B97F4A7C15u;
    mixed ^= mixed >> 29;
    return (mixed + b) * 0xBF58476D1CE4E5B9u >> 16;
}

/* The key's slot, or the free one where it would be. */
static sp_numbered *slot_of(const sp_number_table *table, uint64_t a, uint64_t b)
{
    size_t mask = table->capacity - 1, place = (size_t)hash_of(a, b) & mask;
    while (table->slots[place].used && (table->slots[place].a != a || table->slots[place].b != b))
        place = (place + 1) & mask;
    return &table->slots[place];
}

uint32_t *sp_number_find(const sp_number_table *table, uint64_t a, uint64_t b)
{
    if (table->capacity == 0)
        return NULL;
    sp_numbered *slot = slot_of(table, a, b);
    return slot->used ? &slot->number : NULL;
}

static bool grow(sp_number_table *table)
{
    sp_number_table larger = {.count = table->count};
    larger.capacity = table->capacity == 0 ? FIRST_CAPACITY : 2 * table->capacity;
    larger.slots = calloc(larger.capacity, sizeof *larger.slots);
    if (larger.slots == NULL)
        return false;
    for (size_t i = 0; i < table->capacity; i++) {
        if (table->slots[i].used)
            *slot_of(&larger, table->slots[i].a, table->slots[i].b) = table->slots[i];
    }
    free(table->slots);
    *table = larger;
    return true;
}

bool sp_number_add(sp_number_table *table, uint64_t a, uint64_t b, uint32_t number)
{
    if (2 * (table->count + 1) > table->capacity && !grow(table))
        return false;
    *slot_of(table, a, b) = (sp_numbered){a, b, number, true};
    table->count++;
    return true;
}

void sp_number_table_free(sp_number_table *table)
{
    free(table->slots);
    *table = (sp_number_table){0};
}

bool sp_room_for_one(void **array, size_t size, uint32_t count, uint32_t *capacity)
{
    if (count < *capacity)
        return true;
    uint32_t more = *capacity == 0 ? FIRST_CAPACITY : 2 * *capacity;
    void *larger = realloc(*array, more * size);
    if (larger == NULL)
        return false;
    *array = larger;
    *capacity = more;
    return true;
}
