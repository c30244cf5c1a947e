#include "python/snapshot.h"

#include "base/clock.h"
#include "base/heap.h"
#include "base/thread_guard.h"
#include "journal/journal.h"
#include "python/rows.h"
#include "python/state.h"
#include "python/state_text.h"
#include "record/counter_columns.h"
#include "record/counters.h"
#include "record/event_columns.h"
#include "record/run.h"
#include "record/statistics.h"

/* ---- What is taken ----------------------------------------------------------------------- */

/* The parts of a moment that are wanted. */
enum { TREE = 1, REGIONS = 2, EVENTS = 4, START_OVER = 8, CUT = 16, VALUES = 32 };

typedef struct {
    double scale; /* ns per tick */
    sp_tree *tree;
    sp_region_sums regions;
    sp_event_columns events;
    sp_counter_columns values;
    sp_counters counters;
} moment;

/* Take these parts, all of one moment; the events of one region, or with NULL of all. START_OVER: the run
 * begins anew there, CUT: its journal does, unless this fails. rooms: see sp_event_columns. False with an exception set. To be
 * given back in any case. */
static bool take(sp_manager *manager, int parts, const sp_region *wanted, const Py_buffer *rooms,
                 moment *taken)
{
    *taken = (moment){.events.rooms = rooms};
    PyObject *annotations = parts & START_OVER ? PyList_New(0) : NULL;
    if ((parts & START_OVER) && annotations == NULL)
        return false;
    sp_left_annotations left = {0};
    sp_lend_regions(manager);
    sp_stop_threads();
    taken->scale = sp_statistics_settle(manager);
    if (parts & TREE)
        taken->tree = sp_statistics_tree(manager);
    uint32_t nodes = taken->tree == NULL ? 0 : taken->tree->count;
    bool done = (!(parts & TREE) || taken->tree != NULL)
                && (!(parts & REGIONS) || sp_region_sums_take(manager, &taken->regions) == 0)
                && (!(parts & EVENTS)
                    || sp_event_columns_gather(manager, wanted, nodes, &taken->events) == 0)
                && (!(parts & VALUES) || sp_counter_columns_gather(manager, &taken->values) == 0);
    sp_statistics_forget_merged(manager);
    taken->counters = sp_counters_take(manager);
    if (done && (parts & CUT))
        sp_journal_cut(manager);
    if (done && (parts & START_OVER)) {
        sp_run_start_over(manager);
        left = sp_annotations_start_over(manager, annotations);
    }
    sp_resume_threads();
    sp_annotations_release(&left);
    Py_XDECREF(annotations);
    if (!done)
        PyErr_NoMemory();
    return done;
}

static void give_back(sp_manager *manager, moment *taken)
{
    sp_statistics_free_tree(taken->tree);
    sp_region_sums_free(&taken->regions);
    sp_take_back_regions(manager);
    sp_event_columns_free(&taken->events);
    sp_counter_columns_free(&taken->values);
}

/* ---- Statistics -------------------------------------------------------------------------- */

static PyObject *collect_tree(sp_manager *manager)
{
    moment taken;
    PyObject *rows = take(manager, TREE, NULL, NULL, &taken)
                         ? sp_rows_of_tree(taken.tree, manager->waits, taken.scale)
                         : NULL;
    give_back(manager, &taken);
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
    moment taken;
    (void)unused;
    PyObject *rows = take(manager, REGIONS, NULL, NULL, &taken)
                         ? sp_rows_of_regions(&taken.regions, manager->waits, taken.scale)
                         : NULL;
    give_back(manager, &taken);
    return rows;
}

const char sp_snapshot_collect_doc[] =
    "_collect(region)\n--\n\n"
    "Statistics of the current run: one row for a region, or for None the rows of the tree, parents\n"
    "before children. A row is (parent row or -1, region, calls, errors, open calls, total, sum of\n"
    "all calls, exclusive, minimum, maximum, standard deviation, (p50, p90, p95, p99, p99.9), calls\n"
    "made directly inside, what measuring has added to the exclusive time, and to the total, what of the\n"
    "total generators and tasks did not run, what open calls have come to in all and by themselves, memory\n"
    "as (bytes allocated, bytes freed, blocks allocated, blocks freed, peak in bytes) or None, work as\n"
    "{quantity: amount} or None, when\n"
    "the first call began or -1, further calls that were counted and not timed); times are integer nanoseconds, the deviation a float of them, instants\n"
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
    moment taken;
    if (region != Py_None && !PyObject_TypeCheck(region, manager->state->region_type)) {
        PyErr_SetString(PyExc_TypeError, "_events() takes a region or None");
        return NULL;
    }
    const sp_region *wanted = region == Py_None ? NULL : (const sp_region *)region;
    PyObject *columns = take(manager, EVENTS, wanted, NULL, &taken)
                            ? sp_event_columns_tuple(&taken.events)
                            : NULL;
    give_back(manager, &taken);
    return columns;
}

const char sp_snapshot_kept_doc[] =
    "_kept()\n--\n\n"
    "Of how many finished calls of each region _events(None) has the times: a list of int.";

PyObject *sp_snapshot_kept(PyObject *self, PyObject *unused)
{
    sp_manager *manager = (sp_manager *)self;
    (void)unused;
    sp_stop_threads();
    uint32_t regions = manager->region_count;
    uint64_t *counts = sp_event_counts(manager);
    sp_resume_threads();
    if (counts == NULL)
        return PyErr_NoMemory();
    PyObject *list = sp_counts_list(counts, regions);
    sp_free(counts);
    return list;
}

/* ---- Counters ---------------------------------------------------------------------------- */

const char sp_snapshot_counters_doc[] =
    "_counters()\n--\n\n"
    "What the current run holds and what it missed, as a dict of int: calls finished, open, threads,\n"
    "events in logs, log_bytes; moved calls, which another thread left than had entered them, unmatched exits,\n"
    "work_lost, how often work was added and no call was open for it, counter_values, how often a counter\n"
    "got one, lost\n"
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
    "_snapshot(calls, start_over=False, rooms=None, cut=False, values=True)\n--\n\n"
    "(_collect(None), the sketches of its rows as bytes (how many buckets each row has that have calls,\n"
    "uint32; their numbers, uint16, and how many calls they have, uint64, one row after the other), ns per\n"
    "tick, _collect_regions(), _events(None) or, without calls, None, _counters(), the values of counters as\n"
    "(names, numbers of the counters, threads, times in ns, values), the last four int64 and double as bytes,\n"
    "empty unless values), all of one moment. start_over: what is recorded from there on is taken the next\n"
    "time, and nothing of what was recorded before; calls that are open are those that end later, with all their time. rooms: a\n"
    "tuple of a shared mapping of a file, or None, for each column of _events(): those that are large enough\n"
    "are filled, and are there in the place of bytearrays. cut: what is recorded from there on goes to another\n"
    "journal.";

static void release(Py_buffer rooms[SP_EVENT_COLUMNS])
{
    for (int i = 0; i < SP_EVENT_COLUMNS; i++)
        PyBuffer_Release(&rooms[i]);
}

/* The buffers of a tuple; false with an exception set. */
static bool get_rooms(PyObject *tuple, Py_buffer rooms[SP_EVENT_COLUMNS])
{
    if (!PyTuple_Check(tuple) || PyTuple_GET_SIZE(tuple) != SP_EVENT_COLUMNS) {
        PyErr_SetString(PyExc_TypeError, "_snapshot() takes a room for each column");
        return false;
    }
    for (int i = 0; i < SP_EVENT_COLUMNS; i++) {
        PyObject *room = PyTuple_GET_ITEM(tuple, i);
        if (room != Py_None && PyObject_GetBuffer(room, &rooms[i], PyBUF_WRITABLE) < 0) {
            release(rooms);
            return false;
        }
    }
    return true;
}

PyObject *sp_snapshot_all(PyObject *self, PyObject *args)
{
    sp_manager *manager = (sp_manager *)self;
    moment taken;
    int wanted, start_over = 0, cut = 0, values = 1;
    PyObject *tuple = Py_None;
    Py_buffer rooms[SP_EVENT_COLUMNS] = {{0}};
    if (!PyArg_ParseTuple(args, "p|pOpp:_snapshot", &wanted, &start_over, &tuple, &cut, &values)
        || (tuple != Py_None && !get_rooms(tuple, rooms)))
        return NULL;
    PyObject *parts[6] = {NULL};
    PyObject *result = NULL;
    int which = TREE | REGIONS | (wanted ? EVENTS : 0) | (values ? VALUES : 0)
                | (start_over ? START_OVER : 0) | (cut ? CUT : 0);
    if (take(manager, which, NULL, rooms, &taken)
        && (parts[0] = sp_rows_of_tree(taken.tree, manager->waits, taken.scale)) != NULL
        && (parts[1] = sp_sketches_of_tree(taken.tree)) != NULL
        && (parts[2] = sp_rows_of_regions(&taken.regions, manager->waits, taken.scale)) != NULL
        && (parts[3] = wanted ? sp_event_columns_tuple(&taken.events) : Py_NewRef(Py_None))
               != NULL
        && (parts[4] = sp_counters_dict(manager, taken.counters)) != NULL
        && (parts[5] = sp_counter_columns_tuple(manager, &taken.values)) != NULL)
        result = Py_BuildValue("(OOdOOOO)", parts[0], parts[1], taken.scale, parts[2], parts[3],
                               parts[4], parts[5]);
    for (int i = 0; i < 6; i++)
        Py_XDECREF(parts[i]);
    give_back(manager, &taken);
    release(rooms);
    return result;
}

/* ---- In the journal ---------------------------------------------------------------------- */

const char sp_snapshot_state_doc[] =
    "_journal_state(state)\n--\n\n"
    "Write the state of the run, a dict of plain values, with its tree, in the place of the one before.\n"
    "Nothing without a journal.";

PyObject *sp_snapshot_state(PyObject *self, PyObject *state)
{
    sp_manager *manager = (sp_manager *)self;
    moment taken;
    if (!PyDict_Check(state) || PyDict_GET_SIZE(state) == 0) {
        PyErr_SetString(PyExc_TypeError, "_journal_state() takes a dict with something in it");
        return NULL;
    }
    bool done = take(manager, TREE, NULL, NULL, &taken);
    sp_json_text text = {0};
    sp_shared_take();
    if (done && sp_journal_is_on(manager)) {
        sp_json_put_value(&text, state);
        text.size -= text.size != 0; /* the brace that ends it */
        sp_state_put_tree(&text, manager, taken.tree, taken.scale);
        sp_json_put(&text, "}");
        if (!text.failed)
            sp_journal_state(manager, text.at, text.size);
    }
    sp_shared_release();
    sp_json_free(&text);
    give_back(manager, &taken);
    return done ? Py_NewRef(Py_None) : NULL;
}
