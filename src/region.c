#include "region.h"
#include "lines.h"
#include "scope.h"

/* ---- Hook: what `with` calls ------------------------------------------------------------
 *
 * `with region:` looks up __enter__ and __exit__ on the type. Were they methods, each lookup
 * would bind a fresh method object. They are descriptors instead that hand out one callable
 * made beforehand, two for each region. */

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    sp_region *region; /* Owned. */
} Hook;

static PyObject *hook_arity_error(const char *name, const char *takes, Py_ssize_t got)
{
    PyErr_Format(PyExc_TypeError, "%s() takes %s, got %zd", name, takes, got);
    return NULL;
}

static PyObject *hook_enter(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names)
{
    sp_region *region = ((Hook *)self)->region;
    (void)args;
    if (SP_UNLIKELY(PyVectorcall_NARGS(nargsf) != 0 || names != NULL))
        return hook_arity_error("__enter__", "no arguments", PyVectorcall_NARGS(nargsf));
    if (SP_LIKELY(region->recording)) {
        const void *frame = sp_current_frame();
        if (SP_UNLIKELY(region->lines))
            sp_lines_block_enter(region, frame);
        sp_scope_enter(region->manager, region, frame);
    }
    return Py_NewRef(region);
}

/* Whether this thread has a call open, though nothing is recorded now: one that was open when the
 * run was paused ends all the same. */
SP_INLINE bool is_open(const sp_manager *manager)
{
    return sp_here.run == manager->run && sp_here.thread->top != sp_here.thread->scopes;
}

static PyObject *hook_leave(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names)
{
    sp_region *region = ((Hook *)self)->region;
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (SP_UNLIKELY((nargs != 3 && nargs != 0) || names != NULL))
        return hook_arity_error("__exit__", "three arguments or none", nargs);
    bool failed = nargs == 3 && args[0] != Py_None;
    if (SP_LIKELY(region->recording))
        sp_scope_leave(region->manager, region, sp_current_frame(), failed);
    else if (SP_UNLIKELY(is_open(region->manager)))
        sp_scope_leave(region->manager, region, sp_current_frame(), failed);
    if (SP_UNLIKELY(sp_lines_open()))
        sp_lines_block_leave(region, sp_current_frame());
    Py_RETURN_NONE;
}

static int hook_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Hook *)self)->region);
    return 0;
}

static void hook_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_XDECREF(((Hook *)self)->region);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *hook_repr(PyObject *self)
{
    Hook *hook = (Hook *)self;
    return PyUnicode_FromFormat("<%s of %R>",
                                hook->vectorcall == hook_enter ? "__enter__" : "__exit__",
                                (PyObject *)hook->region);
}

static PyMemberDef hook_members[] = {
    {"__vectorcalloffset__", Py_T_PYSSIZET, offsetof(Hook, vectorcall), Py_READONLY, NULL},
    {"__self__", Py_T_OBJECT_EX, offsetof(Hook, region), Py_READONLY, "The region."},
    {NULL},
};

static PyType_Slot hook_slots[] = {
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_traverse, hook_traverse},
    {Py_tp_dealloc, hook_dealloc},
    {Py_tp_repr, hook_repr},
    {Py_tp_members, hook_members},
    {0, NULL},
};

static PyType_Spec hook_spec = {
    .name = "scope_profiler._core.Hook",
    .basicsize = sizeof(Hook),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL
             | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = hook_slots,
};

static PyObject *hook_new(sp_region *region, vectorcallfunc function)
{
    PyTypeObject *type = region->manager->state->hook_type;
    Hook *hook = (Hook *)type->tp_alloc(type, 0);
    if (hook == NULL)
        return NULL;
    hook->vectorcall = function;
    hook->region = (sp_region *)Py_NewRef(region);
    return (PyObject *)hook;
}

/* ---- HookSlot: the descriptors __enter__ and __exit__ of the type ----------------------- */

typedef struct {
    PyObject_HEAD
    size_t offset; /* of the hook in sp_region */
} HookSlot;

static PyObject *hook_slot_get(PyObject *self, PyObject *region, PyObject *type)
{
    (void)type;
    if (SP_UNLIKELY(region == NULL))
        return Py_NewRef(self);
    return Py_NewRef(*(PyObject **)((char *)region + ((HookSlot *)self)->offset));
}

/* type(region).__enter__(region), which is how contextlib.ExitStack goes about it. */
static PyObject *hook_slot_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    sp_state *state = PyType_GetModuleState(Py_TYPE(self));
    Py_ssize_t nargs = PyTuple_GET_SIZE(args);
    PyObject *region = nargs == 0 ? NULL : PyTuple_GET_ITEM(args, 0);
    if (region == NULL || !PyObject_TypeCheck(region, state->region_type)) {
        PyErr_SetString(PyExc_TypeError, "__enter__ and __exit__ of the class take a region");
        return NULL;
    }
    PyObject *rest = PyTuple_GetSlice(args, 1, nargs);
    if (rest == NULL)
        return NULL;
    PyObject *hook = hook_slot_get(self, region, NULL);
    PyObject *result = PyObject_Call(hook, rest, kwargs);
    Py_DECREF(hook);
    Py_DECREF(rest);
    return result;
}

static void hook_slot_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot hook_slot_slots[] = {
    {Py_tp_descr_get, hook_slot_get},
    {Py_tp_call, hook_slot_call},
    {Py_tp_dealloc, hook_slot_dealloc},
    {0, NULL},
};

static PyType_Spec hook_slot_spec = {
    .name = "scope_profiler._core.HookSlot",
    .basicsize = sizeof(HookSlot),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = hook_slot_slots,
};

static int add_hook_slot(sp_state *state, const char *name, size_t offset)
{
    PyTypeObject *type = state->hook_slot_type;
    HookSlot *slot = (HookSlot *)type->tp_alloc(type, 0);
    if (slot == NULL)
        return -1;
    slot->offset = offset;
    int result = PyDict_SetItemString(state->region_type->tp_dict, name, (PyObject *)slot);
    Py_DECREF(slot);
    PyType_Modified(state->region_type);
    return result;
}

/* ---- Region ------------------------------------------------------------------------------ */

sp_region *sp_region_new(sp_manager *manager, PyObject *name)
{
    PyTypeObject *type = manager->region_type;
    sp_region *region = (sp_region *)type->tp_alloc(type, 0);
    if (region == NULL)
        return NULL;
    region->manager = (sp_manager *)Py_NewRef(manager);
    region->name = Py_NewRef(name);
    region->recording = manager->recording;
    region->lines = manager->recording && manager->lines;
    region->enter = hook_new(region, hook_enter);
    region->leave = hook_new(region, hook_leave);
    if (region->enter == NULL || region->leave == NULL)
        Py_CLEAR(region);
    return region;
}

static PyObject *region_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)args, (void)kwargs;
    PyErr_Format(PyExc_TypeError,
                 "%s objects are not made directly: ask ProfileManager.profile_region(name)",
                 type->tp_name);
    return NULL;
}

static int region_traverse(PyObject *self, visitproc visit, void *arg)
{
    sp_region *region = (sp_region *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(region->manager);
    Py_VISIT(region->enter);
    Py_VISIT(region->leave);
    return 0;
}

/* The manager stays: the hooks and the tree use it as long as the region lives. The cycle with
 * the manager is broken on its side. */
static int region_clear(PyObject *self)
{
    Py_CLEAR(((sp_region *)self)->enter);
    Py_CLEAR(((sp_region *)self)->leave);
    return 0;
}

static void region_dealloc(PyObject *self)
{
    sp_region *region = (sp_region *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (region->weakrefs != NULL)
        PyObject_ClearWeakRefs(self);
    sp_lines_forget(region);
    region_clear(self);
    Py_XDECREF(region->manager);
    Py_XDECREF(region->name);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef region_members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(sp_region, weakrefs), Py_READONLY, NULL},
    {"name", Py_T_OBJECT_EX, offsetof(sp_region, name), Py_READONLY, "The name of the region."},
    {"manager", Py_T_OBJECT_EX, offsetof(sp_region, manager), Py_READONLY,
     "The manager the region belongs to."},
    {NULL},
};

static PyObject *region_recording(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(((sp_region *)self)->recording);
}

static PyGetSetDef region_getset[] = {
    {"_recording", region_recording, NULL, "Whether calls are recorded now.", NULL},
    {NULL},
};

static PyType_Slot region_slots[] = {
    {Py_tp_new, region_new},
    {Py_tp_traverse, region_traverse},
    {Py_tp_clear, region_clear},
    {Py_tp_dealloc, region_dealloc},
    {Py_tp_members, region_members},
    {Py_tp_getset, region_getset},
    {0, NULL},
};

static PyType_Spec region_spec = {
    .name = "scope_profiler._core.Region",
    .basicsize = sizeof(sp_region),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .slots = region_slots,
};

int sp_region_init(PyObject *module, sp_state *state)
{
    state->hook_type = sp_add_type(module, &hook_spec, NULL);
    state->hook_slot_type = sp_add_type(module, &hook_slot_spec, NULL);
    state->region_type = sp_add_type(module, &region_spec, NULL);
    if (state->hook_type == NULL || state->hook_slot_type == NULL || state->region_type == NULL)
        return -1;
    if (add_hook_slot(state, "__enter__", offsetof(sp_region, enter)) < 0
        || add_hook_slot(state, "__exit__", offsetof(sp_region, leave)) < 0)
        return -1;
    return 0;
}
