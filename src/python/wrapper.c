#include "python/wrapper.h"

#include "python/decorated_call.h"
#include "python/metadata_type.h"
#include "python/twin.h"

/* ---- Wrapper ----------------------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    PyObject *wrapped;  /* Owned. */
    sp_region *region;  /* Owned. */
    PyObject *bottom;   /* the Python function it ends in, for line mode, or NULL. Owned. */
    PyObject *metadata; /* of each call: a dict or a callable, or NULL. Owned. */
    bool record_outcome;
    PyObject *dict;
    PyObject *weakrefs;
} Wrapper;

/* Calling a Python function by its own vectorcall spares a look at its type. */
SP_INLINE vectorcallfunc call_of(const Wrapper *wrapper)
{
    return wrapper->bottom == wrapper->wrapped ? ((PyFunctionObject *)wrapper->wrapped)->vectorcall
                                               : PyObject_Vectorcall;
}

static SP_APART PyObject *call_with_lines(const Wrapper *wrapper, PyObject *const *args,
                                          size_t nargsf, PyObject *names, bool record_outcome)
{
    PyObject *code = wrapper->bottom == NULL ? NULL : PyFunction_GET_CODE(wrapper->bottom);
    return sp_decorated_call(wrapper->region, wrapper->wrapped, call_of(wrapper), args, nargsf,
                             names, record_outcome, true, (PyCodeObject *)code);
}

static PyObject *wrapper_call(PyObject *self, PyObject *const *args, size_t nargsf,
                              PyObject *names)
{
    Wrapper *wrapper = (Wrapper *)self;
    if (SP_UNLIKELY(sp_region_counts_lines(wrapper->region)))
        return call_with_lines(wrapper, args, nargsf, names, false);
    if (SP_LIKELY(wrapper->region->recording))
        return sp_decorated_call(wrapper->region, wrapper->wrapped, call_of(wrapper), args,
                                 nargsf, names, false, false, NULL);
    return call_of(wrapper)(wrapper->wrapped, args, nargsf, names);
}

static PyObject *annotated_call(PyObject *self, PyObject *const *args, size_t nargsf,
                                PyObject *names)
{
    Wrapper *wrapper = (Wrapper *)self;
    if (!wrapper->region->recording)
        return call_of(wrapper)(wrapper->wrapped, args, nargsf, names);
    PyObject *metadata = NULL;
    if (wrapper->metadata != NULL
        && sp_metadata_of_call(wrapper->region->manager, wrapper->metadata, args, nargsf, names,
                               &metadata) < 0)
        return NULL;
    if (metadata != NULL)
        sp_metadata_push(metadata);
    PyObject *result =
        sp_region_counts_lines(wrapper->region)
            ? call_with_lines(wrapper, args, nargsf, names, wrapper->record_outcome)
            : sp_decorated_call(wrapper->region, wrapper->wrapped, call_of(wrapper), args, nargsf,
                                names, wrapper->record_outcome, false, NULL);
    if (metadata != NULL) {
        sp_metadata_pop(metadata);
        Py_DECREF(metadata);
    }
    return result;
}

static PyObject *wrapper_get(PyObject *self, PyObject *instance, PyObject *type)
{
    (void)type;
    if (instance == NULL || instance == Py_None)
        return Py_NewRef(self);
    return PyMethod_New(self, instance);
}

/* Of what need not become a method in a class: a builtin, a partial, an object with __call__. It
 * does when the wrapped object would. */
static PyObject *callable_get(PyObject *self, PyObject *instance, PyObject *type)
{
    PyObject *wrapped = ((Wrapper *)self)->wrapped;
    descrgetfunc get = Py_TYPE(wrapped)->tp_descr_get;
    if (get == NULL || instance == NULL || instance == Py_None)
        return Py_NewRef(self);
    PyObject *bound = get(wrapped, instance, type);
    if (bound == NULL)
        return NULL;
    bool stays = bound == wrapped;
    Py_DECREF(bound);
    return stays ? Py_NewRef(self) : PyMethod_New(self, instance);
}

/* What the wrapper does not have itself it shows of the function: __code__, __defaults__, ... */
static PyObject *wrapper_getattro(PyObject *self, PyObject *name)
{
    PyObject *value = PyObject_GenericGetAttr(self, name);
    if (value == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        value = PyObject_GetAttr(((Wrapper *)self)->wrapped, name);
    }
    return value;
}

static PyObject *wrapper_repr(PyObject *self)
{
    Wrapper *wrapper = (Wrapper *)self;
    return PyUnicode_FromFormat("<profiled %R in region %R>", wrapper->wrapped,
                                wrapper->region->name);
}

/* isinstance() and inspect ask for it, and find what the wrapped one is. */
static PyObject *wrapper_class(PyObject *self, void *unused)
{
    (void)unused;
    return PyObject_GetAttrString(((Wrapper *)self)->wrapped, "__class__");
}

/* Pickled and copied as the wrapped one is: a function by reference, under the name it was defined
 * with. What is pickled by its parts, as a partial, comes back without us. */
static PyObject *wrapper_reduce(PyObject *self, PyObject *protocol)
{
    PyObject *wrapped = ((Wrapper *)self)->wrapped;
    if (PyFunction_Check(wrapped))
        return PyObject_GetAttrString(self, "__qualname__");
    return PyObject_CallMethod(wrapped, "__reduce_ex__", "O", protocol);
}

static int wrapper_traverse(PyObject *self, visitproc visit, void *arg)
{
    Wrapper *wrapper = (Wrapper *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(wrapper->wrapped);
    Py_VISIT(wrapper->region);
    Py_VISIT(wrapper->bottom);
    Py_VISIT(wrapper->metadata);
    Py_VISIT(wrapper->dict);
    return 0;
}

static int wrapper_clear(PyObject *self)
{
    Py_CLEAR(((Wrapper *)self)->dict);
    return 0;
}

static void wrapper_dealloc(PyObject *self)
{
    Wrapper *wrapper = (Wrapper *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (wrapper->weakrefs != NULL)
        PyObject_ClearWeakRefs(self);
    wrapper_clear(self);
    Py_XDECREF(wrapper->wrapped);
    Py_XDECREF(wrapper->region);
    Py_XDECREF(wrapper->bottom);
    Py_XDECREF(wrapper->metadata);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef wrapper_methods[] = {
    {"__reduce_ex__", wrapper_reduce, METH_O, "As of what is wrapped; of a function, the name."},
    {NULL},
};

static PyGetSetDef wrapper_getset[] = {
    {"__class__", wrapper_class, NULL, NULL, NULL},
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL},
};

static PyMemberDef wrapper_members[] = {
    {"__vectorcalloffset__", Py_T_PYSSIZET, offsetof(Wrapper, vectorcall), Py_READONLY, NULL},
    {"__dictoffset__", Py_T_PYSSIZET, offsetof(Wrapper, dict), Py_READONLY, NULL},
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(Wrapper, weakrefs), Py_READONLY, NULL},
    {NULL},
};

#define COMMON_SLOTS                                                                           \
    {Py_tp_call, PyVectorcall_Call},                                                           \
    {Py_tp_getattro, wrapper_getattro},                                                        \
    {Py_tp_repr, wrapper_repr},                                                                \
    {Py_tp_traverse, wrapper_traverse},                                                        \
    {Py_tp_clear, wrapper_clear},                                                              \
    {Py_tp_dealloc, wrapper_dealloc},                                                          \
    {Py_tp_methods, wrapper_methods},                                                          \
    {Py_tp_getset, wrapper_getset},                                                            \
    {Py_tp_members, wrapper_members}

static PyType_Slot wrapper_slots[] = {
    COMMON_SLOTS,
    {Py_tp_descr_get, wrapper_get},
    {0, NULL},
};

static PyType_Slot callable_slots[] = {
    COMMON_SLOTS,
    {Py_tp_descr_get, callable_get},
    {0, NULL},
};

PyType_Spec sp_wrapper_spec = {
    .name = "scope_profiler._core.ProfiledFunction",
    .basicsize = sizeof(Wrapper),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL
             | Py_TPFLAGS_METHOD_DESCRIPTOR | Py_TPFLAGS_IMMUTABLETYPE
             | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = wrapper_slots,
};

PyType_Spec sp_callable_spec = {
    .name = "scope_profiler._core.ProfiledCallable",
    .basicsize = sizeof(Wrapper),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL
             | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = callable_slots,
};

PyObject *sp_function_of(PyObject *callable, bool wrapped)
{
    static const char *const ways[] = {"__func__", "func", "__wrapped__"};
    enum { FARTHEST = 64 }; /* some objects have every attribute that one asks for */
    PyObject *at = Py_NewRef(callable);
    for (int depth = 0; at != NULL && depth < FARTHEST; depth++) {
        if (PyFunction_Check(at))
            return at;
        PyObject *next = NULL;
        for (int i = 0; next == NULL && i < 2 + wrapped; i++) {
            next = PyObject_GetAttrString(at, ways[i]);
            PyErr_Clear();
            if (next == Py_None)
                Py_CLEAR(next);
        }
        Py_SETREF(at, next);
    }
    Py_XDECREF(at);
    return NULL;
}

static PyObject *wrapper_new(sp_region *region, PyObject *function, PyObject *metadata,
                             bool record_outcome)
{
    const sp_state *state = region->manager->state;
    bool is_method = PyType_HasFeature(Py_TYPE(function), Py_TPFLAGS_METHOD_DESCRIPTOR);
    PyTypeObject *type = is_method ? state->wrapper_type : state->callable_type;
    Wrapper *wrapper = (Wrapper *)type->tp_alloc(type, 0);
    if (wrapper == NULL)
        return NULL;
    wrapper->vectorcall =
        metadata != NULL || record_outcome ? annotated_call : wrapper_call;
    wrapper->wrapped = Py_NewRef(function);
    wrapper->region = (sp_region *)Py_NewRef(region);
    wrapper->bottom = sp_function_of(function, true);
    wrapper->metadata = Py_XNewRef(metadata);
    wrapper->record_outcome = record_outcome;
    return (PyObject *)wrapper;
}

PyObject *sp_wrapper_new(sp_region *region, PyObject *function, PyObject *metadata,
                         bool record_outcome)
{
    if (!PyCallable_Check(function)) {
        PyErr_Format(PyExc_TypeError, "profile() decorates a callable, got %.200s: %R",
                     Py_TYPE(function)->tp_name, function);
        return NULL;
    }
    bool plain = metadata == NULL && !record_outcome;
    return plain && sp_twin_fits(function)
               ? sp_twin_new(region, function)
               : wrapper_new(region, function, metadata, record_outcome);
}
