/* The context manager in which nothing is recorded, of scope_profiler/unrecorded.py. */
#include "base/callout.h"
#include "base/heap.h"
#include "python/state.h"

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
    sp_free(waiting);
}

static PyObject *unrecorded_enter(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    if (sp_local_is_mine() && sp_here.unrecorded == 0
        && (sp_here.waiting = sp_malloc(sizeof *sp_here.waiting)) != NULL) {
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

PyType_Spec sp_unrecorded_spec = {
    .name = "scope_profiler._core.Unrecorded",
    .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = unrecorded_slots,
};
