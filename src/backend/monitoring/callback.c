#include "backend/monitoring/callback.h"

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
} Callback;

static void callback_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef callback_members[] = {
    {"__vectorcalloffset__", Py_T_PYSSIZET, offsetof(Callback, vectorcall), Py_READONLY, NULL},
    {NULL},
};

static PyType_Slot callback_slots[] = {
    {Py_tp_doc, "A callback of sys.monitoring."},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_dealloc, callback_dealloc},
    {Py_tp_members, callback_members},
    {0, NULL},
};

static PyType_Spec callback_spec = {
    .name = "scope_profiler._core.Callback",
    .basicsize = sizeof(Callback),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_IMMUTABLETYPE
             | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = callback_slots,
};

PyObject *sp_event_refuse(void)
{
    PyErr_SetString(PyExc_TypeError, "this is called by sys.monitoring, with what its event carries");
    return NULL;
}

static int add(PyTypeObject *type, PyObject *module, const sp_callback *which)
{
    Callback *callback = (Callback *)type->tp_alloc(type, 0);
    if (callback == NULL)
        return -1;
    callback->vectorcall = which->function;
    int result = PyModule_AddObjectRef(module, which->name, (PyObject *)callback);
    Py_DECREF(callback);
    return result;
}

int sp_callbacks_add(PyObject *module, const sp_callback *callbacks)
{
    static PyTypeObject *type = NULL; /* Owned, for ever. */
    if (type == NULL && (type = (PyTypeObject *)PyType_FromSpec(&callback_spec)) == NULL)
        return -1;
    int result = 0;
    for (; result == 0 && callbacks->name != NULL; callbacks++)
        result = add(type, module, callbacks);
    return result;
}
