#include "python/aside.h"

#include "python/state.h"

enum { ROOM = 200 }; /* calls that ours may need, one inside the other */

static int *recursion_remaining(PyThreadState *state)
{
#if PY_VERSION_HEX >= 0x030C0000
    return &state->py_recursion_remaining;
#else
    return &state->recursion_remaining;
#endif
}

static int at_least(int *remaining)
{
    int before = *remaining;
    if (before < ROOM)
        *remaining = ROOM;
    return before;
}

/* 3.12 runs a collection that is due in the next Python call, gc.disable() or not; this is its only
 * function that runs it now. What a signal handler raises meanwhile is printed, Ctrl-C comes again. */
static void collect_what_is_due(void)
{
#if PY_VERSION_HEX >= 0x030C0000 && PY_VERSION_HEX < 0x030D0000
    if (PyErr_CheckSignals() == 0)
        return;
    if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) {
        PyErr_Clear();
        PyErr_SetInterrupt();
    }
    else
        PyErr_WriteUnraisable(NULL);
#endif
}

void sp_aside_begin(sp_aside *aside)
{
    sp_signals_hold(&aside->signals);
    sp_world_leave(&aside->held);
    aside->state = PyThreadState_Get();
    PyErr_Fetch(&aside->type, &aside->value, &aside->traceback);
    collect_what_is_due();
    PyThreadState_EnterTracing(aside->state);
    sp_unrecorded_begin();
    aside->collects = PyGC_Disable(); /* or callbacks of the user's would run untraced */
    aside->remaining = at_least(recursion_remaining(aside->state));
#if SP_C_RECURSION
    aside->c_remaining = at_least(&aside->state->c_recursion_remaining);
#endif
}

void sp_aside_end(sp_aside *aside)
{
#if SP_C_RECURSION
    aside->state->c_recursion_remaining = aside->c_remaining;
#endif
    *recursion_remaining(aside->state) = aside->remaining;
    if (aside->collects)
        PyGC_Enable();
    sp_unrecorded_end();
    PyThreadState_LeaveTracing(aside->state);
    if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt))
        PyErr_SetInterrupt();
    PyErr_Restore(aside->type, aside->value, aside->traceback);
    sp_world_return(&aside->held);
    sp_signals_release(&aside->signals);
}

/* ---- The context manager ----------------------------------------------------------------- */

/* What signal handlers and finalizers call is the user's, and recorded: they wait until the outermost
 * is left. Signals that are to end the process do not wait, as that may take long. */
typedef struct sp_waiting {
    sp_signals signals;
    int collects;
} sp_waiting;

static void leave_waiting(void)
{
    sp_waiting *waiting = sp_here.waiting;
    if (waiting == NULL)
        return;
    sp_here.waiting = NULL;
    if (waiting->collects)
        PyGC_Enable();
    sp_signals_release(&waiting->signals);
    PyMem_RawFree(waiting);
}

static PyObject *unrecorded_enter(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    if (sp_local_is_mine() && sp_here.unrecorded == 0
        && (sp_here.waiting = PyMem_RawMalloc(sizeof *sp_here.waiting)) != NULL) {
        sp_signals_hold(&sp_here.waiting->signals);
        sp_signals_allow_ends();
        bool raised = PyErr_CheckSignals() < 0; /* those, and collections, that were due before */
        sp_here.waiting->collects = PyGC_Disable();
        if (raised) {
            leave_waiting();
            return NULL;
        }
    }
    sp_unrecorded_begin();
    Py_RETURN_NONE;
}

static PyObject *unrecorded_exit(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    sp_unrecorded_end();
    if (sp_here.unrecorded == 0)
        leave_waiting();
    Py_RETURN_NONE;
}

static PyMethodDef unrecorded_methods[] = {
    {"__enter__", unrecorded_enter, METH_NOARGS, "Begin."},
    {"__exit__", unrecorded_exit, METH_VARARGS, "End."},
    {NULL},
};

static PyType_Slot unrecorded_slots[] = {
    {Py_tp_doc, "A context manager: meanwhile this thread records nothing that begins."},
    {Py_tp_methods, unrecorded_methods},
    {0, NULL},
};

static PyType_Spec unrecorded_spec = {
    .name = "scope_profiler._core.Unrecorded",
    .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = unrecorded_slots,
};

int sp_aside_init(PyObject *module, sp_state *state)
{
    state->unrecorded_type = sp_add_type(module, &unrecorded_spec, NULL);
    if (state->unrecorded_type == NULL)
        return -1;
    PyObject *object = state->unrecorded_type->tp_alloc(state->unrecorded_type, 0);
    int result = PyModule_AddObjectRef(module, "unrecorded", object);
    Py_XDECREF(object);
    return result;
}
