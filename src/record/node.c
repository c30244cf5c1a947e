#include "record/node.h"

#include <math.h>

#include "base/clock.h"
#include "base/heap.h"

void sp_node_init(sp_node *node, struct sp_region *region, sp_node *parent, uint32_t id)
{
    *node = (sp_node){.region = region, .parent = parent, .id = id, .first = UINT64_MAX};
}

void sp_node_free(sp_node *node)
{
    sp_totals_free(node->totals);
    node->totals = NULL;
}

/* The tests of a large package have some 85 000 paths. A node takes 0.2 kB with few calls and up to 1.5 kB with
 * many, and 4 when results are taken. */
uint32_t sp_tree_bound = 1 << 16;

enum { FIRST_EDGES = 64, EDGES_OF_A_NODE = 4 };
/* In the parent of an edge: nobody has gone there since the tree started over. */
#define ASLEEP ((uintptr_t)1)

int sp_tree_init(sp_tree *tree)
{
    memset(tree, 0, sizeof *tree);
    sp_node_init(&tree->root, NULL, NULL, 0);
    tree->capacity = 16;
    tree->nodes = sp_malloc(tree->capacity * sizeof *tree->nodes);
    tree->edges = sp_calloc(FIRST_EDGES, sizeof *tree->edges);
    tree->edge_mask = FIRST_EDGES - 1;
    if (tree->nodes == NULL || tree->edges == NULL) {
        sp_free(tree->nodes);
        sp_free(tree->edges);
        return -1;
    }
    tree->nodes[0] = &tree->root;
    tree->count = 1;
    return 0;
}

void sp_tree_free(sp_tree *tree)
{
    for (uint32_t i = 1; i < tree->count; i++)
        sp_node_free(tree->nodes[i]);
    for (uint32_t i = 0; i < tree->block_count; i++)
        sp_free(tree->blocks[i]);
    sp_node_free(&tree->root);
    sp_free(tree->nodes);
    sp_free(tree->edges);
    memset(tree, 0, sizeof *tree);
}

static void node_start_over(sp_node *node)
{
    sp_node before = *node;
    sp_node_free(node);
    sp_node_init(node, before.region, before.parent, before.id);
    node->active = before.active;
    node->active_alike = before.active_alike;
    node->alike = before.alike;
    node->other = before.other;
}

void sp_tree_start_over(sp_tree *tree)
{
    for (uint32_t i = 0; i < tree->count; i++)
        node_start_over(tree->nodes[i]);
    for (uint32_t i = 0; i <= tree->edge_mask; i++) {
        sp_edge *edge = &tree->edges[i];
        edge->parent = (const sp_node *)((uintptr_t)edge->parent | ASLEEP);
    }
}

/* ---- Edges ------------------------------------------------------------------------------- */

static const sp_node *parent_of(const sp_edge *edge)
{
    return (const sp_node *)((uintptr_t)edge->parent & ~ASLEEP);
}

/* Where the edge is, or is to be. */
static sp_edge *find_edge(const sp_tree *tree, const sp_node *parent,
                          const struct sp_region *region)
{
    uint32_t place = sp_edge_place(tree, parent, region);
    for (;; place = (place + 1) & tree->edge_mask) {
        sp_edge *edge = &tree->edges[place];
        if (edge->node == NULL || (parent_of(edge) == parent && edge->region == region))
            return edge;
    }
}

static sp_node *first_of(const sp_tree *tree, const struct sp_region *region)
{
    return find_edge(tree, NULL, region)->node;
}

/* Make room for two more; false when memory is out. */
static bool reserve_edges(sp_tree *tree)
{
    uint32_t before = tree->edge_mask + 1;
    if (tree->edge_count + 2 <= before / 2)
        return true;
    sp_edge *edges = tree->edges, *more = sp_calloc(2 * (size_t)before, sizeof *more);
    if (more == NULL)
        return false;
    tree->edges = more;
    tree->edge_mask = 2 * before - 1;
    for (const sp_edge *edge = edges; edge < edges + before; edge++) {
        if (edge->node != NULL)
            *find_edge(tree, parent_of(edge), edge->region) = *edge;
    }
    sp_free(edges);
    return true;
}

/* One that is not there. There is room. */
static void add_edge(sp_tree *tree, const sp_node *parent, const struct sp_region *region,
                     sp_node *node)
{
    *find_edge(tree, parent, region) = (sp_edge){parent, region, node};
    tree->edge_count++;
}

/* ---- Growing ----------------------------------------------------------------------------- */

/* Room for a node, at the begin of a line of memory; NULL when memory is out. */
static sp_node *take_node(sp_tree *tree)
{
    enum { FIRST_BLOCK = 8, LINE = 64 };
    if (tree->left == 0) {
        size_t count = (size_t)FIRST_BLOCK << tree->block_count;
        void *block = tree->block_count == SP_NODE_BLOCKS
                          ? NULL
                          : sp_malloc(count * sizeof(sp_node) + LINE);
        if (block == NULL)
            return NULL;
        tree->blocks[tree->block_count++] = block;
        tree->next = (sp_node *)(((uintptr_t)block + LINE - 1) / LINE * LINE);
        tree->left = (uint32_t)count;
    }
    tree->left--;
    return tree->next++;
}

static sp_node *tree_grow(sp_tree *tree, sp_node *parent, struct sp_region *region)
{
    if (tree->count == tree->capacity) {
        sp_node **nodes =
            sp_realloc(tree->nodes, 2 * (size_t)tree->capacity * sizeof *nodes);
        if (nodes == NULL)
            return NULL;
        tree->nodes = nodes;
        tree->capacity *= 2;
    }
    sp_node *node = reserve_edges(tree) ? take_node(tree) : NULL;
    if (node == NULL)
        return NULL;
    sp_node_init(node, region, parent, tree->count);
    node->first = sp_now();
    add_edge(tree, parent, region, node);
    sp_node *first =
        region == NULL ? NULL : first_of(tree, region); /* counts the open calls of all */
    if (region != NULL && first == NULL)
        add_edge(tree, NULL, region, node);
    node->alike = &(first == NULL ? node : first)->active_alike;
    tree->nodes[tree->count++] = node;
    if (tree->grown != NULL)
        tree->grown(tree, node);
    return node;
}

static sp_node *get_or_grow(sp_tree *tree, sp_node *parent, struct sp_region *region)
{
    sp_node *node = find_edge(tree, parent, region)->node;
    return node != NULL ? node : tree_grow(tree, parent, region);
}

static sp_node *other_paths(sp_tree *tree, sp_node *below)
{
    while (below->parent != NULL && below->parent != &tree->root)
        below = below->parent;
    bool is_there = below->parent != NULL && below->region == NULL; /* below the root itself */
    return is_there ? below : get_or_grow(tree, below, NULL);
}

static sp_node *other_path(sp_tree *tree, sp_node *parent, struct sp_region *region)
{
    sp_node *others = other_paths(tree, parent);
    sp_node *node = others == NULL ? NULL : get_or_grow(tree, others, region);
    if (node != NULL)
        node->other = true;
    return node;
}

/* Remember that one goes from the parent to another node than a child of its own; not where there are too many
 * of these. */
static void remember(sp_tree *tree, const sp_node *parent, const struct sp_region *region,
                     sp_node *node)
{
    if (node != NULL && tree->edge_count < EDGES_OF_A_NODE * sp_tree_bound && reserve_edges(tree))
        add_edge(tree, parent, region, node);
}

/* The node on the path that recursion returns to, or NULL. */
static sp_node *same_above(sp_node *parent, const struct sp_region *region)
{
    sp_node *above = parent;
    while (above->parent != NULL && above->region != region)
        above = above->parent;
    return above->parent == NULL ? NULL : above;
}

static sp_node *child(sp_tree *tree, sp_node *parent, struct sp_region *region)
{
    sp_edge *edge = find_edge(tree, parent, region);
    if (edge->node != NULL) {
        edge->parent = parent; /* it is awake */
        return edge->node;
    }
    sp_node *node = same_above(parent, region);
    bool is_full = tree->count >= sp_tree_bound && first_of(tree, region) != NULL;
    if (node == NULL && !is_full && !parent->other)
        return tree_grow(tree, parent, region);
    if (node == NULL)
        node = other_path(tree, parent, region);
    if (find_edge(tree, parent, region)->node == NULL)
        remember(tree, parent, region, node);
    return node;
}

SP_APART sp_node *sp_tree_child(sp_tree *tree, sp_node *parent, struct sp_region *region)
{
    sp_node *node = child(tree, parent, region);
    if (node != NULL && node->first == UINT64_MAX) /* its first call after starting over */
        node->first = sp_now();
    return node;
}

/* ---- Totals ------------------------------------------------------------------------------ */

SP_APART sp_totals *sp_node_make_totals(sp_node *node)
{
    node->totals = sp_totals_new();
    return node->totals;
}

_Static_assert((int)SP_PENDING <= (int)SP_SKETCH_FEW, "they are added to a sketch together");

static void add_pending(sp_totals *totals, const sp_node *node)
{
    sp_totals_add_all(totals, node->pending, node->pending_count);
    totals->costs[node->pending_way] += node->pending_count;
}

SP_APART bool sp_node_record_slow(sp_node *node, sp_cost way, uint64_t ticks)
{
    bool fits = ticks <= UINT32_MAX;
    if (node->pending_count != 0 || !fits) {
        sp_totals *totals = sp_node_own_totals(node);
        if (totals == NULL)
            return false;
        add_pending(totals, node);
        node->pending_count = 0;
        if (!fits) {
            sp_totals_add(totals, ticks);
            totals->costs[way]++;
            return true;
        }
    }
    node->pending_way = (uint8_t)way;
    node->pending[node->pending_count++] = (uint32_t)ticks;
    return true;
}

int sp_node_merge(sp_node *into, const sp_node *from)
{
    into->active += from->active;
    into->children += from->children;
    into->inside += from->inside;
    if (from->first < into->first)
        into->first = from->first;
    if (from->pending_count == 0 && from->totals == NULL)
        return 0;
    sp_totals *totals = sp_node_own_totals(into);
    if (totals == NULL)
        return -1;
    add_pending(totals, from);
    return from->totals == NULL ? 0 : sp_totals_merge(totals, from->totals);
}

static bool is_used(const sp_node *node)
{
    const sp_totals *totals = sp_node_totals(node);
    uint64_t all = node->active | node->pending_count | totals->throttled;
    for (int i = 0; i < SP_COSTS; i++)
        all |= totals->costs[i];
    return all != 0;
}

/* Mark the nodes that are used, and those above them, by anything but NULL. */
static void mark_used(const sp_tree *tree, sp_node **marks)
{
    memset(marks, 0, tree->count * sizeof *marks);
    for (uint32_t i = tree->count; i-- > 1;) { /* children come after their parents */
        sp_node *node = tree->nodes[i];
        if (marks[i] != NULL || is_used(node))
            marks[i] = marks[node->parent->id] = node;
    }
}

static sp_node *same_path(sp_tree *into, sp_node *parent, const sp_node *node)
{
    uint32_t count = into->count;
    sp_node *same = node->region == NULL ? other_paths(into, parent)
                    : node->other        ? other_path(into, parent, node->region)
                                         : child(into, parent, node->region);
    while (count < into->count) /* new ones, whose calls are still to come */
        into->nodes[count++]->first = UINT64_MAX;
    return same;
}

sp_node **sp_tree_merge(sp_tree *into, const sp_tree *from)
{
    sp_node **placed = sp_malloc(from->count * sizeof *placed);
    if (placed == NULL)
        return NULL;
    mark_used(from, placed);
    placed[0] = &into->root;
    for (uint32_t i = 1; i < from->count; i++) { /* parents come before their children */
        const sp_node *node = from->nodes[i];
        if (placed[i] == NULL)
            continue;
        placed[i] = same_path(into, placed[node->parent->id], node);
        if (placed[i] == NULL || sp_node_merge(placed[i], node) < 0) {
            sp_free(placed);
            return NULL;
        }
    }
    return placed;
}

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
