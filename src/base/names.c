#include "base/names.h"

#include "base/heap.h"

/* Without these two uthash ends the process when memory is out. */
#define HASH_NONFATAL_OOM 1
#define uthash_malloc(size) sp_malloc(size)
#define uthash_free(pointer, size) sp_free(pointer)
#include <uthash.h>

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
    HASH_ITER(hh, names->head, entry, next)
    {
        HASH_DEL(names->head, entry);
        sp_free(entry);
    }
}
