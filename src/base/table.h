/* The hash tables, all of them uthash underneath; nobody else includes <uthash.h>.
 *
 * sp_map maps a pair of addresses to an address: (parent node, region) -> node,
 * (code, region) -> line cells, (frame, NULL) -> suspended frame, ...
 * sp_names maps the text of a name to an address. */
#ifndef SP_TABLE_H
#define SP_TABLE_H

#include "base/compat.h"

typedef struct sp_map_entry sp_map_entry;
typedef struct {
    sp_map_entry *head;
} sp_map;

/* NULL when absent. */
void *sp_map_get(const sp_map *map, const void *a, const void *b);
/* The key must be absent and the value not NULL. -1 when memory is out. */
SP_MUST_USE int sp_map_add(sp_map *map, const void *a, const void *b, void *value);
/* Forget the key; returns its value, or NULL when it was absent. */
void *sp_map_pop(sp_map *map, const void *a, const void *b);
/* Call visit(value, argument) for every entry, in the order of insertion, until it returns
 * non-zero, which is then returned. visit may pop its own entry. */
int sp_map_each(const sp_map *map, int (*visit)(void *value, void *argument), void *argument);
void sp_map_free(sp_map *map);

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
