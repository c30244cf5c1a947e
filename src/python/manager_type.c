/* The Python type of a manager. The life cycle (options, files, reports) is Python, on top of it. */
#include "base/heap.h"
#include "base/thread_guard.h"
#include "calls/tracings.h"
#include "journal/journal.h"
#include "lines/lines.h"
#include "python/counting.h"
#include "python/factory.h"
#include "python/journal_functions.h"
#include "python/lines_functions.h"
#include "python/metadata_type.h"
#include "python/origin.h"
#include "python/region_lookup.h"
#include "python/region_type.h"
#include "python/snapshot.h"
#include "python/state.h"
#include "python/submitted_type.h"
#include "python/twin.h"
#include "python/wrapper.h"
#include "record/checkpoint.h"
#include "record/contexts.h"
#include "record/counters.h"
#include "record/registry.h"
#include "record/run.h"
#include "record/slow_calls.h"

static PyObject *manager_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)args, (void)kwargs;
    PyObject *module = PyType_GetModuleByDef(type, &sp_module);
    if (module == NULL)
        return NULL;
    sp_manager *manager = (sp_manager *)type->tp_alloc(type, 0);
    if (manager == NULL)
        return NULL;
    manager->state = PyModule_GetState(module);
    manager->region_type = (PyTypeObject *)Py_NewRef(manager->state->region_type);
    manager->run = SP_NO_RUN;
    return (PyObject *)manager;
}

typedef struct {
    visitproc visit;
    void *arg;
} traversing;

static int traverse_thread(void *thread, void *argument)
{
    const traversing *by = argument;
    return sp_contexts_traverse(thread, by->visit, by->arg);
}

static int manager_traverse(PyObject *self, visitproc visit, void *arg)
{
    sp_manager *manager = (sp_manager *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(manager->region_type);
    Py_VISIT(manager->lookup);
    Py_VISIT(manager->arm);
    Py_VISIT(manager->on_checkpoint);
    Py_VISIT(manager->on_slow);
    Py_VISIT(manager->on_thread);
    Py_VISIT(manager->annotations);
    Py_VISIT(manager->handed_out);
    Py_VISIT(manager->outcomes);
    for (uint32_t i = 0; i < manager->region_count; i++)
        Py_VISIT(manager->regions[i]);
    return sp_map_each(&manager->threads, traverse_thread, &(traversing){visit, arg});
}

static int manager_clear(PyObject *self)
{
    sp_manager *manager = (sp_manager *)self;
    manager->recording = manager->lines = false;
    sp_journal_end(manager, false);
    Py_CLEAR(manager->lookup);
    Py_CLEAR(manager->arm);
    Py_CLEAR(manager->on_checkpoint);
    Py_CLEAR(manager->on_slow);
    Py_CLEAR(manager->on_thread);
    sp_names_free(&manager->names);
    sp_name_cache_free(&manager->cache);
    manager->run = SP_NO_RUN;
    sp_left_run left = sp_run_leave(manager);
    sp_left_run_free(&left); /* the trees name regions */
    uint32_t count = manager->region_count;
    manager->region_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        sp_region_switch(manager->regions[i]);
        Py_DECREF(manager->regions[i]);
    }
    return 0;
}

static void manager_dealloc(PyObject *self)
{
    sp_manager *manager = (sp_manager *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (manager->weakrefs != NULL)
        PyObject_ClearWeakRefs(self);
    sp_shared_take();
    sp_tracing_end(manager); /* of one whose end nobody else has watched */
    sp_shared_release();
    manager_clear(self);
    sp_free(manager->regions);
    sp_quantities_free(&manager->quantities);
    sp_quantities_free(&manager->counters);
    Py_XDECREF(manager->region_type);
    type->tp_free(self);
    Py_DECREF(type);
}

/* Pass the manager's state on to what the hot path looks at. */
static void switch_all(sp_manager *manager)
{
    for (uint32_t i = 0; i < manager->region_count; i++)
        sp_region_switch(manager->regions[i]);
    sp_twin_switch(manager);
}

PyDoc_STRVAR(
    begin_doc,
    "_begin(events, lines, selective=False, waits=False, memory=False, line_details=False,\n"
    "       line_memory=False, shortest_ns=0, journal=None, limit=0, on_full=0, keep_every=0,\n"
    "       keep=0)\n--\n\n"
    "Forget the run before and start a new one. events: log every call, not statistics alone.\n"
    "lines: count lines in decorated functions and in `with` blocks. selective: regions without "
    "tags\n"
    "do not record; those with tags do or do not as _tag() has it. waits: log how long calls "
    "waited.\n"
    "memory: measure what calls take of memory, while _core.count_memory() has it counted.\n"
    "line_details: of each line keep the extremes and a sketch of its hits, exceptions and "
    "callees.\n"
    "line_memory: measure what lines take of memory, too.\n"
    "shortest_ns: calls that take less are not logged. journal: (path as bytes, facts about the run, a\n"
    "plain value, whether it is temporary) of the file that the log of calls lies in.\n"
    "limit: records of 16 bytes that logs may have in all, 0 for no bound; on_full: what is done then,\n"
    "as sp_on_full has it. keep_every, keep: of calls of regions that do not say it themselves, log\n"
    "one of so many, or so many of all.");

static PyObject *manager_begin(PyObject *self, PyObject *args)
{
    sp_manager *manager = (sp_manager *)self;
    int events = 1, lines = 0, selective = 0, waits = 0, memory = 0, line_details = 0,
        line_memory = 0, on_full = 0, is_temporary = 0;
    double shortest_ns = 0;
    const char *path = NULL;
    PyObject *journal = Py_None, *facts = NULL;
    unsigned long long limit = 0;
    unsigned keep_every = 0, keep = 0;
    if (!PyArg_ParseTuple(args, "pp|pppppdOKiII:_begin", &events, &lines, &selective, &waits,
                          &memory, &line_details, &line_memory, &shortest_ns, &journal, &limit,
                          &on_full, &keep_every, &keep))
        return NULL;
    if (journal != Py_None && !PyArg_Parse(journal, "(yOp):_begin", &path, &facts, &is_temporary))
        return NULL;
    sp_bounds *bounds = limit == 0 ? NULL : sp_bounds_new(limit, (sp_on_full)on_full);
    if (limit != 0 && bounds == NULL)
        return PyErr_NoMemory();
    static uint64_t last_run = 0;
    sp_shared_take();
    sp_stop_threads();
    sp_left_run left = sp_run_leave(manager);
    manager->run = ++last_run;
    manager->bounds = bounds;
    manager->keep_every = keep_every;
    manager->keep = keep;
    manager->events = events;
    manager->shortest = shortest_ns > 0 ? (uint64_t)(shortest_ns / sp_clock_scale()) : 0;
    if (path == NULL || sp_journal_begin(manager, path, facts, is_temporary) < 0)
        manager->blocks = &sp_memory_blocks;
    sp_checkpoint_begin(manager, sp_journal_is_on(manager));
    manager->lines = lines;
    manager->selective = selective;
    manager->waits = waits;
    manager->memory = memory;
    manager->line_details = line_details;
    manager->line_memory = line_memory;
    manager->annotated = events && manager->scoped;
    manager->recording = true;
    sp_slow_calls_begin(manager, manager->on_slow != NULL);
    switch_all(manager);
    sp_lines_reset(manager);
    manager->lines_lost_before = sp_lost_lines();
    sp_resume_threads();
    sp_shared_release();
    sp_left_run_free(&left);
    sp_metadata_begin(manager);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(forget_doc,
"_forget()\n--\n\n"
"Forget the run, so that there is none, and the regions that nobody holds. Without the GIL, where\n"
"that cannot be told, regions stay.");

static PyObject *manager_forget(PyObject *self, PyObject *unused)
{
    sp_manager *manager = (sp_manager *)self;
    (void)unused;
    sp_shared_take();
    sp_stop_threads();
    sp_left_run left = sp_run_leave(manager);
    manager->run = SP_NO_RUN;
    manager->recording = false;
    switch_all(manager);
    sp_tracing_keep_regions(manager);
    sp_left_regions unheld = sp_manager_leave_regions(manager);
    sp_resume_threads();
    sp_shared_release();
    sp_left_run_free(&left);
    sp_left_regions_free(&unheld);
    Py_RETURN_NONE;
}

static int has_open(void *thread, void *unused)
{
    const sp_tree *tree = &((sp_thread *)thread)->tree;
    (void)unused;
    for (uint32_t i = 1; i < tree->count; i++) {
        if (tree->nodes[i]->active != 0)
            return 1;
    }
    return 0;
}

PyDoc_STRVAR(record_doc,
"_record(on)\n--\n\nGo on or stop recording in the current run.");

static PyObject *manager_record(PyObject *self, PyObject *on)
{
    sp_manager *manager = (sp_manager *)self;
    int truth = PyObject_IsTrue(on);
    if (truth < 0)
        return NULL;
    sp_stop_threads();
    manager->recording = truth && manager->run != SP_NO_RUN;
    manager->leaving = sp_map_each(&manager->threads, has_open, NULL) != 0;
    switch_all(manager);
    sp_resume_threads();
    Py_RETURN_NONE;
}

PyDoc_STRVAR(find_doc,
"_find(region_name)\n--\n\nThe region of that name, or None.");

static PyObject *manager_find(PyObject *self, PyObject *name)
{
    sp_region *region = sp_manager_find((sp_manager *)self, name);
    if (region == NULL && PyErr_Occurred())
        return NULL;
    return Py_NewRef(region == NULL ? Py_None : (PyObject *)region);
}

PyDoc_STRVAR(region_doc,
"profile_region(region_name)\n--\n\nThe region of that name, made when it does not exist yet.");

static PyObject *manager_region(PyObject *self, PyObject *name)
{
    return Py_XNewRef((PyObject *)sp_region_of((sp_manager *)self, name));
}

PyDoc_STRVAR(regions_doc,
"_regions()\n--\n\nAll regions, in the order in which they were made; by id, that is.");

static PyObject *manager_regions(PyObject *self, PyObject *unused)
{
    sp_manager *manager = (sp_manager *)self;
    (void)unused;
    sp_lend_regions(manager);
    uint32_t count = manager->region_count;
    PyObject *list = PyList_New(count);
    sp_stop_threads();
    for (uint32_t i = 0; list != NULL && i < count; i++)
        PyList_SET_ITEM(list, i, Py_NewRef(manager->regions[i]));
    sp_resume_threads();
    sp_take_back_regions(manager);
    return list;
}

PyDoc_STRVAR(wrap_doc,
"_wrap(region, function, metadata=None, record_outcome=False)\n--\n\n"
"The function, timed under the region at every call. metadata: of each call, a dict or a callable\n"
"that gets the arguments and gives one. record_outcome: note how each call ended.");

static PyObject *manager_wrap(PyObject *self, PyObject *args)
{
    sp_manager *manager = (sp_manager *)self;
    PyObject *region, *function, *metadata = Py_None;
    int outcome = 0;
    if (!PyArg_ParseTuple(args, "O!O|Op:_wrap", manager->state->region_type, &region, &function,
                          &metadata, &outcome))
        return NULL;
    return sp_wrapper_new((sp_region *)region, function, metadata == Py_None ? NULL : metadata,
                          outcome);
}

PyDoc_STRVAR(make_permanent_doc,
"_make_permanent()\n--\n\n"
"Let the manager live as long as the process. Nobody has a region of it yet.");

static PyObject *manager_make_permanent(PyObject *self, PyObject *unused)
{
    (void)unused;
    PyObject *lookup = sp_region_lookup_of(self, NULL);
    if (lookup == NULL)
        return NULL;
    sp_make_immortal(lookup);
    ((sp_manager *)self)->permanent = true;
    Py_DECREF(lookup);
    Py_RETURN_NONE;
}

static PyMethodDef manager_methods[] = {
    {"_begin", manager_begin, METH_VARARGS, begin_doc},
    {"_forget", manager_forget, METH_NOARGS, forget_doc},
    {"_record", manager_record, METH_O, record_doc},
    {"profile_region", manager_region, METH_O, region_doc},
    {"_region_at", sp_region_at, METH_VARARGS, sp_region_at_doc},
    {"_region_of_function", sp_region_of_function, METH_VARARGS, sp_region_of_function_doc},
    {"_find", manager_find, METH_O, find_doc},
    {"_regions", manager_regions, METH_NOARGS, regions_doc},
    {"_submit", sp_submit, METH_VARARGS, sp_submit_doc},
    {"_open_regions", sp_open_regions, METH_NOARGS, sp_open_regions_doc},
    {"_wrap", manager_wrap, METH_VARARGS, wrap_doc},
    {"_collect", sp_snapshot_collect, METH_O, sp_snapshot_collect_doc},
    {"_collect_regions", sp_snapshot_regions, METH_NOARGS, sp_snapshot_regions_doc},
    {"_events", sp_snapshot_events, METH_O, sp_snapshot_events_doc},
    {"_kept", sp_snapshot_kept, METH_NOARGS, sp_snapshot_kept_doc},
    {"_snapshot", sp_snapshot_all, METH_VARARGS, sp_snapshot_all_doc},
    {"_take_lines", sp_lines_take_method, METH_NOARGS, sp_lines_take_method_doc},
    {"_lines", sp_lines_method, METH_O, sp_lines_method_doc},
    {"_counters", sp_snapshot_counters, METH_NOARGS, sp_snapshot_counters_doc},
    {"metadata", (PyCFunction)(void (*)(void))sp_metadata_make, METH_FASTCALL | METH_KEYWORDS,
     sp_metadata_make_doc},
    {"add", (PyCFunction)(void (*)(void))sp_manager_add, METH_FASTCALL | METH_KEYWORDS,
     sp_manager_add_doc},
    {"counter", (PyCFunction)(void (*)(void))sp_manager_counter, METH_FASTCALL,
     sp_manager_counter_doc},
    {"_metadata_of_call", sp_metadata_of_call_py, METH_VARARGS, sp_metadata_of_call_doc},
    {"_annotations", sp_metadata_annotations, METH_VARARGS, sp_metadata_annotations_doc},
    {"_journal_note", sp_journal_note_py, METH_O, sp_journal_note_doc},
    {"_journal_state", sp_snapshot_state, METH_O, sp_snapshot_state_doc},
    {"_journal_cut", sp_journal_cut_py, METH_NOARGS, sp_journal_cut_doc},
    {"_journal_remove", sp_journal_remove_py, METH_NOARGS, sp_journal_remove_doc},
    {"_journal_end", sp_journal_end_py, METH_O, sp_journal_end_doc},
    {"_journal", sp_journal_status_py, METH_NOARGS, sp_journal_status_doc},
    {"_make_permanent", manager_make_permanent, METH_NOARGS, make_permanent_doc},
    {"_factory", sp_factory_new, METH_O, sp_factory_new_doc},
    {NULL},
};

static PyObject *get_recording(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(((sp_manager *)self)->recording);
}

static PyObject *get_region_type(PyObject *self, void *unused)
{
    (void)unused;
    return Py_NewRef(((sp_manager *)self)->region_type);
}

static int set_region_type(PyObject *self, PyObject *type, void *unused)
{
    sp_manager *manager = (sp_manager *)self;
    (void)unused;
    if (type == NULL || !PyType_Check(type)
        || !PyType_IsSubtype((PyTypeObject *)type, manager->state->region_type)) {
        PyErr_SetString(PyExc_TypeError, "_region_type must be a subclass of _core.Region");
        return -1;
    }
    Py_SETREF(manager->region_type, (PyTypeObject *)Py_NewRef(type));
    return 0;
}

static PyObject *get_callback(PyObject *self, void *offset)
{
    return sp_field_get(self, (PyObject **)((char *)self + (size_t)offset));
}

static int set_callback(PyObject *self, PyObject *callback, void *offset)
{
    sp_field_set(self, (PyObject **)((char *)self + (size_t)offset),
                 callback == Py_None ? NULL : Py_XNewRef(callback));
    return 0;
}

static PyGetSetDef manager_getset[] = {
    {"_on_checkpoint", get_callback, set_callback,
     "Called with the manager when the state of the run is to be written to its journal; returns the\n"
     "nanoseconds to the next time. Or None.",
     (void *)offsetof(sp_manager, on_checkpoint)},
    {"_on_slow", get_callback, set_callback,
     "Has limit_ns(name of a region), which gives a number or None, and tell(name, ns, limit in ns, own ns,\n"
     "metadata, what ran inside), for calls that take so long. It counts from the next _begin() on. Or\n"
     "None.",
     (void *)offsetof(sp_manager, on_slow)},
    {"_on_thread", get_callback, set_callback,
     "Called in each thread that begins to record, with its number in the run; or None.",
     (void *)offsetof(sp_manager, on_thread)},
    {"_region_lookup", sp_region_lookup_of, NULL, "The callable profile_region of this manager.",
     NULL},
    {"_recording", get_recording, NULL, "Whether calls are recorded now.", NULL},
    {"_region_type", get_region_type, set_region_type, "What new regions are made of.", NULL},
    {"_arm", get_callback, set_callback,
     "Called with each code object new to line mode; or None.",
     (void *)offsetof(sp_manager, arm)},
    {NULL},
};

static PyMemberDef manager_members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(sp_manager, weakrefs), Py_READONLY, NULL},
    {"_calibrates", Py_T_BOOL, offsetof(sp_manager, calibrates), 0,
     "It measures what recording costs: it records in code of the package, too."},
    {NULL},
};

static PyType_Slot manager_slots[] = {
    {Py_tp_doc, "The recording core of a profiling manager."},
    {Py_tp_new, manager_new},
    {Py_tp_traverse, manager_traverse},
    {Py_tp_clear, manager_clear},
    {Py_tp_dealloc, manager_dealloc},
    {Py_tp_methods, manager_methods},
    {Py_tp_getset, manager_getset},
    {Py_tp_members, manager_members},
    {0, NULL},
};

PyType_Spec sp_manager_spec = {
    .name = "scope_profiler._core.Manager",
    .basicsize = sizeof(sp_manager),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .slots = manager_slots,
};
