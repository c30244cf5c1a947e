#include "python/submitted_type.h"

#include "python/origin.h"
#include "python/region_type.h"
#include "python/state.h"
#include "record/submitted.h"

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    sp_manager *manager; /* Owned, as the rest. */
    PyObject *function;
    PyObject *regions; /* that were open where it was submitted: a tuple */
    sp_region *queued; /* under which its wait counts */
    PyObject *thread;  /* that has this for its `run`, until it is called; or NULL */
    uint64_t run, since;
} Submitted;

static void give_back_run(Submitted *work)
{
    PyObject *thread = work->thread;
    work->thread = NULL;
    if (thread != NULL && PyObject_SetAttrString(thread, "run", NULL) < 0)
        PyErr_Clear();
    Py_XDECREF(thread);
}

/* Exceptions pass, and no frame of ours is in their tracebacks. */
static PyObject *submitted_call(PyObject *self, PyObject *const *args, size_t nargsf,
                                PyObject *names)
{
    Submitted *work = (Submitted *)Py_NewRef(self); /* who calls may let go of it meanwhile */
    sp_submitted before = {.run = SP_NO_RUN};
    give_back_run(work);
    if (work->run == work->manager->run)
        before = sp_submitted_begin(
            work->manager, (sp_region **)PySequence_Fast_ITEMS(work->regions),
            (size_t)PyTuple_GET_SIZE(work->regions), work->queued, work->since);
    PyObject *result = PyObject_Vectorcall(work->function, args, nargsf, names);
    if (before.run != SP_NO_RUN)
        sp_submitted_end(work->manager, before);
    Py_DECREF(work);
    return result;
}

const char sp_submit_doc[] =
    "_submit(function, queued, thread=None)\n--\n\n"
    "The function, for another thread to call: what it records hangs below the regions that are open\n"
    "here and now. queued: the region that the time until then counts for. thread: a Thread whose\n"
    "attribute `run` this is to be, which the first call takes away again.";

PyObject *sp_submit(PyObject *self, PyObject *args)
{
    sp_manager *manager = (sp_manager *)self;
    PyTypeObject *type = manager->state->submitted_type;
    PyObject *function, *queued, *thread = NULL;
    if (!PyArg_ParseTuple(args, "OO!|O:_submit", &function, manager->state->region_type, &queued,
                          &thread))
        return NULL;
    PyObject *regions = sp_open_regions(self, NULL);
    Submitted *work = regions == NULL ? NULL : (Submitted *)type->tp_alloc(type, 0);
    if (work == NULL) {
        Py_XDECREF(regions);
        return NULL;
    }
    work->vectorcall = submitted_call;
    work->manager = (sp_manager *)Py_NewRef(self);
    work->function = Py_NewRef(function);
    work->regions = regions;
    work->queued = (sp_region *)Py_NewRef(queued);
    work->thread = Py_XNewRef(thread);
    work->run = manager->run;
    work->since = sp_now();
    return (PyObject *)work;
}

static int submitted_traverse(PyObject *self, visitproc visit, void *arg)
{
    Submitted *work = (Submitted *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(work->manager);
    Py_VISIT(work->function);
    Py_VISIT(work->regions);
    Py_VISIT(work->queued);
    Py_VISIT(work->thread);
    return 0;
}

static int submitted_clear(PyObject *self)
{
    Py_CLEAR(((Submitted *)self)->thread);
    return 0;
}

static void submitted_dealloc(PyObject *self)
{
    Submitted *work = (Submitted *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_XDECREF(work->manager);
    Py_XDECREF(work->function);
    Py_XDECREF(work->regions);
    Py_XDECREF(work->queued);
    Py_XDECREF(work->thread);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *submitted_repr(PyObject *self)
{
    return PyObject_Repr(((Submitted *)self)->function);
}

static PyMemberDef submitted_members[] = {
    {"__vectorcalloffset__", Py_T_PYSSIZET, offsetof(Submitted, vectorcall), Py_READONLY, NULL},
    {"__wrapped__", Py_T_OBJECT_EX, offsetof(Submitted, function), Py_READONLY,
     "The function that was submitted."},
    {NULL},
};

static PyType_Slot submitted_slots[] = {
    {Py_tp_doc, "A function that was submitted to another thread."},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_repr, submitted_repr},
    {Py_tp_traverse, submitted_traverse},
    {Py_tp_clear, submitted_clear},
    {Py_tp_dealloc, submitted_dealloc},
    {Py_tp_members, submitted_members},
    {0, NULL},
};

PyType_Spec sp_submitted_spec = {
    .name = "scope_profiler._core.Submitted",
    .basicsize = sizeof(Submitted),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL
             | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = submitted_slots,
};
