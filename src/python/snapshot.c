#include "python/snapshot.h"

#include "base/clock.h"
#include "base/thread_guard.h"
#include "python/rows.h"
#include "python/state.h"
#include "record/counters.h"
#include "record/event_columns.h"
#include "record/statistics.h"

/* ---- Statistics -------------------------------------------------------------------------- */

static PyObject *collect_tree(sp_manager *manager)
{
    sp_lend_regions(manager);
    sp_stop_threads();
    double scale = sp_statistics_settle(manager);
    sp_tree *tree = sp_statistics_tree(manager);
    sp_statistics_forget_merged(manager);
    sp_resume_threads();
    PyObject *rows = tree == NULL ? PyErr_NoMemory() : sp_rows_of_tree(tree, manager->waits, scale);
    sp_statistics_free_tree(tree);
    sp_take_back_regions(manager);
    return rows;
}

static PyObject *collect_region(sp_manager *manager, sp_region *region)
{
    sp_node sum;
    sp_load load = {0};
    sp_node_init(&sum, region, NULL, 0);
    sp_stop_threads();
    double scale = sp_statistics_settle(manager);
    int added = sp_region_sum_add(manager, region, &sum, &load);
    sp_resume_threads();
    PyObject *row = added < 0 ? PyErr_NoMemory() : sp_row_of(&sum, &load, manager->waits, scale);
    sp_node_free(&sum);
    return row;
}

const char sp_snapshot_regions_doc[] =
"_collect_regions()\n--\n\n"
"The row of every region, as _collect(region) gives it, in the order of _regions().";

PyObject *sp_snapshot_regions(PyObject *self, PyObject *unused)
{
    sp_manager *manager = (sp_manager *)self;
    sp_region_sums regions = {0};
    (void)unused;
    sp_lend_regions(manager);
    sp_stop_threads();
    double scale = sp_statistics_settle(manager);
    int summed = sp_region_sums_take(manager, &regions);
    sp_resume_threads();
    PyObject *rows =
        summed < 0 ? PyErr_NoMemory() : sp_rows_of_regions(&regions, manager->waits, scale);
    sp_region_sums_free(&regions);
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
"waits, nodes): bytearrays of int64, starts and durations in nanoseconds, starts on the perf_counter_ns()\n"
"axis, grouped by region id; ends[i] is where region i's calls end. threads numbers the thread of\n"
"each call, in the order in which threads began to record; None when one thread made them all.\n"
"annotations: the place in _annotations() of each call's metadata, -1 for none; None when no call\n"
"has any. tasks: the number of each call's task less one, -1 for none, and waits, how long it\n"
"waited in ns; None when that is not tracked. nodes, of int16 or, where there are more, int32: the\n"
"row of _collect(None) where each call was made; None but in _snapshot(). Within a region: record by\n"
"record, in the order in which the calls ended. region: the only one wanted, or None for all.";

PyObject *sp_snapshot_events(PyObject *self, PyObject *region)
{
    sp_manager *manager = (sp_manager *)self;
    sp_event_columns events = {0};
    if (region != Py_None && !PyObject_TypeCheck(region, manager->state->region_type)) {
        PyErr_SetString(PyExc_TypeError, "_events() takes a region or None");
        return NULL;
    }
    sp_stop_threads();
    sp_clock_calibrate();
    int done = sp_event_columns_gather(
        manager, region == Py_None ? NULL : (const sp_region *)region, 0, &events);
    sp_resume_threads();
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
    sp_stop_threads();
    sp_counters sum = sp_counters_take(manager);
    sp_resume_threads();
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
    sp_region_sums regions = {0};
    sp_event_columns events = {0};
    int wanted = PyObject_IsTrue(calls);
    if (wanted < 0)
        return NULL;
    sp_lend_regions(manager);
    sp_stop_threads();
    double scale = sp_statistics_settle(manager);
    sp_tree *tree = sp_statistics_tree(manager);
    bool done = tree != NULL && sp_region_sums_take(manager, &regions) == 0
                && (!wanted || sp_event_columns_gather(manager, NULL, tree->count, &events) == 0);
    sp_statistics_forget_merged(manager);
    sp_counters sum = sp_counters_take(manager);
    sp_resume_threads();
    PyObject *parts[5] = {NULL};
    PyObject *result = NULL;
    if (!done)
        PyErr_NoMemory();
    else if ((parts[0] = sp_rows_of_tree(tree, manager->waits, scale)) != NULL
             && (parts[1] = sp_sketches_of_tree(tree)) != NULL
             && (parts[2] = sp_rows_of_regions(&regions, manager->waits, scale)) != NULL
             && (parts[3] = wanted ? sp_event_columns_tuple(&events) : Py_NewRef(Py_None)) != NULL
             && (parts[4] = sp_counters_dict(manager, sum)) != NULL)
        result = Py_BuildValue("(OOdOOO)", parts[0], parts[1], scale, parts[2], parts[3], parts[4]);
    for (int i = 0; i < 5; i++)
        Py_XDECREF(parts[i]);
    sp_statistics_free_tree(tree);
    sp_region_sums_free(&regions);
    sp_take_back_regions(manager);
    sp_event_columns_free(&events);
    return result;
}
