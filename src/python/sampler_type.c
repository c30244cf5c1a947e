/* The sampler as Python has it. */
#include "python/sampler_type.h"

#include "python/state.h"
#include "sampler/place.h"
#include "sampler/sampler.h"

typedef struct {
    PyObject_HEAD
    uint64_t
        run; /* of the manager, which it does not keep: the manager's run keeps the sampler */
    sp_sampler *sampler; /* Owned. */
} Sampler;

/* ---- What was counted ------------------------------------------------------------------------- */

static PyObject *list_of_codes(const sp_samples *samples)
{
    PyObject *list = PyList_New(samples->codes.count);
    for (uint32_t i = 0; list != NULL && i < samples->codes.count; i++) {
        PyObject *tuple = sp_code_tuple(&samples->codes.codes[i]);
        if (tuple == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, tuple);
    }
    return list;
}

static PyObject *list_of_threads(const sp_samples *samples)
{
    PyObject *list = PyList_New(samples->name_count);
    for (uint32_t i = 0; list != NULL && i < samples->name_count; i++) {
        const sp_sampled_name *name = &samples->names[i];
        PyObject *tuple = Py_BuildValue("(KK)", (unsigned long long)name->identifier,
                                        (unsigned long long)name->native);
        if (tuple == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, tuple);
    }
    return list;
}

/* There are none any longer when the manager has begun another run. */
static PyObject *list_of_regions(const sp_samples *samples, bool of_run)
{
    PyObject *list = PyList_New(samples->region_count);
    for (uint32_t i = 0; list != NULL && i < samples->region_count; i++) {
        PyObject *path = of_run ? sp_place_path(samples->regions[i].node) : PyTuple_New(0);
        if (path == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, path);
    }
    return list;
}

static PyObject *columns_of_nodes(const sp_samples *samples)
{
    enum { COLUMNS = 4 };
    const sp_sample_tree *tree = &samples->tree;
    PyObject *bytes =
        PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(tree->count * COLUMNS * sizeof(uint64_t)));
    if (bytes == NULL)
        return NULL;
    char *at = PyBytes_AS_STRING(bytes);
    for (uint32_t i = 0; i < tree->count; i++) {
        const sp_sample_node *node = &tree->nodes[i];
        const uint64_t row[COLUMNS] = {node->parent, node->kind, node->number, node->count};
        memcpy(at + i * sizeof row, row, sizeof row);
    }
    return bytes;
}

PyDoc_STRVAR(
    take_doc,
    "take($self, manager, /)\n--\n\n"
    "What was counted since the last time: ((ticks, instants, samples, missed, unreadable), code objects\n"
    "as (file, name, first line), threads as (identifier, the system's number), regions as the tuple of\n"
    "names down to each, nodes). nodes: rows of 4 uint64 as bytes: number of the parent, which comes first,\n"
    "kind, number, samples that end there; the first is the root. Kinds: 0 thread, 1 task, 2 region, by\n"
    "number; 3 frames that were left out, 4 one that could not be read; from 5 on the code object with that\n"
    "number less, whose line the number is.");

/* How many looks they are worth that stand for the same time each: (sum of weights)² / sum of their squares
 * (L. Kish, Survey Sampling, 1965). */
static unsigned long long instants(const sp_sample_counts *counts)
{
    double sum = (double)counts->stood_for;
    return counts->squares == 0 ? 0
                                : (unsigned long long)(sum * sum / (double)counts->squares + 0.5);
}

static PyObject *take(PyObject *self, PyObject *manager)
{
    Sampler *sampler = (Sampler *)self;
    sp_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (!PyObject_TypeCheck(manager, state->manager_type))
        return PyErr_Format(PyExc_TypeError, "take() takes a manager, got %.200s",
                            Py_TYPE(manager)->tp_name);
    sp_samples samples = sp_sampler_take(sampler->sampler);
    const sp_sample_counts counts = samples.counts;
    PyObject *parts[4] = {NULL};
    PyObject *result = NULL;
    if ((parts[0] = list_of_codes(&samples)) != NULL
        && (parts[1] = list_of_threads(&samples)) != NULL
        && (parts[2] = list_of_regions(&samples, ((sp_manager *)manager)->run == sampler->run))
               != NULL
        && (parts[3] = columns_of_nodes(&samples)) != NULL)
        result = Py_BuildValue(
            "((KKKKK)OOOO)", (unsigned long long)counts.ticks, instants(&counts),
            (unsigned long long)counts.samples, (unsigned long long)counts.missed,
            (unsigned long long)counts.unreadable, parts[0], parts[1], parts[2], parts[3]);
    for (int i = 0; i < 4; i++)
        Py_XDECREF(parts[i]);
    sp_samples_free(&samples);
    return result;
}

/* ---- Sampling --------------------------------------------------------------------------------- */

static PyObject *start(PyObject *self, PyObject *unused)
{
    (void)unused;
    if (!sp_sampler_start(((Sampler *)self)->sampler)) {
        PyErr_SetString(PyExc_RuntimeError, "the sampler's thread cannot be started");
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *stop(PyObject *self, PyObject *unused)
{
    (void)unused;
    Py_BEGIN_ALLOW_THREADS
    sp_sampler_stop(((Sampler *)self)->sampler);
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

static PyObject *tick(PyObject *self, PyObject *args)
{
    unsigned long long stands_for = 1;
    if (!PyArg_ParseTuple(args, "|K:tick", &stands_for))
        return NULL;
    sp_sampler_tick(((Sampler *)self)->sampler, stands_for);
    Py_RETURN_NONE;
}

/* False with an exception set. */
static bool can_sample(void)
{
    if (sp_sampler_init())
        return true;
    PyErr_SetString(
        PyExc_RuntimeError,
        "sample: this system does not let a program read its own memory (process_vm_readv(), "
        "/proc/self/mem), or has no signal left");
    return false;
}

static PyObject *check_sampler(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    if (!can_sample())
        return NULL;
    Py_RETURN_NONE;
}

PyMethodDef sp_sampler_functions[] = {
    {"check_sampler", check_sampler, METH_NOARGS,
     "check_sampler()\n--\n\nRaise RuntimeError where a Sampler cannot work."},
    {NULL},
};

/* ---- Life and death --------------------------------------------------------------------------- */

static PyObject *sampler_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    sp_state *state = PyType_GetModuleState(type);
    PyObject *manager;
    unsigned long long interval;
    int processor;
    (void)kwargs;
    if (!PyArg_ParseTuple(args, "O!Kp:Sampler", state->manager_type, &manager, &interval,
                          &processor))
        return NULL;
    if (interval == 0) {
        PyErr_SetString(PyExc_ValueError, "Sampler() takes an interval of at least 1 ns");
        return NULL;
    }
    if (!can_sample())
        return NULL;
    Sampler *self = (Sampler *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->run = ((sp_manager *)manager)->run;
    self->sampler = sp_sampler_new((sp_manager *)manager, interval, processor);
    if (self->sampler == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    return (PyObject *)self;
}

static void sampler_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (((Sampler *)self)->sampler != NULL)
        sp_sampler_free(((Sampler *)self)->sampler);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef sampler_methods[] = {
    {"start", start, METH_NOARGS,
     "start($self, /)\n--\n\nSample from now on, in a thread of the sampler's own."},
    {"stop", stop, METH_NOARGS, "stop($self, /)\n--\n\nSample no longer."},
    {"tick", tick, METH_VARARGS,
     "tick($self, stands_for=1, /)\n--\n\n"
     "For tests: take one sample of each thread now, the only one of so many intervals."},
    {"take", take, METH_O, take_doc},
    {NULL},
};

static PyType_Slot sampler_slots[] = {
    {Py_tp_doc,
     "Sampler(manager, interval, processor)\n--\n\n"
     "Samples the threads of the interpreter every `interval` nanoseconds, of processor time or "
     "of all, for the run of the manager."},
    {Py_tp_new, sampler_new},
    {Py_tp_dealloc, sampler_dealloc},
    {Py_tp_methods, sampler_methods},
    {0, NULL},
};

PyType_Spec sp_sampler_spec = {
    .name = "scope_profiler._core.Sampler",
    .basicsize = sizeof(Sampler),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = sampler_slots,
};
