#include "record/tree.h"

#include "base/clock.h"
#include "base/heap.h"

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

void sp_tree_start_over(sp_tree *tree)
{
    for (uint32_t i = 0; i < tree->count; i++)
        sp_node_start_over(tree->nodes[i]);
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
        sp_node **nodes = sp_realloc(tree->nodes, 2 * (size_t)tree->capacity * sizeof *nodes);
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

/* ---- Merging ----------------------------------------------------------------------------- */

/* Mark the nodes that are used, and those above them, by anything but NULL. */
static void mark_used(const sp_tree *tree, sp_node **marks)
{
    memset(marks, 0, tree->count * sizeof *marks);
    for (uint32_t i = tree->count; i-- > 1;) { /* children come after their parents */
        sp_node *node = tree->nodes[i];
        if (marks[i] != NULL || sp_node_is_used(node))
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
