#include "base/table.h"

#include "base/heap.h"

/* Without these two uthash ends the process when memory is out. */
#define HASH_NONFATAL_OOM 1
/* Shorter chains: each entry of one is a cache miss, which is what a look-up among many costs. */
#define HASH_BKT_CAPACITY_THRESH 5U
#define uthash_malloc(size) sp_malloc(size)
#define uthash_free(pointer, size) sp_free(pointer)
#include <uthash.h>

typedef struct {
    const void *a, *b;
} pair;

struct sp_map_entry {
    pair key;
    void *value;
    UT_hash_handle hh;
};

/* Addresses differ in their middle bits: two multiplications spread those over the low ones
 * that uthash uses, in a fraction of the time of a byte-wise hash. */
static unsigned hash_pair(const void *a, const void *b)
{
    uint64_t mixed = (uint64_t)(uintptr_t)a * UINT64_C(0x9E3779B97F4A7C15)
                     + (uint64_t)(uintptr_t)b * UINT64_C(0xC2B2AE3D27D4EB4F);
    return (unsigned)(mixed >> 32) ^ (unsigned)(mixed >> 17);
}

static sp_map_entry *map_find(const sp_map *map, const void *a, const void *b)
{
    pair key = {a, b};
    sp_map_entry *entry = NULL;
    HASH_FIND_BYHASHVALUE(hh, map->head, &key, sizeof key, hash_pair(a, b), entry);
    return entry;
}

void *sp_map_get(const sp_map *map, const void *a, const void *b)
{
    sp_map_entry *entry = map_find(map, a, b);
    return entry == NULL ? NULL : entry->value;
}

int sp_map_add(sp_map *map, const void *a, const void *b, void *value)
{
    sp_map_entry *entry = sp_calloc(1, sizeof *entry);
    if (entry == NULL)
        return -1;
    entry->key = (pair){a, b};
    entry->value = value;
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, map->head, &entry->key, sizeof entry->key, hash_pair(a, b),
                                entry);
    if (entry->hh.tbl == NULL) { /* uthash's way to say that memory is out */
        sp_free(entry);
        return -1;
    }
    return 0;
}

void *sp_map_pop(sp_map *map, const void *a, const void *b)
{
    sp_map_entry *entry = map_find(map, a, b);
    if (entry == NULL)
        return NULL;
    void *value = entry->value;
    HASH_DEL(map->head, entry);
    sp_free(entry);
    return value;
}

int sp_map_each(const sp_map *map, int (*visit)(void *value, void *argument), void *argument)
{
    sp_map_entry *entry, *next;
    HASH_ITER(hh, map->head, entry, next) {
        int result = visit(entry->value, argument);
        if (result != 0)
            return result;
    }
    return 0;
}

void sp_map_free(sp_map *map)
{
    sp_map_entry *entry, *next;
    HASH_ITER(hh, map->head, entry, next) {
        HASH_DEL(map->head, entry);
        sp_free(entry);
    }
}

struct sp_names_entry {
    void *value;
    UT_hash_handle hh;
};

static sp_names_entry *names_find(const sp_names *names, const char *text, size_t length,
                                  unsigned hash)
{
    sp_names_entry *entry = NULL;
    HASH_FIND_BYHASHVALUE(hh, names->head, text, length, hash, entry);
    return entry;
}

void *sp_names_get(const sp_names *names, const char *text, size_t length, unsigned hash)
{
    sp_names_entry *entry = names_find(names, text, length, hash);
    return entry == NULL ? NULL : entry->value;
}

int sp_names_add(sp_names *names, const char *text, size_t length, unsigned hash, void *value)
{
    sp_names_entry *entry = sp_calloc(1, sizeof *entry);
    if (entry == NULL)
        return -1;
    entry->value = value;
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, names->head, text, length, hash, entry);
    if (entry->hh.tbl == NULL) {
        sp_free(entry);
        return -1;
    }
    return 0;
}

void sp_names_pop(sp_names *names, const char *text, size_t length, unsigned hash)
{
    sp_names_entry *entry = names_find(names, text, length, hash);
    if (entry == NULL)
        return;
    HASH_DEL(names->head, entry);
    sp_free(entry);
}

void sp_names_free(sp_names *names)
{
    sp_names_entry *entry, *next;
    HASH_ITER(hh, names->head, entry, next) {
        HASH_DEL(names->head, entry);
        sp_free(entry);
    }
}
