#include "python/memory_functions.h"

#include "base/thread_guard.h"
#include "memory/allocators.h"
#include "memory/resident.h"
#include "memory/thread_memory.h"

PyDoc_STRVAR(count_memory_doc, "count_memory(on)\n--\n\n"
                               "Count what Python's allocators take and give back, or do so no "
                               "longer: as often as it was asked for.");

static PyObject *count_memory(PyObject *module, PyObject *on)
{
    int truth = PyObject_IsTrue(on);
    (void)module;
    if (truth < 0)
        return NULL;
    sp_shared_take();
    int result = sp_allocators_count(truth);
    sp_shared_release();
    if (result < 0)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

PyDoc_STRVAR(counts_memory_doc, "counts_memory()\n--\n\n"
                                "Whether Python's allocators still ask ours: tracemalloc.stop() "
                                "takes out what came after its start.");

static PyObject *counts_memory(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    return PyBool_FromLong(sp_allocators_are_in());
}

/* The place of PyDataMem_DefaultHandler in the table, since NumPy 1.22; that of the function which tells
 * the version of the table; and the version that 1.22 has. */
enum { DEFAULT_HANDLER = 306, FEATURE_VERSION = 211, NUMPY_1_22 = 0xf };

PyDoc_STRVAR(count_numpy_doc, "count_numpy(api)\n--\n\n"
                              "Count the data of NumPy's arrays too. api: the capsule _ARRAY_API "
                              "of its core. Returns whether that is\n"
                              "of the form that is known.");

static PyObject *count_numpy(PyObject *module, PyObject *capsule)
{
    (void)module;
    void **api = PyCapsule_GetPointer(capsule, NULL);
    if (api == NULL)
        return NULL;
    if (((unsigned (*)(void))api[FEATURE_VERSION])() < NUMPY_1_22)
        Py_RETURN_FALSE;
    void *handler = PyCapsule_GetPointer(*(PyObject **)api[DEFAULT_HANDLER], "mem_handler");
    if (handler == NULL)
        return NULL;
    return PyBool_FromLong(sp_allocators_enter_numpy(handler));
}

PyDoc_STRVAR(
    resident_doc,
    "resident()\n--\n\n"
    "How many bytes of the machine's memory the process uses; -1 where that cannot be told.");

static PyObject *resident(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    return PyLong_FromLongLong(sp_resident());
}

PyMethodDef sp_memory_functions[] = {
    {"count_memory", count_memory, METH_O, count_memory_doc},
    {"counts_memory", counts_memory, METH_NOARGS, counts_memory_doc},
    {"count_numpy", count_numpy, METH_O, count_numpy_doc},
    {"resident", resident, METH_NOARGS, resident_doc},
    {NULL},
};
