/* The calling-context tree, kept while the program runs: one node for each (parent node, region),
 * per thread, with the statistics of the calls made there. Because it is always up to date, the
 * report, get_stats() and the percentiles cost a walk over nodes and no pass over events.
 *
 * Recursion is folded: a region entered again below itself returns to the node it already has on
 * the path. So no path holds a region twice, a recursion 5 000 deep is still one node, and the
 * time of the outermost call is the node's inclusive total.
 *
 * The number of paths is bounded, as functions that call each other in any order have more of them
 * than there is memory. From sp_tree_bound nodes on, a new path to a region that has a node goes
 * under "other paths" instead: a node without a region, one for each node right below the root, with
 * one node for each region. A region that is new still gets a node of its own.
 */
#ifndef SP_NODE_H
#define SP_NODE_H

#include "record/totals.h"

struct sp_region; /* here only an identity */

/* Why calls below a node do not tell that one of its own is open. */
typedef enum {
    SP_PASSED = 1,  /* steps of calls ran there, or calls were counted alone */
    SP_OUTLIVED = 2 /* what was open inside a call ended after it */
} sp_past;

enum { SP_PENDING = 14 };

/* A call waits for each line of memory that it touches and that is not at hand, with many nodes for each of
 * them. So a node has two: what a call changes, and the ticks of calls that are not in its totals yet. Most
 * nodes never have more calls than these, and no totals while they are recorded. */
typedef struct sp_node {
    uint32_t active;  /* calls open now */
    uint32_t active_alike; /* the same of all nodes of the region in its tree, in the first of them */
    uint32_t *alike;  /* that. Borrowed. */
    int64_t children; /* ticks of what was entered inside, */
    uint64_t inside;  /* in so many calls */
    uint32_t id; /* in order of creation; a parent's is smaller than its children's */
    uint8_t pending_count;
    uint8_t pending_way; /* of sp_cost: that of all calls that are pending */
    bool other;  /* right below other paths */
    uint8_t past;             /* of sp_past */
    struct sp_region *region; /* NULL at the root, and for other paths */
    struct sp_node *parent;
    sp_totals *totals; /* of calls that are not pending, or NULL for none. Owned. */
    uint64_t first;    /* when its first call began, in ticks; UINT64_MAX before that */
    uint32_t pending[SP_PENDING]; /* ticks */
} sp_node;

/* Of a thread's tree. Tests have a smaller one. */
extern uint32_t sp_tree_bound;

/* The way from a node to that of a region that is entered there, or from nowhere to the first node of a region. */
typedef struct {
    const sp_node *parent; /* its lowest bit: nobody has gone there since the tree started over */
    const struct sp_region *region;
    sp_node *node; /* NULL: nothing is here */
} sp_edge;

/* Where a region was entered last: an edge that need not be looked for. With the GIL there is nothing to guard
 * there, without it nobody has one. */
typedef struct {
    const sp_node *parent;
    sp_node *node;
} sp_last_edge;

enum { SP_NODE_BLOCKS = 32 };

typedef struct sp_tree {
    sp_node root;
    sp_node **nodes; /* by id; nodes[0] is the root. Owned. */
    uint32_t count, capacity;
    /* Nodes lie in blocks, each twice as large as the one before. Owned. */
    void *blocks[SP_NODE_BLOCKS];
    uint32_t block_count, left; /* how many nodes are left in the last of them, */
    sp_node *next;              /* and where */
    /* Each lies where its hash says, or in the next that was free: room for at least twice as many as there are,
     * so that most are found in one line of memory. Owned. */
    sp_edge *edges;
    uint32_t edge_count, edge_mask; /* how many there are; one less than there is room for */
    /* Told of a node that is new, or whose past has changed; or NULL. */
    void (*grown)(struct sp_tree *tree, const sp_node *node);
} sp_tree;

SP_MUST_USE int sp_tree_init(sp_tree *tree);
void sp_tree_free(sp_tree *tree);
/* Count from nothing again. Nodes stay, as calls are open there and generators suspended; nobody may
 * remember edges any longer, so that each node learns anew when its first call begins. */
void sp_tree_start_over(sp_tree *tree);

SP_INLINE uint32_t sp_edge_place(const sp_tree *tree, const sp_node *parent,
                                 const struct sp_region *region)
{
    uint64_t mixed = ((uint64_t)(uintptr_t)parent + 3 * (uint64_t)(uintptr_t)region)
                     * UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(mixed >> 32) & tree->edge_mask;
}

/* The node of region when it is entered at parent, where that was done before; or NULL. */
SP_INLINE sp_node *sp_tree_known_child(const sp_tree *tree, const sp_node *parent,
                                       const struct sp_region *region)
{
    uint32_t place = sp_edge_place(tree, parent, region);
    const sp_edge *edge = &tree->edges[place];
    while (SP_UNLIKELY(edge->parent != parent || edge->region != region) && edge->node != NULL) {
        place = (place + 1) & tree->edge_mask;
        edge = &tree->edges[place];
    }
    return edge->node;
}

/* The same, made when missing; NULL when memory is out. */
sp_node *sp_tree_child(sp_tree *tree, sp_node *parent, struct sp_region *region);

SP_INLINE void sp_tree_note_past(sp_tree *tree, sp_node *node, sp_past past)
{
    if (SP_LIKELY((node->past & past) != 0))
        return;
    node->past |= (uint8_t)past;
    if (tree->grown != NULL)
        tree->grown(tree, node);
}

/* The first node of its region in its tree. */
SP_INLINE sp_node *sp_node_first_alike(const sp_node *node)
{
    return (sp_node *)((char *)node->alike - offsetof(sp_node, active_alike));
}

/* It is needed soon: the clock takes as long as it takes to get it. NULL does no harm. */
SP_INLINE void sp_node_fetch(const sp_node *node)
{
    SP_PREFETCH(node);
    SP_PREFETCH((const void *)((uintptr_t)node + offsetof(sp_node, pending)));
}

/* A call begins. Where others of its region are open in the tree (*alike), it may be a recursion, also
 * where the one around it has another node. */
SP_INLINE void sp_node_begin(sp_node *node)
{
    node->active++;
    ++*node->alike;
}

/* It ends, or is suspended. */
SP_INLINE void sp_node_end(sp_node *node)
{
    node->active--;
    --*node->alike;
}

/* The totals, to be read; not of what is pending, which merged nodes have none of. */
SP_INLINE sp_totals *sp_node_totals(const sp_node *node)
{
    return node->totals != NULL ? node->totals : &sp_no_totals;
}
/* The same, to be written to; NULL when memory is out. */
sp_totals *sp_node_make_totals(sp_node *node);
SP_INLINE sp_totals *sp_node_own_totals(sp_node *node)
{
    return SP_LIKELY(node->totals != NULL) ? node->totals : sp_node_make_totals(node);
}

/* A call that cannot be pending with those that are; these are in the totals then. */
SP_MUST_USE bool sp_node_record_slow(sp_node *node, sp_cost way, uint64_t ticks);

/* One finished call: in which way it was made, ticks inside it, how many of those the calls made
 * inside took and how many these were, and whether it was made inside a call of the same region. False when
 * memory is out for some of that. */
SP_MUST_USE SP_INLINE bool sp_node_record(sp_node *node, sp_cost way, uint64_t ticks,
                                          int64_t children, uint32_t inside, bool nested,
                                          bool failed)
{
    sp_node_end(node);
    node->children += children;
    node->inside += inside;
    bool told = true;
    if (SP_UNLIKELY(nested || failed)) {
        sp_totals *totals = sp_node_own_totals(node);
        told = totals != NULL;
        if (told) {
            totals->nested += nested ? ticks : 0;
            totals->errors += failed;
        }
    }
    if (SP_UNLIKELY(node->pending_count == SP_PENDING || node->pending_way != (uint8_t)way
                    || ticks > UINT32_MAX))
        return sp_node_record_slow(node, way, ticks) && told;
    node->pending[node->pending_count++] = (uint32_t)ticks;
    return told;
}

/* How often there was this. */
SP_INLINE uint64_t sp_node_cost(const sp_node *node, sp_cost cost)
{
    return sp_node_totals(node)->costs[cost]
           + (node->pending_way == (uint8_t)cost ? node->pending_count : 0);
}

/* Finished calls. */
SP_INLINE uint64_t sp_node_count(const sp_node *node)
{
    return sp_totals_count(sp_node_totals(node)) + node->pending_count;
}

/* Own time, without what was entered inside; exact also in recursion, where a call is a child of the one
 * around it. Of a node that has nothing pending. */
SP_INLINE int64_t sp_node_exclusive(const sp_node *node)
{
    return (int64_t)sp_node_totals(node)->sum - node->children;
}

/* Statistics alone, without a place in a tree: what merges of nodes are collected in. */
void sp_node_init(sp_node *node, struct sp_region *region, sp_node *parent, uint32_t id);
void sp_node_free(sp_node *node);
SP_MUST_USE int sp_node_merge(sp_node *into, const sp_node *from);
/* Add every node of one tree to the same paths of another, but for those where nothing happened, nor
 * below them. Returns, by id, the node that each was added to, or NULL, which the caller frees; NULL when
 * memory is out. */
SP_MUST_USE sp_node **sp_tree_merge(sp_tree *into, const sp_tree *from);
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
