/* A map of texts, the names of regions, to an address. It is uthash's; nobody else includes <uthash.h>. */
#ifndef SP_NAMES_H
#define SP_NAMES_H

#include "base/compat.h"

typedef struct sp_names_entry sp_names_entry;
typedef struct {
    sp_names_entry *head;
} sp_names;

/* The hash is the caller's, the same for the same text: a str keeps its own. */
void *sp_names_get(const sp_names *names, const char *text, size_t length, unsigned hash);
/* The text must stay where it is as long as the entry. -1 when memory is out. */
SP_MUST_USE int sp_names_add(sp_names *names, const char *text, size_t length, unsigned hash,
                             void *value);
/* Forget the text, which may be absent. */
void sp_names_pop(sp_names *names, const char *text, size_t length, unsigned hash);
void sp_names_free(sp_names *names);

#endif
