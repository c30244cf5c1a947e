/* A node of the calling-context tree (tree.h): where it is, and the statistics of the calls that were made there. */
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
/* Count from nothing again, at the same place, where calls may be open. */
void sp_node_start_over(sp_node *node);
/* Whether anything has happened there. */
bool sp_node_is_used(const sp_node *node);

#endif
