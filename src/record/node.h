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

#include "base/compat.h"
#include "counters/work.h"
#include "memory/thread_memory.h"
#include "record/sketch.h"
#include "record/thinning.h"

struct sp_region; /* here only an identity */

/* What takes time of ours, each an amount of its own, which overhead.py measures. */
typedef enum {
    SP_BLOCK,            /* calls that are entered and left: by `with`, */
    SP_DECORATED,        /* by a decorated function, */
    SP_TRACED,           /* by one that is traced, */
    SP_TRACED_C,         /* by a C function that is; */
    SP_GENERATOR,        /* calls that are made of steps, of a decorated generator or coroutine */
    SP_TRACED_GENERATOR, /* and of a traced one */
    SP_CALL_WAYS,
    SP_STEP = SP_CALL_WAYS, /* and their steps */
    SP_TRACED_STEP,
    SP_WAYS,
    SP_LOOKUP = SP_WAYS, /* done while a call is the innermost: a region found by name, */
    SP_METADATA,         /* metadata put in force and taken back, */
    SP_ANNOTATION,       /* looked up for a call, */
    SP_OUTCOME,          /* the end of a call noted; */
    SP_LINE,             /* lines that line mode counts; */
    SP_WORK,             /* work added to a call; */
    SP_THROTTLED,        /* a call of what is throttled, counted and not timed */
    SP_COSTS
} sp_cost;

/* Why calls below a node do not tell that one of its own is open. */
typedef enum {
    SP_PASSED = 1,  /* steps of calls ran there, or calls were counted alone */
    SP_OUTLIVED = 2 /* what was open inside a call ended after it */
} sp_past;

/* In the order in which a call touches it: with many regions each line of memory is another wait. */
typedef struct sp_node {
    uint32_t active;  /* calls open now */
    uint32_t active_alike; /* the same of all nodes of the region in its tree, in the first of them */
    uint32_t *alike;  /* that. Borrowed. */
    struct sp_region *region; /* NULL at the root, and for other paths */
    uint64_t sum;      /* ticks, every call */
    int64_t children;  /* and what other regions, entered inside, took, */
    uint64_t inside;   /* in so many calls */
    uint64_t minimum, maximum;
    sp_wide squares; /* sum of the squares: exact, so the deviation has no cancellation */
    sp_sketch sketch;
    uint32_t id; /* in order of creation; a parent's is smaller than its children's */
    bool other;  /* right below other paths */
    uint8_t past;             /* of sp_past */
    uint64_t costs[SP_COSTS]; /* how often each; the calls are those of the first SP_CALL_WAYS */
    uint64_t errors;   /* calls left by an exception */
    uint64_t throttled; /* further calls, which were counted and not timed (calls/throttle.h) */
    uint64_t nested;   /* ticks of those that were inside a call of the same node */
    uint64_t waiting;  /* of the total, what generators and tasks did not run */
    uint64_t first;    /* when its first call began, in ticks; UINT64_MAX before that */
    uint64_t open;     /* as of the last snapshot: the ticks of calls that are not over, outermost, */
    int64_t open_own;  /* and the part of them outside of other calls */
    struct sp_node *parent;
    sp_thinning *thinning; /* of the calls of the region, in its first node; or NULL. Owned. */
    sp_memory_span
        *memory; /* of its outermost calls, and the highest peak of all; NULL where that is
                             * not measured. Owned. */
    sp_work *work; /* that its calls did, or NULL for none. Owned. */
} sp_node;

/* Of a thread's tree. Tests have a smaller one. */
extern uint32_t sp_tree_bound;

/* The way from a node to that of a region that is entered there, or from nowhere to the first node of a region. */
typedef struct {
    const sp_node *parent; /* its lowest bit: nobody has gone there since the tree started over */
    const struct sp_region *region;
    sp_node *node; /* NULL: nothing is here */
} sp_edge;

typedef struct sp_tree {
    sp_node root;
    sp_node **nodes; /* by id; nodes[0] is the root. Owned. */
    uint32_t count, capacity;
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

/* One finished call: in which way it was made, ticks inside it, how many of those the calls made
 * inside took and how many these were, and whether it was made inside a call of the same region. */
SP_INLINE void sp_node_record(sp_node *node, sp_cost way, uint64_t ticks, int64_t children,
                              uint32_t inside, bool nested, bool failed)
{
    node->costs[way]++;
    node->sum += ticks;
    sp_node_end(node);
    if (SP_UNLIKELY(nested))
        node->nested += ticks;
    node->children += children;
    node->inside += inside;
    if (SP_UNLIKELY(failed))
        node->errors++;
    if (ticks < node->minimum)
        node->minimum = ticks;
    if (ticks > node->maximum)
        node->maximum = ticks;
    sp_wide_add(&node->squares, sp_wide_product(ticks, ticks));
    sp_sketch_add(&node->sketch, ticks);
}

/* Finished calls. */
SP_INLINE uint64_t sp_node_count(const sp_node *node)
{
    uint64_t count = 0;
    for (int way = 0; way < SP_CALL_WAYS; way++)
        count += node->costs[way];
    return count;
}

/* Wall time in the region: of a recursion the outermost call. And its own time, without what was
 * entered inside; exact also in recursion, where a call is a child of the one around it. */
SP_INLINE uint64_t sp_node_total(const sp_node *node) { return node->sum - node->nested; }
SP_INLINE int64_t sp_node_exclusive(const sp_node *node)
{
    return (int64_t)node->sum - node->children;
}

/* Statistics alone, without a place in a tree: what merges of nodes are collected in. */
void sp_node_init(sp_node *node, struct sp_region *region, sp_node *parent, uint32_t id);
void sp_node_free(sp_node *node);
/* Add what calls of the node took of memory; false when there is none for that. */
bool sp_node_add_memory(sp_node *node, const sp_memory_span *span);
/* The work of the node, to be added to; NULL when memory is out. */
sp_work *sp_node_work(sp_node *node);
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
/* The duration in ticks that the fraction q of the calls do not exceed, interpolated between
 * neighbours in rank as numpy does; 0 without calls. */
double sp_node_quantile(sp_node *node, double q);
/* The standard deviation of all calls in ticks (of the population, as numpy's default). */
double sp_node_deviation(const sp_node *node);

#endif
