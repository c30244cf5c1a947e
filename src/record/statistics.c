#include "record/statistics.h"

#include "base/clock.h"
#include "base/heap.h"
#include "record/context_charges.h"

/* ---- Open calls -------------------------------------------------------------------------- */

/* Before statistics are taken, in every thread: what open calls have come to, and how many calls
 * are over. */
typedef struct {
    uint64_t now, calls;
} settling;

static void add_open(sp_thread *thread, const sp_stack *stack, uint64_t now)
{
    uint64_t inside = 0;
    for (const sp_open_call *open = stack->top; open > stack->calls; open--) {
        uint64_t elapsed = now > open->start ? now - open->start : 0;
        int64_t own = (int64_t)elapsed - open->children - (int64_t)inside;
        if (open->context_marks & SP_AROUND)
            own -= sp_context_covered(thread, open, open < stack->top ? open + 1 : NULL, now);
        inside = elapsed;
        sp_totals *totals = sp_node_own_totals(open->node);
        if (totals == NULL) {
            thread->lost++;
            continue;
        }
        totals->open += open->nested ? 0 : elapsed;
        totals->open_own += own;
    }
}

static int add_parked(sp_thread *thread, void *into)
{
    add_open(thread, &thread->stack, ((const settling *)into)->now);
    return 0;
}

static int settle_thread(void *value, void *argument)
{
    sp_thread *thread = value;
    settling *into = argument;
    for (uint32_t i = 1; i < thread->tree.count; i++) {
        sp_node *node = thread->tree.nodes[i];
        into->calls += sp_node_count(node);
        if (node->totals != NULL) {
            node->totals->open = 0;
            node->totals->open_own = 0;
        }
    }
    add_open(thread, &thread->stack, into->now);
    sp_contexts_each(thread, add_parked, into);
    if (thread->task != NULL) /* whose calls are in the place of the thread's own */
        add_open(thread, &thread->home, into->now);
    return 0;
}

double sp_statistics_settle(sp_manager *manager)
{
    sp_clock_calibrate();
    settling sum = {.now = sp_now()};
    sp_map_each(&manager->threads, settle_thread, &sum);
    if (manager->scaled_run != manager->run || manager->scaled_calls != sum.calls) {
        manager->scale = sp_clock_scale();
        manager->scaled_run = manager->run;
        manager->scaled_calls = sum.calls;
    }
    return manager->scale;
}

/* ---- Sums -------------------------------------------------------------------------------- */

static int merge_thread(void *value, void *tree)
{
    sp_thread *thread = value;
    thread->merged = sp_tree_merge(tree, &thread->tree);
    return thread->merged == NULL ? -1 : 0;
}

static int forget_merged(void *value, void *unused)
{
    sp_thread *thread = value;
    (void)unused;
    sp_free(thread->merged);
    thread->merged = NULL;
    return 0;
}

void sp_statistics_forget_merged(sp_manager *manager)
{
    sp_map_each(&manager->threads, forget_merged, NULL);
}

sp_tree *sp_statistics_tree(sp_manager *manager)
{
    sp_tree *tree = sp_malloc(sizeof *tree);
    if (tree == NULL || sp_tree_init(tree) < 0) {
        sp_free(tree);
        return NULL;
    }
    if (sp_map_each(&manager->threads, merge_thread, tree) < 0) {
        sp_tree_free(tree);
        sp_free(tree);
        return NULL;
    }
    return tree;
}

void sp_statistics_free_tree(sp_tree *tree)
{
    if (tree != NULL)
        sp_tree_free(tree);
    sp_free(tree);
}

/* What all threads recorded of some regions. Recursion is folded, so no node of a region lies below
 * another and the totals add up. */
typedef struct {
    const sp_region *only; /* the one wanted, in `sums[0]`; NULL for all, in `sums` by id */
    sp_node *sums;
    sp_load *loads; /* like `sums` */
} summing;

static int add_thread(void *thread, void *argument)
{
    const sp_tree *tree = &((sp_thread *)thread)->tree;
    summing *into = argument;
    sp_load *loads = sp_malloc(tree->count * sizeof *loads);
    if (loads == NULL)
        return -1;
    int result = 0;
    sp_tree_load(tree, loads);
    for (uint32_t i = 1; result == 0 && i < tree->count; i++) {
        const sp_region *region = tree->nodes[i]->region;
        if (region == NULL || (into->only != NULL && into->only != region))
            continue;
        uint32_t at = into->only != NULL ? 0 : region->id;
        sp_load_add(&into->loads[at], &loads[i]);
        result = sp_node_merge(&into->sums[at], tree->nodes[i]);
    }
    sp_free(loads);
    return result;
}

int sp_region_sum_add(sp_manager *manager, const sp_region *region, sp_node *sum, sp_load *load)
{
    return sp_map_each(&manager->threads, add_thread, &(summing){region, sum, load});
}

int sp_region_sums_take(sp_manager *manager, sp_region_sums *regions)
{
    regions->count = manager->region_count;
    regions->sums = sp_malloc(((size_t)regions->count + 1) * sizeof *regions->sums);
    regions->loads = sp_calloc((size_t)regions->count + 1, sizeof *regions->loads);
    if (regions->sums == NULL || regions->loads == NULL) {
        regions->count = 0;
        return -1;
    }
    for (uint32_t i = 0; i < regions->count; i++)
        sp_node_init(&regions->sums[i], manager->regions[i], NULL, 0);
    return sp_map_each(&manager->threads, add_thread,
                       &(summing){NULL, regions->sums, regions->loads});
}

void sp_region_sums_free(sp_region_sums *regions)
{
    for (uint32_t i = 0; i < regions->count; i++)
        sp_node_free(&regions->sums[i]);
    sp_free(regions->sums);
    sp_free(regions->loads);
}
