#include "opener.h"

#include "manager.h"

/* ---- The callable ------------------------------------------------------------------------ */

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    sp_manager *manager; /* Owned; a cycle, broken by the manager. */
} Opener;

PyDoc_STRVAR(opener_doc,
"profile_region(region_name)\n--\n\n"
"The region of that name, made when it does not exist yet: a context manager that times what\n"
"runs inside it.\n\n"
"Raises TypeError or ValueError when region_name is not a non-empty str.");

static PyObject *opener_argument(PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    Py_ssize_t named = names == NULL ? 0 : PyTuple_GET_SIZE(names);
    for (Py_ssize_t i = 0; i < named; i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        if (PyUnicode_CompareWithASCIIString(name, "region_name") != 0) {
            PyErr_Format(PyExc_TypeError,
                         "profile_region() got an unexpected keyword argument %R; it takes "
                         "region_name", name);
            return NULL;
        }
    }
    if (nargs + named != 1) {
        PyErr_Format(PyExc_TypeError, "profile_region() takes one argument, region_name; got %zd",
                     nargs + named);
        return NULL;
    }
    return args[0];
}

static PyObject *opener_call(PyObject *self, PyObject *const *args, size_t nargsf,
                             PyObject *names)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    PyObject *name =
        SP_LIKELY(nargs == 1 && names == NULL) ? args[0] : opener_argument(args, nargs, names);
    if (name == NULL)
        return NULL;
    return Py_XNewRef((PyObject *)sp_manager_region(((Opener *)self)->manager, name));
}

static int opener_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Opener *)self)->manager);
    return 0;
}

static void opener_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_XDECREF(((Opener *)self)->manager);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *opener_name(PyObject *self, void *name)
{
    (void)self;
    return PyUnicode_FromString(name);
}

static PyGetSetDef opener_getset[] = {
    {"__name__", opener_name, NULL, NULL, "profile_region"},
    {"__qualname__", opener_name, NULL, NULL, "ProfileManager.profile_region"},
    {"__module__", opener_name, NULL, NULL, "scope_profiler"},
    {NULL},
};

static PyMemberDef opener_members[] = {
    {"__vectorcalloffset__", Py_T_PYSSIZET, offsetof(Opener, vectorcall), Py_READONLY, NULL},
    {"__self__", Py_T_OBJECT_EX, offsetof(Opener, manager), Py_READONLY, "The manager."},
    {NULL},
};

static PyType_Slot opener_slots[] = {
    {Py_tp_doc, (void *)opener_doc},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_traverse, opener_traverse},
    {Py_tp_dealloc, opener_dealloc},
    {Py_tp_getset, opener_getset},
    {Py_tp_members, opener_members},
    {0, NULL},
};

static PyType_Spec opener_spec = {
    .name = "scope_profiler._core.profile_region",
    .basicsize = sizeof(Opener),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL
             | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = opener_slots,
};

static PyObject *manager_opener(sp_manager *manager)
{
    if (SP_UNLIKELY(manager->opener == NULL)) {
        PyTypeObject *type = manager->state->opener_type;
        Opener *opener = (Opener *)type->tp_alloc(type, 0);
        if (opener == NULL)
            return NULL;
        opener->vectorcall = opener_call;
        opener->manager = (sp_manager *)Py_NewRef(manager);
        manager->opener = (PyObject *)opener;
    }
    return Py_NewRef(manager->opener);
}

/* ---- The descriptor ---------------------------------------------------------------------- */

/* The descriptor behind ProfileManager.profile_region: on an instance it gives that manager's
 * opener, on the class the process-wide one's, and never makes a bound method. */
typedef struct {
    PyObject_HEAD
    sp_state *state; /* of the module, which the type keeps alive */
} OpenerSlot;

static PyObject *opener_slot_get(PyObject *self, PyObject *manager, PyObject *type)
{
    sp_state *state = ((OpenerSlot *)self)->state;
    (void)type;
    if (manager == NULL)
        manager = state->default_manager;
    if (SP_UNLIKELY(manager == NULL || !PyObject_TypeCheck(manager, state->manager_type)))
        return Py_NewRef(self);
    return manager_opener((sp_manager *)manager);
}

static void opener_slot_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot opener_slot_slots[] = {
    {Py_tp_descr_get, opener_slot_get},
    {Py_tp_dealloc, opener_slot_dealloc},
    {0, NULL},
};

static PyType_Spec opener_slot_spec = {
    .name = "scope_profiler._core.OpenerSlot",
    .basicsize = sizeof(OpenerSlot),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = opener_slot_slots,
};

static int add_slot(sp_state *state, const char *name)
{
    PyTypeObject *type = state->opener_slot_type;
    OpenerSlot *slot = (OpenerSlot *)type->tp_alloc(type, 0);
    if (slot == NULL)
        return -1;
    slot->state = state;
    int result = PyDict_SetItemString(state->manager_type->tp_dict, name, (PyObject *)slot);
    Py_DECREF(slot);
    PyType_Modified(state->manager_type);
    return result;
}

int sp_opener_init(PyObject *module, sp_state *state)
{
    state->opener_type = sp_add_type(module, &opener_spec, NULL);
    state->opener_slot_type = sp_add_type(module, &opener_slot_spec, NULL);
    if (state->opener_type == NULL || state->opener_slot_type == NULL)
        return -1;
    if (add_slot(state, "profile_region") < 0 || add_slot(state, "region") < 0)
        return -1;
    return 0;
}
