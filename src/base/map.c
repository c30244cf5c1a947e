#include "base/map.h"

#include "base/heap.h"

/* A slot: the place of an entry, counted from 1, and in its upper half their hash. */
enum { FREE = 0, LEAST_SLOTS = 16 };
#define POPPED UINT64_C(0xFFFFFFFF)

static sp_map_entry *entry_at(const sp_map *map, uint64_t slot)
{
    return &map->entries[(uint32_t)slot - 1];
}

/* Addresses differ in their middle bits: two multiplications spread those over all. */
static uint32_t hash_pair(const void *a, const void *b)
{
    uint64_t mixed = (uint64_t)(uintptr_t)a * UINT64_C(0x9E3779B97F4A7C15)
                     + (uint64_t)(uintptr_t)b * UINT64_C(0xC2B2AE3D27D4EB4F);
    return (uint32_t)(mixed >> 32) ^ (uint32_t)(mixed >> 17);
}

/* NULL when absent. */
static uint64_t *find(const sp_map *map, const void *a, const void *b)
{
    uint32_t hash = hash_pair(a, b), at = hash & map->mask;
    if (map->slots == NULL)
        return NULL;
    for (; map->slots[at] != FREE; at = (at + 1) & map->mask) {
        uint64_t slot = map->slots[at];
        if (slot >> 32 != hash || slot == POPPED)
            continue;
        const sp_map_entry *entry = entry_at(map, slot);
        if (entry->a == a && entry->b == b)
            return &map->slots[at];
    }
    return NULL;
}

void *sp_map_get(const sp_map *map, const void *a, const void *b)
{
    const uint64_t *slot = find(map, a, b);
    return slot == NULL ? NULL : entry_at(map, *slot)->value;
}

static bool has_room(const sp_map *map)
{
    return map->slots != NULL && map->used <= map->mask / 2;
}

static void append(sp_map *map, sp_map_entry entry)
{
    uint32_t hash = hash_pair(entry.a, entry.b), at = hash & map->mask;
    while (map->slots[at] != FREE)
        at = (at + 1) & map->mask;
    map->entries[map->used++] = entry;
    map->slots[at] = (uint64_t)hash << 32 | map->used;
    map->count++;
}

/* Make room for as many entries again, and leave out those that were popped. */
static int make_room(sp_map *map)
{
    size_t slots = LEAST_SLOTS;
    while (slots < 4 * (size_t)map->count)
        slots *= 2;
    sp_map larger = {.mask = (uint32_t)(slots - 1)};
    larger.slots = sp_calloc(slots, sizeof *larger.slots);
    larger.entries = sp_malloc(slots / 2 * sizeof *larger.entries);
    if (larger.slots == NULL || larger.entries == NULL) {
        sp_map_free(&larger);
        return -1;
    }
    for (uint32_t i = 0; i < map->used; i++) {
        if (map->entries[i].value != NULL)
            append(&larger, map->entries[i]);
    }
    sp_map_free(map);
    *map = larger;
    return 0;
}

int sp_map_add(sp_map *map, const void *a, const void *b, void *value)
{
    if (!has_room(map) && make_room(map) < 0)
        return -1;
    append(map, (sp_map_entry){a, b, value});
    return 0;
}

void *sp_map_pop(sp_map *map, const void *a, const void *b)
{
    uint64_t *slot = find(map, a, b);
    if (slot == NULL)
        return NULL;
    sp_map_entry *entry = entry_at(map, *slot);
    void *value = entry->value;
    entry->value = NULL;
    *slot = POPPED;
    if (--map->count == 0)
        sp_map_free(map);
    return value;
}

int sp_map_each(const sp_map *map, int (*visit)(void *value, void *argument), void *argument)
{
    for (uint32_t i = 0; i < map->used; i++) { /* none is left when the last was popped */
        void *value = map->entries[i].value;
        int result = value == NULL ? 0 : visit(value, argument);
        if (result != 0)
            return result;
    }
    return 0;
}

void sp_map_free(sp_map *map)
{
    sp_free(map->entries);
    sp_free(map->slots);
    *map = (sp_map){0};
}
