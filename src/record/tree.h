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
#ifndef SP_TREE_H
#define SP_TREE_H

#include "record/node.h"

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

/* Add every node of one tree to the same paths of another, but for those where nothing happened, nor
 * below them. Returns, by id, the node that each was added to, or NULL, which the caller frees; NULL when
 * memory is out. */
SP_MUST_USE sp_node **sp_tree_merge(sp_tree *into, const sp_tree *from);

#endif
