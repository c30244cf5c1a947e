#include "python/enter_exit.h"

#include "lines/lines.h"
#include "record/metadata.h"
#include "record/open_call.h"

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

/* key: the frame, or SP_BY_HAND. */
SP_INLINE void region_enter(sp_region *region, const void *frame, const void *key)
{
    if (SP_UNLIKELY(!region->recording))
        return;
    if (SP_UNLIKELY(region->lines))
        sp_lines_block_enter(region, frame);
    sp_open_call_enter(region->manager, region, key, sp_metadata_for(region));
}

/* Whether this thread has a call open, though nothing is recorded now: one that was open when the
 * run was paused ends all the same. */
SP_INLINE bool is_open(sp_manager *manager)
{
    if (SP_LIKELY(!manager->leaving))
        return false;
    sp_guard_take();
    const sp_thread *thread = sp_thread_known(manager);
    bool open = thread != NULL && sp_thread_has_open(thread);
    sp_guard_release();
    return open;
}

SP_INLINE void region_leave(sp_region *region, const void *frame, const void *key, bool failed)
{
    if (SP_LIKELY(region->recording) || SP_UNLIKELY(is_open(region->manager)))
        sp_open_call_leave(region->manager, region, key, failed, SP_BLOCK);
    if (SP_UNLIKELY(sp_lines_open()))
        sp_lines_block_leave(region, frame);
}

void sp_region_enter(sp_region *region, const void *frame) { region_enter(region, frame, frame); }

void sp_region_leave(sp_region *region, const void *frame, bool failed)
{
    region_leave(region, frame, frame, failed);
}

static PyObject *hook_enter(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names)
{
    sp_region *region = ((Hook *)self)->region;
    const void *frame = sp_current_frame();
    (void)args;
    if (SP_UNLIKELY(PyVectorcall_NARGS(nargsf) != 0 || names != NULL))
        return hook_arity_error("__enter__", "no arguments", PyVectorcall_NARGS(nargsf));
    region_enter(region, frame, frame);
    return Py_NewRef(region);
}

static PyObject *hook_leave(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names)
{
    sp_region *region = ((Hook *)self)->region;
    const void *frame = sp_current_frame();
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (SP_UNLIKELY((nargs != 3 && nargs != 0) || names != NULL))
        return hook_arity_error("__exit__", "three arguments or none", nargs);
    region_leave(region, frame, frame, nargs == 3 && args[0] != Py_None);
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
    PyTypeObject *owner; /* what all types of regions derive from. Borrowed: the slot is in it. */
    size_t offset;       /* of the hook in sp_region */
} HookSlot;

static PyObject *hook_slot_get(PyObject *self, PyObject *region, PyObject *type)
{
    const HookSlot *slot = (const HookSlot *)self;
    (void)type;
    if (SP_UNLIKELY(region == NULL))
        return Py_NewRef(self);
    if (SP_UNLIKELY(Py_TYPE(region)->tp_base != slot->owner)
        && !PyObject_TypeCheck(region, slot->owner)) /* the slot has been put in another class */
        return PyErr_Format(PyExc_TypeError, "__enter__ and __exit__ are of a region, not %.200s",
                            Py_TYPE(region)->tp_name);
    return Py_NewRef(*(PyObject **)((char *)region + slot->offset));
}

/* type(region).__enter__(region), which is how contextlib.ExitStack goes about it. It does so in
 * frames of its own, which say nothing about whose call it is. */
static PyObject *hook_slot_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    sp_state *state = PyType_GetModuleState(Py_TYPE(self));
    Py_ssize_t nargs = PyTuple_GET_SIZE(args);
    bool enters = ((HookSlot *)self)->offset == offsetof(sp_region, enter);
    PyObject *region = nargs == 0 ? NULL : PyTuple_GET_ITEM(args, 0);
    if (region == NULL || !PyObject_TypeCheck(region, state->region_type)) {
        PyErr_SetString(PyExc_TypeError, "__enter__ and __exit__ of the class take a region");
        return NULL;
    }
    bool some = kwargs != NULL && PyDict_GET_SIZE(kwargs) != 0;
    if (some || (enters ? nargs != 1 : nargs != 4 && nargs != 1))
        return enters ? hook_arity_error("__enter__", "no arguments", nargs - 1)
                      : hook_arity_error("__exit__", "three arguments or none", nargs - 1);
    const void *frame = sp_current_frame();
    if (enters) {
        region_enter((sp_region *)region, frame, SP_BY_HAND);
        return Py_NewRef(region);
    }
    bool failed = nargs == 4 && PyTuple_GET_ITEM(args, 1) != Py_None;
    region_leave((sp_region *)region, frame, SP_BY_HAND, failed);
    Py_RETURN_NONE;
}

/* slot.__get__(region, type), which is how contextlib goes about it from 3.15 on. The interpreter does
 * not look this method up. */
static PyObject *hook_slot_get_by_hand(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs < 1 || nargs > 2) {
        PyErr_Format(PyExc_TypeError, "__get__() takes a region and its type, got %zd arguments",
                     nargs);
        return NULL;
    }
    return args[0] == Py_None ? Py_NewRef(self) : PyMethod_New(self, args[0]);
}

static PyMethodDef hook_slot_methods[] = {
    {"__get__", (PyCFunction)(void (*)(void))hook_slot_get_by_hand, METH_FASTCALL | METH_COEXIST,
     "Bind it to a region."},
    {NULL},
};

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
    {Py_tp_methods, hook_slot_methods},
    {0, NULL},
};

static PyType_Spec hook_slot_spec = {
    .name = "scope_profiler._core.HookSlot",
    .basicsize = sizeof(HookSlot),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = hook_slot_slots,
};

static int add_hook_slot(const sp_state *state, const char *name, size_t offset)
{
    PyTypeObject *type = state->hook_slot_type;
    HookSlot *slot = (HookSlot *)type->tp_alloc(type, 0);
    if (slot == NULL)
        return -1;
    slot->owner = state->region_type;
    slot->offset = offset;
    int result = PyDict_SetItemString(state->region_type->tp_dict, name, (PyObject *)slot);
    Py_DECREF(slot);
    PyType_Modified(state->region_type);
    return result;
}

/* ---- Of a region and its type ------------------------------------------------------------ */

int sp_hooks_make(sp_region *region)
{
    region->enter = hook_new(region, hook_enter);
    region->leave = hook_new(region, hook_leave);
    return region->enter == NULL || region->leave == NULL ? -1 : 0;
}

int sp_hooks_init(PyObject *module, sp_state *state)
{
    state->hook_type = sp_add_type(module, &hook_spec, NULL);
    state->hook_slot_type = sp_add_type(module, &hook_slot_spec, NULL);
    if (state->hook_type == NULL || state->hook_slot_type == NULL)
        return -1;
    if (add_hook_slot(state, "__enter__", offsetof(sp_region, enter)) < 0
        || add_hook_slot(state, "__exit__", offsetof(sp_region, leave)) < 0)
        return -1;
    return 0;
}
