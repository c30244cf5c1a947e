#include "python/factory.h"

#include "python/metadata_type.h"

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    sp_region *region; /* Owned. */
} Factory;

static PyObject *factory_call(PyObject *self, PyObject *const *args, size_t nargsf,
                              PyObject *names)
{
    sp_region *region = ((Factory *)self)->region;
    return sp_metadata_new(region->manager, "a region factory", region, args,
                    PyVectorcall_NARGS(nargsf), names);
}

const char sp_factory_new_doc[] =
"_factory(region)\n--\n\nThe RegionFactory of the region.";

PyObject *sp_factory_new(PyObject *self, PyObject *region)
{
    sp_state *state = ((sp_manager *)self)->state;
    if (!PyObject_TypeCheck(region, state->region_type)) {
        PyErr_SetString(PyExc_TypeError, "_factory() takes a region");
        return NULL;
    }
    Factory *factory = (Factory *)state->factory_type->tp_alloc(state->factory_type, 0);
    if (factory == NULL)
        return NULL;
    factory->vectorcall = factory_call;
    factory->region = (sp_region *)Py_NewRef(region);
    return (PyObject *)factory;
}

static PyObject *factory_name(PyObject *self, void *unused)
{
    (void)unused;
    return Py_NewRef(((Factory *)self)->region->name);
}

static PyObject *factory_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<RegionFactory %R>", ((Factory *)self)->region->name);
}

static int factory_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Factory *)self)->region);
    return 0;
}

static void factory_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_XDECREF(((Factory *)self)->region);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyGetSetDef factory_getset[] = {
    {"name", factory_name, NULL, "The name of the region.", NULL},
    {NULL},
};

static PyMemberDef factory_members[] = {
    {"__vectorcalloffset__", Py_T_PYSSIZET, offsetof(Factory, vectorcall), Py_READONLY, NULL},
    {"region", Py_T_OBJECT_EX, offsetof(Factory, region), Py_READONLY, "The region."},
    {NULL},
};

static PyType_Slot factory_slots[] = {
    {Py_tp_doc, "Called with metadata, a context manager that is region and metadata in one."},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_repr, factory_repr},
    {Py_tp_traverse, factory_traverse},
    {Py_tp_dealloc, factory_dealloc},
    {Py_tp_getset, factory_getset},
    {Py_tp_members, factory_members},
    {0, NULL},
};

PyType_Spec sp_factory_spec = {
    .name = "scope_profiler._core.RegionFactory",
    .basicsize = sizeof(Factory),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL
             | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = factory_slots,
};
