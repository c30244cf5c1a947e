#include "record/snapshot.h"

#include "base/clock.h"
#include "base/world.h"
#include "record/contexts.h"
#include "record/counters.h"
#include "record/event_columns.h"
#include "record/manager.h"
#include "record/region.h"

/* ---- Statistics -------------------------------------------------------------------------- */

static const double quantiles[] = {0.5, 0.9, 0.95, 0.99, 0.999};
enum { QUANTILES = sizeof quantiles / sizeof *quantiles };

static PyObject *quantiles_ns(const sp_node *node, double scale)
{
    PyObject *values = PyTuple_New(QUANTILES);
    for (int i = 0; values != NULL && i < QUANTILES; i++) {
        double ticks = sp_node_quantile(node, quantiles[i]);
        PyObject *value = PyLong_FromLongLong(sp_clock_scaled_ns((int64_t)(ticks + 0.5), scale));
        if (value == NULL)
            Py_CLEAR(values);
        else
            PyTuple_SET_ITEM(values, i, value);
    }
    return values;
}

static PyObject *bytes_of(const sp_added *added)
{
    return PyBytes_FromStringAndSize((const char *)added, sizeof *added);
}

/* Running is told from waiting in calls that are made of steps, and in all where tasks are tracked. */
static PyObject *waiting_ns(const sp_node *node, bool tracked, double scale)
{
    uint64_t steps = node->costs[SP_GENERATOR] + node->costs[SP_TRACED_GENERATOR];
    if (!tracked && (steps == 0 || steps != sp_node_count(node)))
        Py_RETURN_NONE;
    return PyLong_FromLongLong(sp_clock_scaled_ns((int64_t)node->waiting, scale));
}

static PyObject *row_of(const sp_node *node, const sp_load *load, bool tracked, double scale)
{
#define NS(ticks) (long long)sp_clock_scaled_ns((int64_t)(ticks), scale)
    PyObject *percentiles = quantiles_ns(node, scale);
    if (percentiles == NULL)
        return NULL;
    double deviation = sp_node_deviation(node) * scale;
    uint64_t count = sp_node_count(node);
    long long parent = node->parent == NULL ? -1 : (long long)node->parent->id - 1;
    PyObject *region = node->region == NULL ? Py_None : (PyObject *)node->region;
    return Py_BuildValue(
        "(LOKKILLLLLdNKNNNLLL)", parent, region, (unsigned long long)count,
        (unsigned long long)node->errors, (unsigned)node->active, NS(sp_node_total(node)),
        NS(node->sum), NS(sp_node_exclusive(node)), NS(count == 0 ? 0 : node->minimum),
        NS(node->maximum), deviation, percentiles, (unsigned long long)node->inside,
        bytes_of(&load->own), bytes_of(&load->total), waiting_ns(node, tracked, scale),
        NS(node->open), NS(node->open_own),
        node->first == UINT64_MAX ? -1 : (long long)sp_clock_instant_ns(node->first));
#undef NS
}

/* Before statistics are taken, in every thread: what open calls have come to, and how many calls
 * are over. */
typedef struct {
    uint64_t now, calls;
} settling;

static void add_open(const sp_thread *thread, const sp_scope *bottom, const sp_scope *top,
                     uint64_t now)
{
    uint64_t inside = 0;
    for (const sp_scope *scope = top; scope > bottom; scope--) {
        uint64_t elapsed = now > scope->start ? now - scope->start : 0;
        if (!scope->nested)
            scope->node->open += elapsed;
        scope->node->open_own += (int64_t)elapsed - scope->children - (int64_t)inside;
        if (scope->context_marks & SP_AROUND)
            scope->node->open_own -=
                sp_context_covered(thread, scope, scope < top ? scope + 1 : NULL, now);
        inside = elapsed;
    }
}

static int add_parked(sp_thread *thread, void *into)
{
    add_open(thread, thread->scopes, thread->top, ((const settling *)into)->now);
    return 0;
}

static int settle_thread(void *value, void *argument)
{
    sp_thread *thread = value;
    settling *into = argument;
    for (uint32_t i = 1; i < thread->tree.count; i++) {
        sp_node *node = thread->tree.nodes[i];
        into->calls += sp_node_count(node);
        node->open = 0;
        node->open_own = 0;
    }
    add_open(thread, thread->scopes, thread->top, into->now);
    sp_contexts_each(thread, add_parked, into);
    if (thread->lane != NULL) /* whose calls are in the place of the thread's own */
        add_open(thread, thread->home.scopes, thread->home.top, into->now);
    return 0;
}

/* The threads are stopped. The scale stays as it is while no call ends, so that everything that is
 * taken in between agrees. */
static double settle(sp_manager *manager)
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

static int merge_thread(void *thread, void *tree)
{
    return sp_tree_merge(tree, &((sp_thread *)thread)->tree);
}

/* The rows of a tree, parents before children. */
static PyObject *rows_of_tree(const sp_tree *tree, bool tracked, double scale)
{
    sp_load *loads = PyMem_RawMalloc(tree->count * sizeof *loads);
    if (loads == NULL)
        return PyErr_NoMemory();
    sp_tree_load(tree, loads);
    PyObject *rows = PyList_New(tree->count - 1);
    for (uint32_t i = 1; rows != NULL && i < tree->count; i++) {
        PyObject *row = row_of(tree->nodes[i], &loads[i], tracked, scale);
        if (row == NULL)
            Py_CLEAR(rows);
        else
            PyList_SET_ITEM(rows, i - 1, row);
    }
    PyMem_RawFree(loads);
    return rows;
}

/* The trees of all threads as one; NULL when memory is out. The threads are stopped. */
static sp_tree *merged_tree(sp_manager *manager)
{
    sp_tree *tree = PyMem_RawMalloc(sizeof *tree);
    if (tree == NULL || sp_tree_init(tree) < 0) {
        PyMem_RawFree(tree);
        return NULL;
    }
    if (sp_map_each(&manager->threads, merge_thread, tree) < 0) {
        sp_tree_free(tree);
        PyMem_RawFree(tree);
        return NULL;
    }
    return tree;
}

static void free_tree(sp_tree *tree)
{
    if (tree != NULL)
        sp_tree_free(tree);
    PyMem_RawFree(tree);
}

static PyObject *collect_tree(sp_manager *manager)
{
    sp_lend_regions(manager);
    sp_stop();
    double scale = settle(manager);
    sp_tree *tree = merged_tree(manager);
    sp_go();
    PyObject *rows = tree == NULL ? PyErr_NoMemory() : rows_of_tree(tree, manager->waits, scale);
    free_tree(tree);
    sp_take_back_regions(manager);
    return rows;
}

/* The sketches of a tree: (number of the first bucket, counts as uint64) for each row. */
static PyObject *sketches_of_tree(const sp_tree *tree)
{
    PyObject *sketches = PyList_New(tree->count - 1);
    for (uint32_t i = 1; sketches != NULL && i < tree->count; i++) {
        const sp_sketch *sketch = &tree->nodes[i]->sketch;
        size_t size = sketch->octaves * SP_SKETCH_BUCKETS * sizeof *sketch->counts;
        PyObject *item = Py_BuildValue("(Iy#)", (unsigned)sketch->lowest * SP_SKETCH_BUCKETS,
                                       size == 0 ? "" : (const char *)sketch->counts,
                                       (Py_ssize_t)size);
        if (item == NULL)
            Py_CLEAR(sketches);
        else
            PyList_SET_ITEM(sketches, i - 1, item);
    }
    return sketches;
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
    sp_load *loads = PyMem_RawMalloc(tree->count * sizeof *loads);
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
    PyMem_RawFree(loads);
    return result;
}

static PyObject *collect_region(sp_manager *manager, sp_region *region)
{
    sp_node sum;
    sp_load load = {0};
    sp_node_init(&sum, region, NULL, 0);
    sp_stop();
    double scale = settle(manager);
    int added = sp_map_each(&manager->threads, add_thread, &(summing){region, &sum, &load});
    sp_go();
    PyObject *row = added < 0 ? PyErr_NoMemory() : row_of(&sum, &load, manager->waits, scale);
    sp_node_free(&sum);
    return row;
}

/* The sums of all regions. */
typedef struct {
    uint32_t count;
    sp_node *sums;   /* Owned. */
    sp_load *loads;  /* Owned. */
} region_sums;

/* The threads are stopped, so that there are no regions but these. -1 when memory is out. */
static int sum_regions(sp_manager *manager, region_sums *regions)
{
    regions->count = manager->region_count;
    regions->sums = PyMem_RawMalloc(((size_t)regions->count + 1) * sizeof *regions->sums);
    regions->loads = PyMem_RawCalloc((size_t)regions->count + 1, sizeof *regions->loads);
    if (regions->sums == NULL || regions->loads == NULL) {
        regions->count = 0;
        return -1;
    }
    for (uint32_t i = 0; i < regions->count; i++)
        sp_node_init(&regions->sums[i], manager->regions[i], NULL, 0);
    return sp_map_each(&manager->threads, add_thread,
                       &(summing){NULL, regions->sums, regions->loads});
}

static PyObject *rows_of_regions(const region_sums *regions, bool tracked, double scale)
{
    PyObject *rows = PyList_New(regions->count);
    for (uint32_t i = 0; rows != NULL && i < regions->count; i++) {
        PyObject *row = row_of(&regions->sums[i], &regions->loads[i], tracked, scale);
        if (row == NULL)
            Py_CLEAR(rows);
        else
            PyList_SET_ITEM(rows, i, row);
    }
    return rows;
}

static void free_sums(region_sums *regions)
{
    for (uint32_t i = 0; i < regions->count; i++)
        sp_node_free(&regions->sums[i]);
    PyMem_RawFree(regions->sums);
    PyMem_RawFree(regions->loads);
}

const char sp_snapshot_regions_doc[] =
"_collect_regions()\n--\n\n"
"The row of every region, as _collect(region) gives it, in the order of _regions().";

PyObject *sp_snapshot_regions(PyObject *self, PyObject *unused)
{
    sp_manager *manager = (sp_manager *)self;
    region_sums regions = {0};
    (void)unused;
    sp_lend_regions(manager);
    sp_stop();
    double scale = settle(manager);
    int summed = sum_regions(manager, &regions);
    sp_go();
    PyObject *rows =
        summed < 0 ? PyErr_NoMemory() : rows_of_regions(&regions, manager->waits, scale);
    free_sums(&regions);
    sp_take_back_regions(manager);
    return rows;
}

const char sp_snapshot_collect_doc[] =
"_collect(region)\n--\n\n"
"Statistics of the current run: one row for a region, or for None the rows of the tree, parents\n"
"before children. A row is (parent row or -1, region, calls, errors, open calls, total, sum of\n"
"all calls, exclusive, minimum, maximum, standard deviation, (p50, p90, p95, p99, p99.9), calls\n"
"made directly inside, what measuring has added to the exclusive time, and to the total, what of the\n"
"total generators and tasks did not run, what open calls have come to in all and by themselves, when\n"
"the first call began or -1); times are integer nanoseconds, the deviation a float of them, instants\n"
"on the perf_counter_ns() axis. What measuring has added: uint64 as bytes, how often each cost of\n"
"overhead.py was met there, and in which ways calls were made inside.";

PyObject *sp_snapshot_collect(PyObject *self, PyObject *region)
{
    sp_manager *manager = (sp_manager *)self;
    if (region == Py_None)
        return collect_tree(manager);
    if (!PyObject_TypeCheck(region, manager->state->region_type)) {
        PyErr_SetString(PyExc_TypeError, "_collect() takes a region or None");
        return NULL;
    }
    return collect_region(manager, (sp_region *)region);
}

/* ---- Calls -------------------------------------------------------------------------------- */

const char sp_snapshot_events_doc[] =
"_events(region)\n--\n\n"
"The finished calls of the current run as (ends, starts, durations, threads, annotations, tasks,\n"
"waits): bytearrays of int64, starts and durations in nanoseconds, starts on the perf_counter_ns()\n"
"axis, grouped by region id; ends[i] is where region i's calls end. threads numbers the thread of\n"
"each call, in the order in which threads began to record; None when one thread made them all.\n"
"annotations: the place in _annotations() of each call's metadata, -1 for none; None when no call\n"
"has any. tasks: the number of each call's lane less one, -1 for none, and waits, how long it\n"
"waited in ns; None when that is not tracked. Within a region: record by record, in the order in\n"
"which the calls ended. region: the only one wanted, or None for all.";

PyObject *sp_snapshot_events(PyObject *self, PyObject *region)
{
    sp_manager *manager = (sp_manager *)self;
    sp_event_columns events = {0};
    if (region != Py_None && !PyObject_TypeCheck(region, manager->state->region_type)) {
        PyErr_SetString(PyExc_TypeError, "_events() takes a region or None");
        return NULL;
    }
    sp_stop();
    sp_clock_calibrate();
    int done = sp_event_columns_gather(manager, region == Py_None ? NULL : (const sp_region *)region, &events);
    sp_go();
    PyObject *result = done < 0 ? PyErr_NoMemory() : sp_event_columns_tuple(&events);
    sp_event_columns_free(&events);
    return result;
}

/* ---- Counters ---------------------------------------------------------------------------- */

const char sp_snapshot_counters_doc[] =
"_counters()\n--\n\n"
"What the current run holds and what it missed, as a dict of int: calls finished, open, threads,\n"
"log_bytes; moved calls, which another thread left than had entered them, unmatched exits, lost\n"
"entries (no memory), dropped events (no memory), lines_lost; and costs, how often each cost of\n"
"overhead.py was met, as a tuple.";

PyObject *sp_snapshot_counters(PyObject *self, PyObject *unused)
{
    sp_manager *manager = (sp_manager *)self;
    (void)unused;
    sp_stop();
    sp_counters sum = sp_counters_take(manager);
    sp_go();
    return sp_counters_dict(manager, sum);
}

/* ---- All of one moment ------------------------------------------------------------------- */

const char sp_snapshot_all_doc[] =
"_snapshot(calls)\n--\n\n"
"(_collect(None), the sketch of each of its rows as (number of the first bucket, counts as bytes of\n"
"uint64), ns per tick, _collect_regions(), _events(None) or, without calls, None, _counters()), all\n"
"of one moment.";

PyObject *sp_snapshot_all(PyObject *self, PyObject *calls)
{
    sp_manager *manager = (sp_manager *)self;
    region_sums regions = {0};
    sp_event_columns events = {0};
    int wanted = PyObject_IsTrue(calls);
    if (wanted < 0)
        return NULL;
    sp_lend_regions(manager);
    sp_stop();
    double scale = settle(manager);
    sp_tree *tree = merged_tree(manager);
    bool done = tree != NULL && sum_regions(manager, &regions) == 0
                && (!wanted || sp_event_columns_gather(manager, NULL, &events) == 0);
    sp_counters sum = sp_counters_take(manager);
    sp_go();
    PyObject *parts[5] = {NULL};
    PyObject *result = NULL;
    if (!done)
        PyErr_NoMemory();
    else if ((parts[0] = rows_of_tree(tree, manager->waits, scale)) != NULL
             && (parts[1] = sketches_of_tree(tree)) != NULL
             && (parts[2] = rows_of_regions(&regions, manager->waits, scale)) != NULL
             && (parts[3] = wanted ? sp_event_columns_tuple(&events) : Py_NewRef(Py_None)) != NULL
             && (parts[4] = sp_counters_dict(manager, sum)) != NULL)
        result = Py_BuildValue("(OOdOOO)", parts[0], parts[1], scale, parts[2], parts[3], parts[4]);
    for (int i = 0; i < 5; i++)
        Py_XDECREF(parts[i]);
    free_tree(tree);
    free_sums(&regions);
    sp_take_back_regions(manager);
    sp_event_columns_free(&events);
    return result;
}
