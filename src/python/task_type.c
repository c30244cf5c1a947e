/* The Python type of tasks and greenlets that are tracked. */
#include "base/clock.h"
#include "base/thread_guard.h"
#include "python/state.h"
#include "record/lane.h"

static PyObject *lane_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *manager, *on_enter = Py_None;
    static char *names[] = {"manager", "on_enter", NULL};
    sp_state *state = PyType_GetModuleState(type);
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!|O:Lane", names, state->manager_type,
                                     &manager, &on_enter))
        return NULL;
    sp_lane *lane = (sp_lane *)type->tp_alloc(type, 0);
    if (lane == NULL)
        return NULL;
    lane->manager = (sp_manager *)Py_NewRef(manager);
    lane->on_enter = on_enter == Py_None ? NULL : Py_NewRef(on_enter);
    lane->created = sp_now();
    return (PyObject *)lane;
}

static PyObject *lane_enter(PyObject *self, PyObject *unused)
{
    (void)unused;
    sp_lane_enter((sp_lane *)self);
    Py_RETURN_NONE;
}

static PyObject *lane_leave(PyObject *self, PyObject *done)
{
    int truth = PyObject_IsTrue(done);
    if (truth < 0)
        return NULL;
    sp_lane_leave((sp_lane *)self, truth);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(facts_doc,
"facts()\n--\n\n"
"(number in the run, from 1, or 0; number of the thread it ran on last; created, done or None: ns\n"
"on the perf_counter_ns() axis; times entered; ns entered; ns waiting in between)");

static PyObject *lane_facts(PyObject *self, PyObject *unused)
{
    sp_lane *lane = (sp_lane *)self;
    (void)unused;
    sp_stop_threads();
    sp_clock_calibrate();
    uint64_t now = sp_now(), running = lane->running, waiting = lane->waiting;
    if (lane->entered)
        running += now - lane->since;
    else if (lane->done == 0 && lane->steps != 0)
        waiting += now - lane->since;
    sp_resume_threads();
    PyObject *done = lane->done == 0 ? Py_NewRef(Py_None)
                                     : PyLong_FromLongLong(sp_clock_instant_ns(lane->done));
    return Py_BuildValue("(ILLNKLL)", lane->run == lane->manager->run ? lane->number : 0,
                         (long long)lane->thread,
                         (long long)sp_clock_instant_ns(lane->created), done,
                         (unsigned long long)lane->steps,
                         (long long)sp_clock_span_ns((int64_t)running),
                         (long long)sp_clock_span_ns((int64_t)waiting));
}

static int lane_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((sp_lane *)self)->manager);
    Py_VISIT(((sp_lane *)self)->on_enter);
    return 0;
}

static void lane_dealloc(PyObject *self)
{
    sp_lane *lane = (sp_lane *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    PyMem_RawFree(lane->stack.scopes);
    Py_XDECREF(lane->on_enter);
    Py_XDECREF(lane->manager);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef lane_methods[] = {
    {"enter", lane_enter, METH_NOARGS, "enter()\n--\n\nIt runs on this thread from now on."},
    {"leave", lane_leave, METH_O, "leave(done)\n--\n\nIt gives way; done: for the last time."},
    {"facts", lane_facts, METH_NOARGS, facts_doc},
    {NULL},
};

static PyType_Slot lane_slots[] = {
    {Py_tp_doc, "A task or greenlet: Lane(manager, on_enter=None)."},
    {Py_tp_new, lane_new},
    {Py_tp_traverse, lane_traverse},
    {Py_tp_dealloc, lane_dealloc},
    {Py_tp_methods, lane_methods},
    {0, NULL},
};

static PyType_Spec lane_spec = {
    .name = "scope_profiler._core.Lane",
    .basicsize = sizeof(sp_lane),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = lane_slots,
};

int sp_lane_init(PyObject *module, sp_state *state)
{
    state->lane_type = sp_add_type(module, &lane_spec, NULL);
    return state->lane_type == NULL ? -1 : 0;
}
