/* The type below LineProfiler: its region is switched on and off in the thread that calls. Methods in C,
 * so that no frame of ours is between the user's and what is recorded of it. */
#include "base/thread_guard.h"
#include "lines/line_switch.h"
#include "python/state.h"

typedef struct {
    PyObject_HEAD
    sp_region *region; /* Owned; NULL before it is set. */
    PyObject *weakrefs;
} LineSwitch;

static sp_region *region_of(PyObject *self)
{
    sp_region *region = ((LineSwitch *)self)->region;
    if (region == NULL)
        PyErr_Format(PyExc_RuntimeError, "%.200s.__init__() has not been called", Py_TYPE(self)->tp_name);
    return region;
}

#define METHOD(name, action, result)                                                           \
    static PyObject *name(PyObject *self, PyObject *unused)                                    \
    {                                                                                          \
        sp_region *region = region_of(self);                                                   \
        (void)unused;                                                                          \
        if (region == NULL)                                                                    \
            return NULL;                                                                       \
        Py_INCREF(region); /* what is let go of meanwhile may hold the last reference to us */ \
        action;                                                                                \
        Py_DECREF(region);                                                                     \
        return Py_NewRef(result);                                                              \
    }
METHOD(enable, sp_line_switch_on(region), Py_None)
METHOD(disable, sp_line_switch_off(region), Py_None)
METHOD(enable_by_count, sp_line_switch_up(region, false), Py_None)
METHOD(disable_by_count, sp_line_switch_down(region), Py_None)
METHOD(enter, sp_line_switch_up(region, false), self)
METHOD(leave, sp_line_switch_down(region), Py_None)

static PyObject *get_enable_count(PyObject *self, void *unused)
{
    const sp_region *region = region_of(self);
    (void)unused;
    return region == NULL ? NULL : PyLong_FromUnsignedLong(sp_line_switch_count(region));
}

static PyObject *get_region(PyObject *self, void *unused)
{
    (void)unused;
    return Py_XNewRef((PyObject *)region_of(self));
}

static int set_region(PyObject *self, PyObject *region, void *unused)
{
    LineSwitch *line_switch = (LineSwitch *)self;
    const sp_state *state = PyModule_GetState(PyType_GetModuleByDef(Py_TYPE(self), &sp_module));
    (void)unused;
    if (region == NULL || !PyObject_TypeCheck(region, state->region_type)) {
        PyErr_SetString(PyExc_TypeError, "_region must be a region");
        return -1;
    }
    if (sp_line_switch_make((sp_region *)region) < 0)
        return -1;
    Py_XSETREF(line_switch->region, (sp_region *)Py_NewRef(region));
    return 0;
}

static int line_switch_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((LineSwitch *)self)->region);
    return 0;
}

static int line_switch_clear(PyObject *self)
{
    Py_CLEAR(((LineSwitch *)self)->region);
    return 0;
}

static void line_switch_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (((LineSwitch *)self)->weakrefs != NULL)
        PyObject_ClearWeakRefs(self);
    line_switch_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *line_switch_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)args, (void)kwargs;
    return type->tp_alloc(type, 0);
}

static PyMethodDef line_switch_methods[] = {
    {"enable", enable, METH_NOARGS,
     "enable($self, /)\n--\n\nProfile in this thread until disable()."},
    {"disable", disable, METH_NOARGS,
     "disable($self, /)\n--\n\n"
     "Profile in this thread no longer, whoever has asked for it. A line that has not ended by then\n"
     "does not count."},
    {"enable_by_count", enable_by_count, METH_NOARGS,
     "enable_by_count($self, /)\n--\n\n"
     "Profile in this thread until disable_by_count() has been called as often."},
    {"disable_by_count", disable_by_count, METH_NOARGS,
     "disable_by_count($self, /)\n--\n\nTake back one enable_by_count() of this thread, if there is one."},
    {"__enter__", enter, METH_NOARGS, "enable_by_count()"},
    {"__exit__", leave, METH_VARARGS, "disable_by_count()"},
    {NULL},
};

static PyGetSetDef line_switch_getset[] = {
    {"enable_count", get_enable_count, NULL,
     "How many enable_by_count(), `with` blocks and decorated calls are under way in this thread.", NULL},
    {"_region", get_region, set_region, "What is switched.", NULL},
    {NULL},
};

static PyMemberDef line_switch_members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(LineSwitch, weakrefs), Py_READONLY, NULL},
    {NULL},
};

static PyType_Slot line_switch_slots[] = {
    {Py_tp_doc, "Switches profiling by code on and off."},
    {Py_tp_new, line_switch_new},
    {Py_tp_traverse, line_switch_traverse},
    {Py_tp_clear, line_switch_clear},
    {Py_tp_dealloc, line_switch_dealloc},
    {Py_tp_methods, line_switch_methods},
    {Py_tp_getset, line_switch_getset},
    {Py_tp_members, line_switch_members},
    {0, NULL},
};

PyType_Spec sp_line_switch_spec = {
    .name = "scope_profiler._core.LineSwitch",
    .basicsize = sizeof(LineSwitch),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .slots = line_switch_slots,
};
