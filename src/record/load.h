/* What measuring costs the calls of a tree. */
#ifndef SP_LOAD_H
#define SP_LOAD_H

#include "record/tree.h"

/* What measuring has added to a time: what was done in it, and in which ways the calls were made that
 * were made inside it, which take time around their own. */
typedef struct {
    uint64_t done[SP_COSTS];
    uint64_t around[SP_WAYS];
} sp_added;

/* To the node's own time, and to that at the node and below it. */
typedef struct {
    sp_added own, total;
} sp_load;

/* The load of every node, by id. */
void sp_tree_load(const sp_tree *tree, sp_load *loads);
void sp_load_add(sp_load *into, const sp_load *from);

#endif
