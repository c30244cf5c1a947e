#include "python/metadata_type.h"

#include "base/callout.h"
#include "python/enter_exit.h"
#include "record/annotations.h"

static PyObject *scope_new(sp_manager *manager, PyObject *values, sp_region *region)
{
    PyTypeObject *type = manager->state->metadata_scope_type;
    sp_metadata_scope *scope = (sp_metadata_scope *)type->tp_alloc(type, 0);
    if (scope == NULL)
        return NULL;
    scope->manager = (sp_manager *)Py_NewRef(manager);
    scope->values = Py_NewRef(values);
    scope->region = (sp_region *)Py_XNewRef(region);
    return (PyObject *)scope;
}

static PyObject *scope_enter(PyObject *self, PyObject *unused)
{
    sp_metadata_scope *scope = (sp_metadata_scope *)self;
    (void)unused;
    if (scope->open) {
        PyErr_SetString(PyExc_RuntimeError,
                        "this metadata scope is open already: make one for each `with`");
        return NULL;
    }
    if (sp_metadata_enter(scope) < 0)
        return NULL;
    if (scope->region == NULL)
        return Py_NewRef(scope->values);
    sp_region_enter(scope->region, sp_current_frame());
    return Py_NewRef(scope->region);
}

static PyObject *scope_exit(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    sp_metadata_scope *scope = (sp_metadata_scope *)self;
    if (scope->region != NULL)
        sp_region_leave(scope->region, sp_current_frame(), nargs == 3 && args[0] != Py_None);
    sp_metadata_leave(scope);
    Py_RETURN_NONE;
}

/* Used as a decorator, as context managers of contextlib can be. */
static PyObject *scope_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *function, *result = NULL;
    static char *names[] = {"function", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:metadata", names, &function))
        return NULL;
    PyObject *module = PyImport_ImportModule("scope_profiler._instrument.decorator");
    if (module != NULL)
        result = PyObject_CallMethod(module, "in_metadata", "OO", self, function);
    Py_XDECREF(module);
    return result;
}

PyDoc_STRVAR(again_doc,
"_again()\n--\n\nA scope like this one, to be entered.");

static PyObject *scope_again(PyObject *self, PyObject *unused)
{
    sp_metadata_scope *scope = (sp_metadata_scope *)self;
    (void)unused;
    PyObject *values = PyDict_Copy(scope->values);
    PyObject *again = values == NULL ? NULL : scope_new(scope->manager, values, scope->region);
    Py_XDECREF(values);
    return again;
}

static int scope_traverse(PyObject *self, visitproc visit, void *arg)
{
    sp_metadata_scope *scope = (sp_metadata_scope *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(scope->manager);
    Py_VISIT(scope->values);
    Py_VISIT(scope->outer);
    Py_VISIT(scope->region);
    Py_VISIT(scope->context);
    return 0;
}

static void scope_dealloc(PyObject *self)
{
    sp_metadata_scope *scope = (sp_metadata_scope *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (scope->context != NULL)
        sp_metadata_wait_no_more(scope);
    Py_XDECREF(scope->outer);
    Py_XDECREF(scope->values);
    Py_XDECREF(scope->region);
    Py_XDECREF(scope->manager);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef scope_methods[] = {
    {"__enter__", scope_enter, METH_NOARGS, "Put the values in force; gives the dict of all."},
    {"__exit__", (PyCFunction)(void (*)(void))scope_exit, METH_FASTCALL, "Take them back."},
    {"_again", scope_again, METH_NOARGS, again_doc},
    {NULL},
};

static PyType_Slot scope_slots[] = {
    {Py_tp_doc, "Metadata of the calls made inside: what ProfileManager.metadata() gives."},
    {Py_tp_call, scope_call},
    {Py_tp_traverse, scope_traverse},
    {Py_tp_dealloc, scope_dealloc},
    {Py_tp_methods, scope_methods},
    {0, NULL},
};

PyType_Spec sp_metadata_scope_spec = {
    .name = "scope_profiler._core.MetadataScope",
    .basicsize = sizeof(sp_metadata_scope),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE
             | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = scope_slots,
};

/* ---- Of decorated calls ------------------------------------------------------------------ */

/* New dict, or NULL with an exception. */
static PyObject *dict_from(PyObject *given)
{
    if (PyDict_Check(given))
        return PyDict_Copy(given);
    PyObject *keys = PyObject_GetAttrString(given, "keys");
    if (keys == NULL) {
        if (PyErr_ExceptionMatches(PyExc_AttributeError))
            PyErr_Format(PyExc_TypeError, "metadata gave no dict but %.200s: %R",
                         Py_TYPE(given)->tp_name, given);
        return NULL;
    }
    Py_DECREF(keys);
    PyObject *values = PyDict_New();
    if (values != NULL && PyDict_Update(values, given) < 0)
        Py_CLEAR(values);
    return values;
}

/* A scope of what the metadata gave, a reference that is taken. See sp_metadata_of_call(). */
static int scope_from(sp_manager *manager, PyObject *given, PyObject **scope)
{
    PyObject *values = given == NULL ? NULL : dict_from(given);
    *scope = values == NULL ? NULL : scope_new(manager, values, NULL);
    Py_XDECREF(given);
    Py_XDECREF(values);
    if (*scope != NULL)
        return 0;
    if (!PyErr_ExceptionMatches(PyExc_Exception))
        return -1;
    sp_annotation_failed(manager);
    return 0;
}

int sp_metadata_of_call(sp_manager *manager, PyObject *metadata, PyObject *const *args,
                        size_t nargsf, PyObject *names, PyObject **scope)
{
    *scope = NULL;
    if (sp_unrecorded_for(manager))
        return 0;
    if (PyDict_Check(metadata))
        return scope_from(manager, Py_NewRef(metadata), scope);
    sp_unrecorded_begin();
    PyObject *given = PyObject_Vectorcall(metadata, args, nargsf, names);
    sp_unrecorded_end();
    return scope_from(manager, given, scope);
}

const char sp_metadata_of_call_doc[] =
"_metadata_of_call(metadata, args, kwargs)\n--\n\n"
"The scope for one call of a function decorated with metadata; None when there is none.";

PyObject *sp_metadata_of_call_py(PyObject *self, PyObject *args)
{
    PyObject *metadata, *positional, *named;
    if (!PyArg_ParseTuple(args, "OO!O!:_metadata_of_call", &metadata, &PyTuple_Type, &positional,
                          &PyDict_Type, &named))
        return NULL;
    if (sp_unrecorded_for((sp_manager *)self))
        Py_RETURN_NONE;
    sp_unrecorded_begin();
    PyObject *given = PyDict_Check(metadata) ? Py_NewRef(metadata)
                                             : PyObject_Call(metadata, positional, named);
    sp_unrecorded_end();
    PyObject *scope;
    if (scope_from((sp_manager *)self, given, &scope) < 0)
        return NULL;
    return scope == NULL ? Py_NewRef(Py_None) : scope;
}

/* ---- What the manager hands out ---------------------------------------------------------- */

static PyObject *dict_of(PyObject *const *values, PyObject *names)
{
    PyObject *dict = PyDict_New();
    for (Py_ssize_t i = 0; dict != NULL && names != NULL && i < PyTuple_GET_SIZE(names); i++) {
        if (PyDict_SetItem(dict, PyTuple_GET_ITEM(names, i), values[i]) < 0)
            Py_CLEAR(dict);
    }
    return dict;
}

PyObject *sp_metadata_new(sp_manager *manager, const char *what, sp_region *region,
                          PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    if (nargs != 0) {
        PyErr_Format(PyExc_TypeError, "%s() takes keyword arguments alone, name=value; got %zd "
                     "by position", what, nargs);
        return NULL;
    }
    PyObject *values = dict_of(args, names);
    PyObject *scope = values == NULL ? NULL : scope_new(manager, values, region);
    Py_XDECREF(values);
    return scope;
}

const char sp_metadata_make_doc[] =
"metadata($self, /, **values)\n--\n\n"
"A context manager or decorator: the calls that begin inside it, in this thread or task, carry the\n"
"values.\n\n"
"    with metadata(job=\"A\"):\n"
"        with metadata(step=3):\n"
"            solve()\n\n"
"Scopes add up, and the innermost wins. It gives the dict of all values, which may be added to. In\n"
"aggregation mode there are no single calls to carry them. TypeError for positional arguments.";

PyObject *sp_metadata_make(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                           PyObject *names)
{
    return sp_metadata_new((sp_manager *)self, "metadata", NULL, args, nargs, names);
}

const char sp_metadata_annotations_doc[] =
    "_annotations(handed_out=False)\n--\n\n"
    "The metadata noted in the current run, by number less one: each a dict, or a pair (entry or\n"
    "None, name of the exception or None) for calls whose outcome is recorded, or None where no call has it\n"
    "any more; and how often it could not be noted, with the first reason: (list, int, str or None).\n"
    "handed_out: those of the part that the last _snapshot() has handed out; once.";

PyObject *sp_metadata_annotations(PyObject *self, PyObject *args)
{
    sp_manager *manager = (sp_manager *)self;
    int handed_out = 0;
    if (!PyArg_ParseTuple(args, "|p:_annotations", &handed_out))
        return NULL;
    sp_shared_take();
    PyObject *entries = handed_out ? manager->handed_out : NULL;
    if (entries != NULL)
        manager->handed_out = NULL;
    else if (manager->annotations == NULL)
        entries = PyList_New(0);
    else
        entries = PyList_GetSlice(manager->annotations, 0, PY_SSIZE_T_MAX);
    PyObject *error = manager->metadata_error;
    error = Py_NewRef(error == NULL ? Py_None : error);
    uint64_t lost = manager->metadata_lost;
    sp_shared_release();
    if (entries == NULL) {
        Py_DECREF(error);
        return NULL;
    }
    return Py_BuildValue("(NKN)", entries, (unsigned long long)lost, error);
}
