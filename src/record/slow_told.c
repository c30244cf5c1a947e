#include "record/slow_told.h"

#include "base/callout.h"
#include "base/heap.h"
#include "record/contexts.h"
#include "record/log_reader.h"
#include "record/metadata.h"
#include "record/thread_records.h"

/* ---- What ran inside ---------------------------------------------------------------------- */

typedef struct {
    sp_region *region; /* NULL for other paths. Owned. */
    int64_t above;     /* the row that it lies in, or -1: in the call itself */
    uint64_t calls, ticks;
} inside_row;

typedef struct {
    inside_row *rows; /* Owned; NULL where it is not known. */
    uint32_t count;
} inside;

/* The first block in which a call may end that began in the slow one: calls lie there as they ended. */
static size_t first_block(const sp_log *log, uint64_t start)
{
    sp_logged_call read;
    for (size_t block = log->count; block-- > 0;) {
        sp_log_reader reader = sp_log_read_from(log, block);
        if (sp_log_next(&reader, &read) && read.start + read.ticks < start)
            return block;
    }
    return 0;
}

/* Rows for the nodes below that of the call where calls began, and for those in between. */
static bool make_rows(const sp_tree *tree, const sp_slow_call *slow, const inside_row *of_nodes,
                      inside *found)
{
    uint32_t *places = sp_calloc(tree->count, sizeof *places); /* of the row, plus one */
    if (places == NULL)
        return false;
    for (uint32_t id = tree->count; id-- > slow->node->id + 1;) {
        const sp_node *node = tree->nodes[id];
        if (of_nodes[id].calls != 0)
            places[id] = 1;
        if (places[id] != 0 && node->parent != NULL)
            places[node->parent->id] = 1;
    }
    for (uint32_t id = slow->node->id + 1; id < tree->count; id++)
        found->count += places[id];
    found->rows = sp_calloc((size_t)found->count + 1, sizeof *found->rows);
    for (uint32_t id = slow->node->id + 1, next = 0; found->rows != NULL && id < tree->count;
         id++) {
        if (places[id] == 0)
            continue;
        const sp_node *node = tree->nodes[id];
        inside_row *row = &found->rows[next++];
        places[id] = next;
        *row = of_nodes[id];
        row->region = (sp_region *)Py_XNewRef((PyObject *)node->region);
        row->above = node->parent == slow->node ? -1 : (int64_t)places[node->parent->id] - 1;
    }
    sp_free(places);
    return found->rows != NULL;
}

/* Whether the node lies below that of the call. A parent's number is smaller. */
static bool is_below(const sp_node *node, const sp_node *above)
{
    while (node != NULL && node->id > above->id)
        node = node->parent;
    return node == above;
}

/* Count the calls that began and ended in the slow one, by node. False when some may be those of other
 * calls of the region, which tasks or generators have made at the same time. */
static bool count_inside(const sp_manager *manager, const sp_thread *thread,
                         const sp_slow_call *slow, inside_row *of_nodes)
{
    const sp_tree *tree = &thread->tree;
    sp_log_reader reader = sp_log_read_from(&thread->log, first_block(&thread->log, slow->start));
    sp_logged_call read;
    uint64_t direct = 0;
    bool is_alike = false; /* another call of its node has ended too: a recursion, or a task */
    bool has_tasks = thread->contexts != NULL && thread->contexts->charges != NULL;
    bool mixed = !manager->waits && (has_tasks || slow->suspended);
    while (sp_log_next(&reader, &read)) {
        const sp_node *node = tree->nodes[read.node];
        bool is_itself = read.start == slow->start && read.ticks == slow->ticks;
        if (read.start < slow->start || reader.thread != thread->number
            || (manager->waits && read.task != slow->task) || !is_below(node, slow->node))
            continue;
        is_alike |= node == slow->node && !is_itself;
        if (node == slow->node)
            continue;
        direct += node->parent == slow->node;
        of_nodes[read.node].calls++;
        of_nodes[read.node].ticks += read.ticks;
    }
    bool is_open = false; /* some call below its node */
    for (uint32_t id = slow->node->id + 1; mixed && id < tree->count; id++)
        is_open |= tree->nodes[id]->active != 0 && is_below(tree->nodes[id], slow->node);
    return !(mixed && (is_alike || is_open)) && (is_alike || direct <= slow->inside);
}

/* Under the guard. */
static inside inside_of(const sp_manager *manager, sp_thread *thread, const sp_slow_call *slow)
{
    inside found = {0};
    if (thread->log.store == NULL || thread->log.shortest == UINT64_MAX)
        return found;
    sp_log_settle(&thread->log);
    inside_row *of_nodes = sp_calloc(thread->tree.count, sizeof *of_nodes);
    if (of_nodes != NULL && count_inside(manager, thread, slow, of_nodes))
        make_rows(&thread->tree, slow, of_nodes, &found);
    sp_free(of_nodes);
    return found;
}

static void free_inside(inside *found)
{
    for (uint32_t i = 0; found->rows != NULL && i < found->count; i++)
        Py_XDECREF(found->rows[i].region);
    sp_free(found->rows);
}

/* ---- Telling ------------------------------------------------------------------------------ */

static double ns_of(uint64_t ticks) { return (double)ticks * sp_clock_scale(); }

/* [(name or None, row above or -1, calls, ns), ...], or None. */
static PyObject *rows_of(const inside *found)
{
    if (found->rows == NULL)
        Py_RETURN_NONE;
    PyObject *list = PyList_New(found->count);
    for (uint32_t i = 0; list != NULL && i < found->count; i++) {
        const inside_row *row = &found->rows[i];
        PyObject *name = row->region == NULL ? Py_None : row->region->name;
        PyObject *entry = Py_BuildValue("(OLKd)", name, (long long)row->above,
                                        (unsigned long long)row->calls, ns_of(row->ticks));
        if (entry == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, entry);
    }
    return list;
}

static void set_limit(sp_region *region, uint64_t limit)
{
    sp_stop_threads();
    region->limit = limit;
    sp_region_switch(region);
    sp_resume_threads();
}

/* Ask for the limit of a region that has been called for the first time. */
static void ask_limit(PyObject *on_slow, sp_region *region)
{
    PyObject *given = PyObject_CallMethod(on_slow, "limit_ns", "O", region->name);
    double ns = given == NULL || given == Py_None ? -1 : PyFloat_AsDouble(given);
    Py_XDECREF(given);
    uint64_t ticks = ns < 0 ? SP_NO_LIMIT : (uint64_t)(ns / sp_clock_scale());
    set_limit(region, ticks == 0 ? 1 : ticks);
}

/* Take the call that this thread has noted; false when there is none. */
static bool take(sp_manager *manager, sp_slow_call *slow)
{
    sp_guard_take();
    sp_thread *thread = sp_thread_find(manager);
    bool taken = thread != NULL && thread->slow.node != NULL;
    if (taken) {
        *slow = thread->slow;
        thread->slow.node = NULL;
        Py_INCREF(slow->node->region);
        SP_LOCK(&manager->lock);
        manager->slow_pending--;
        sp_manager_set_due(manager);
        SP_UNLOCK(&manager->lock);
    }
    sp_guard_release();
    return taken;
}

/* What ran inside it, unless its run is over by now. */
static inside look_inside(sp_manager *manager, uint64_t run, const sp_slow_call *slow)
{
    inside found = {0};
    sp_guard_take();
    sp_thread *thread = manager->run == run ? sp_thread_find(manager) : NULL;
    if (thread != NULL)
        found = inside_of(manager, thread, slow);
    sp_guard_release();
    return found;
}

static void tell(sp_manager *manager, PyObject *on_slow, uint64_t run, const sp_region *region,
                 const sp_slow_call *slow)
{
    PyObject *result = NULL, *rows = NULL, *values = sp_metadata_values(manager);
    inside found = look_inside(manager, run, slow);
    if (values != NULL && (rows = rows_of(&found)) != NULL)
        result = PyObject_CallMethod(
            on_slow, "tell", "OdddOO", region->name, ns_of(slow->ticks), ns_of(region->limit),
            (double)((int64_t)slow->ticks - slow->children) * sp_clock_scale(), values, rows);
    Py_XDECREF(result);
    Py_XDECREF(values);
    Py_XDECREF(rows);
    free_inside(&found);
}

void sp_slow_told(sp_manager *manager)
{
    sp_slow_call slow;
    uint64_t run = manager->run;
    if (manager->slow_pending == 0 || sp_unrecorded_for(manager) || !take(manager, &slow))
        return;
    sp_region *region = slow.node->region;
    sp_clock_calibrate();
    sp_callout callout;
    sp_callout_begin(&callout);
    PyObject *on_slow = sp_field_get((PyObject *)manager, &manager->on_slow);
    if (on_slow != Py_None && region->limit == 0)
        ask_limit(on_slow, region);
    if (on_slow != Py_None && slow.ticks >= region->limit)
        tell(manager, on_slow, run, region, &slow);
    Py_DECREF(on_slow);
    Py_DECREF(region);
    sp_callout_end(&callout);
}
