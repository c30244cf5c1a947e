#include "record/load.h"

#include <math.h>

static void add(sp_added *into, const sp_added *from)
{
    for (int i = 0; i < SP_COSTS; i++)
        into->done[i] += from->done[i];
    for (int way = 0; way < SP_WAYS; way++)
        into->around[way] += from->around[way];
}

void sp_load_add(sp_load *into, const sp_load *from)
{
    add(&into->own, &from->own);
    add(&into->total, &from->total);
}

/* How many entries these were: a call of a generator is none, its steps are. */
static uint64_t entries(const uint64_t *ways)
{
    uint64_t sum = 0;
    for (int way = 0; way < SP_WAYS; way++) {
        if (way != SP_GENERATOR && way != SP_TRACED_GENERATOR)
            sum += ways[way];
    }
    return sum;
}

static void add_scaled(uint64_t *into, const uint64_t *ways, double factor)
{
    for (int way = 0; way < SP_WAYS; way++)
        into[way] += (uint64_t)(llround((double)ways[way] * factor));
}

/* The calls of a node's children were made directly inside it, unless recursion was folded: then some
 * were made further down, or some that were made inside it are the node's, or of one above. Which
 * is not known: these are counted as made in the ways of the node's own. */
static void settle(sp_added *own, uint64_t inside)
{
    uint64_t children = entries(own->around), done = entries(own->done);
    double missing = (double)inside - (double)children;
    if (missing < 0)
        add_scaled(own->around, own->around, missing / (double)children);
    else if (missing > 0 && done != 0)
        add_scaled(own->around, own->done, missing / (double)done);
}

void sp_tree_load(const sp_tree *tree, sp_load *loads)
{
    memset(loads, 0, tree->count * sizeof *loads);
    for (uint32_t i = 0; i < tree->count; i++) {
        const sp_node *node = tree->nodes[i];
        for (int cost = 0; cost < SP_COSTS; cost++)
            loads[i].own.done[cost] = sp_node_cost(node, (sp_cost)cost);
        for (int way = 0; i != 0 && way < SP_WAYS; way++)
            loads[node->parent->id].own.around[way] += loads[i].own.done[way];
    }
    for (uint32_t i = 0; i < tree->count; i++) {
        if (i != 0) /* the root is no call */
            settle(&loads[i].own, tree->nodes[i]->inside);
        loads[i].total = loads[i].own;
    }
    for (uint32_t i = tree->count; i-- > 1;) /* children come after their parents */
        add(&loads[tree->nodes[i]->parent->id].total, &loads[i].total);
}
