#include "snapshot.h"

#include "clock.h"
#include "event_columns.h"
#include "lines.h"
#include "manager.h"
#include "region.h"
#include "world.h"

/* ---- Statistics -------------------------------------------------------------------------- */

static const double quantiles[] = {0.5, 0.9, 0.95, 0.99, 0.999};
enum { QUANTILES = sizeof quantiles / sizeof *quantiles };

static PyObject *quantiles_ns(const sp_node *node)
{
    PyObject *values = PyTuple_New(QUANTILES);
    for (int i = 0; values != NULL && i < QUANTILES; i++) {
        double ticks = sp_node_quantile(node, quantiles[i]);
        PyObject *value = PyLong_FromLongLong(sp_clock_span_ns((int64_t)(ticks + 0.5)));
        if (value == NULL)
            Py_CLEAR(values);
        else
            PyTuple_SET_ITEM(values, i, value);
    }
    return values;
}

static PyObject *row_of(const sp_node *node, sp_load load)
{
    PyObject *percentiles = quantiles_ns(node);
    if (percentiles == NULL)
        return NULL;
    double deviation = sp_node_deviation(node) * sp_clock_scale();
    long long parent = node->parent == NULL ? -1 : (long long)node->parent->id - 1;
    PyObject *region = node->region == NULL ? Py_None : (PyObject *)node->region;
    return Py_BuildValue(
        "(LOKKILLLLLdNKKKL)", parent, region, (unsigned long long)node->count,
        (unsigned long long)node->errors, (unsigned)node->active,
        (long long)sp_clock_span_ns((int64_t)sp_node_total(node)),
        (long long)sp_clock_span_ns((int64_t)node->sum),
        (long long)sp_clock_span_ns(sp_node_exclusive(node)),
        (long long)(node->count == 0 ? 0 : sp_clock_span_ns((int64_t)node->minimum)),
        (long long)sp_clock_span_ns((int64_t)node->maximum), deviation, percentiles,
        (unsigned long long)node->inside, (unsigned long long)load.calls,
        (unsigned long long)load.inside, (long long)sp_clock_span_ns((int64_t)node->waiting));
}

static int merge_thread(void *thread, void *tree)
{
    return sp_tree_merge(tree, &((sp_thread *)thread)->tree);
}

/* The rows of a tree, parents before children. */
static PyObject *rows_of_tree(const sp_tree *tree)
{
    sp_load *loads = PyMem_RawMalloc(tree->count * sizeof *loads);
    if (loads == NULL)
        return PyErr_NoMemory();
    sp_tree_load(tree, loads);
    PyObject *rows = PyList_New(tree->count - 1);
    for (uint32_t i = 1; rows != NULL && i < tree->count; i++) {
        PyObject *row = row_of(tree->nodes[i], loads[i]);
        if (row == NULL)
            Py_CLEAR(rows);
        else
            PyList_SET_ITEM(rows, i - 1, row);
    }
    PyMem_RawFree(loads);
    return rows;
}

static PyObject *collect_tree(sp_manager *manager)
{
    sp_tree *tree = PyMem_RawMalloc(sizeof *tree);
    if (tree == NULL || sp_tree_init(tree) < 0) {
        PyMem_RawFree(tree);
        return PyErr_NoMemory();
    }
    sp_stop();
    int merged = sp_map_each(&manager->threads, merge_thread, tree);
    sp_go();
    PyObject *rows = merged < 0 ? PyErr_NoMemory() : rows_of_tree(tree);
    sp_tree_free(tree);
    PyMem_RawFree(tree);
    return rows;
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
        if (into->only != NULL && into->only != region)
            continue;
        uint32_t at = into->only != NULL ? 0 : region->id;
        into->loads[at].calls += loads[i].calls;
        into->loads[at].inside += loads[i].inside;
        result = sp_node_merge(&into->sums[at], tree->nodes[i]);
    }
    PyMem_RawFree(loads);
    return result;
}

/* -1 when memory is out. */
static int sum_threads(sp_manager *manager, summing *into)
{
    sp_stop();
    int result = sp_map_each(&manager->threads, add_thread, into);
    sp_go();
    return result;
}

static PyObject *collect_region(sp_manager *manager, sp_region *region)
{
    sp_node sum;
    sp_load load = {0};
    sp_node_init(&sum, region, NULL, 0);
    int added = sum_threads(manager, &(summing){region, &sum, &load});
    PyObject *row = added < 0 ? PyErr_NoMemory() : row_of(&sum, load);
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
    return sum_threads(manager, &(summing){NULL, regions->sums, regions->loads});
}

static PyObject *rows_of_regions(const region_sums *regions)
{
    PyObject *rows = PyList_New(regions->count);
    for (uint32_t i = 0; rows != NULL && i < regions->count; i++) {
        PyObject *row = row_of(&regions->sums[i], regions->loads[i]);
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
    region_sums regions = {0};
    (void)unused;
    sp_stop();
    sp_clock_calibrate();
    int summed = sum_regions((sp_manager *)self, &regions);
    sp_go();
    PyObject *rows = summed < 0 ? PyErr_NoMemory() : rows_of_regions(&regions);
    free_sums(&regions);
    return rows;
}

const char sp_snapshot_collect_doc[] =
"_collect(region)\n--\n\n"
"Statistics of the current run: one row for a region, or for None the rows of the tree, parents\n"
"before children. A row is (parent row or -1, region, calls, errors, open calls, total, sum of\n"
"all calls, exclusive, minimum, maximum, standard deviation, (p50, p90, p95, p99, p99.9), calls\n"
"made directly inside, calls at and below the node, calls made directly inside any of those, what\n"
"of the total generators and tasks did not run); times are integer nanoseconds, the deviation a\n"
"float of them.";

PyObject *sp_snapshot_collect(PyObject *self, PyObject *region)
{
    sp_manager *manager = (sp_manager *)self;
    sp_clock_calibrate();
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

const char sp_snapshot_all_doc[] =
"_snapshot()\n--\n\n"
"(_collect_regions(), _events(None)), both of one moment.";

PyObject *sp_snapshot_all(PyObject *self, PyObject *unused)
{
    sp_manager *manager = (sp_manager *)self;
    region_sums regions = {0};
    sp_event_columns events = {0};
    (void)unused;
    sp_stop();
    sp_clock_calibrate();
    bool done = sum_regions(manager, &regions) == 0 && sp_event_columns_gather(manager, NULL, &events) == 0;
    sp_go();
    PyObject *rows = done ? rows_of_regions(&regions) : PyErr_NoMemory();
    PyObject *columns = rows == NULL ? NULL : sp_event_columns_tuple(&events);
    free_sums(&regions);
    sp_event_columns_free(&events);
    if (columns != NULL)
        return Py_BuildValue("(NN)", rows, columns);
    Py_XDECREF(rows);
    return NULL;
}

/* ---- Counters ---------------------------------------------------------------------------- */

typedef struct {
    uint64_t calls, open, lost, dropped, bytes;
} totals;

static int add_totals(void *value, void *argument)
{
    const sp_thread *thread = value;
    totals *sum = argument;
    for (uint32_t i = 1; i < thread->tree.count; i++) {
        sum->calls += thread->tree.nodes[i]->count;
        sum->open += thread->tree.nodes[i]->active;
    }
    sum->lost += thread->lost;
    sum->dropped += thread->log.dropped;
    for (size_t i = 0; i < thread->log.count; i++)
        sum->bytes += sizeof(sp_block)
                      + thread->log.blocks[i]->capacity * sizeof(sp_record);
    return 0;
}

const char sp_snapshot_counters_doc[] =
"_counters()\n--\n\n"
"What the current run holds and what it missed, as a dict of int: calls finished, open, threads,\n"
"log_bytes; moved calls, which another thread left than had entered them, unmatched exits, lost\n"
"entries (no memory), dropped events (no memory), lines_lost.";

PyObject *sp_snapshot_counters(PyObject *self, PyObject *unused)
{
    sp_manager *manager = (sp_manager *)self;
    totals sum = {0};
    (void)unused;
    sp_stop();
    sp_map_each(&manager->threads, add_totals, &sum);
    uint64_t threads = (uint64_t)manager->thread_count;
    sp_go();
    return Py_BuildValue("{sKsKsKsKsKsKsKsKsK}", "calls", (unsigned long long)sum.calls, "open",
                         (unsigned long long)sum.open, "threads", (unsigned long long)threads,
                         "log_bytes", (unsigned long long)sum.bytes, "moved",
                         (unsigned long long)manager->moved, "unmatched",
                         (unsigned long long)manager->unmatched, "lost",
                         (unsigned long long)sum.lost, "dropped", (unsigned long long)sum.dropped,
                         "lines_lost", (unsigned long long)(sp_lines_lost() - manager->lines_lost_before));
}
