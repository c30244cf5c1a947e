#include "python/enter_exit.h"

#include "lines/lines.h"
#include "record/after_call.h"
#include "record/metadata.h"
#include "record/open_call.h"

/* ---- EnterExit: what `with` calls --------------------------------------------------------
 *
 * `with region:` looks up __enter__ and __exit__ on the type. Were they methods, each lookup
 * would bind a fresh method object. They are descriptors instead that hand out one callable
 * made beforehand, two for each region. */

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    sp_region *region; /* Owned. */
} EnterExit;

static PyObject *arity_error(const char *name, const char *takes, Py_ssize_t got)
{
    PyErr_Format(PyExc_TypeError, "%s() takes %s, got %zd", name, takes, got);
    return NULL;
}

/* A region that records is entered. key: the frame, or SP_BY_HAND. */
static SP_APART void enter_noting(sp_region *region, const void *frame, const void *key)
{
    if (sp_region_counts_lines(region))
        sp_lines_block_enter(region, frame);
    sp_open_call_enter(region->manager, region, key, sp_metadata_for(region));
}

SP_INLINE void enter(sp_region *region, const void *frame, const void *key)
{
    if (SP_UNLIKELY((region->extras & SP_AT_ENTRY) != 0))
        enter_noting(region, frame, key);
    else
        sp_open_call_enter(region->manager, region, key, SP_NO_ANNOTATION);
}

/* Whether this thread has a call open, though nothing is recorded now: one that was open when the
 * run was paused ends all the same. */
SP_INLINE bool is_open(sp_manager *manager)
{
    if (SP_LIKELY(!manager->leaving))
        return false;
    sp_guard_take();
    const sp_thread *thread = sp_thread_find(manager);
    bool open = thread != NULL && sp_thread_has_open(thread);
    sp_guard_release();
    return open;
}

SP_INLINE void leave_at(sp_region *region, const void *key, uint64_t now, bool failed)
{
    sp_open_call_leave(region->manager, region, key, now, failed, SP_BLOCK);
    sp_after_call(region->manager, now);
}

SP_INLINE void leave(sp_region *region, const void *frame, const void *key, bool failed)
{
    if (SP_LIKELY(region->recording) || SP_UNLIKELY(is_open(region->manager)))
        leave_at(region, key, sp_now(), failed);
    if (SP_UNLIKELY(region->has_lines) && sp_lines_open())
        sp_lines_block_leave(region, frame);
}

void sp_region_enter(sp_region *region, const void *frame)
{
    if (region->recording)
        enter(region, frame, frame);
}

void sp_region_leave(sp_region *region, const void *frame, bool failed)
{
    leave(region, frame, frame, failed);
}

/* Apart, so that a region that does not record saves no registers and asks for no frame. */
static SP_APART PyObject *enter_now(sp_region *region)
{
    const void *frame = sp_current_frame();
    enter(region, frame, frame);
    return Py_NewRef(region);
}

static SP_APART PyObject *leave_now(sp_region *region, bool failed)
{
    const void *frame = sp_current_frame();
    leave(region, frame, frame, failed);
    Py_RETURN_NONE;
}

static PyObject *call_enter(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names)
{
    sp_region *region = ((EnterExit *)self)->region;
    (void)args;
    if (SP_UNLIKELY(PyVectorcall_NARGS(nargsf) != 0 || names != NULL))
        return arity_error("__enter__", "no arguments", PyVectorcall_NARGS(nargsf));
    return region->recording ? enter_now(region) : Py_NewRef(region);
}

static PyObject *call_exit(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names)
{
    sp_region *region = ((EnterExit *)self)->region;
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    bool failed = false;
    if (SP_LIKELY(nargs == 3 && names == NULL))
        failed = args[0] != Py_None;
    else if (nargs != 0 || names != NULL)
        return arity_error("__exit__", "three arguments or none", nargs);
    if (region->recording || region->manager->leaving || region->has_lines)
        return leave_now(region, failed);
    Py_RETURN_NONE;
}

static int enter_exit_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((EnterExit *)self)->region);
    return 0;
}

static void enter_exit_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_XDECREF(((EnterExit *)self)->region);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *enter_exit_repr(PyObject *self)
{
    EnterExit *callable = (EnterExit *)self;
    return PyUnicode_FromFormat("<%s of %R>",
                                callable->vectorcall == call_enter ? "__enter__" : "__exit__",
                                (PyObject *)callable->region);
}

static PyMemberDef enter_exit_members[] = {
    {"__vectorcalloffset__", Py_T_PYSSIZET, offsetof(EnterExit, vectorcall), Py_READONLY, NULL},
    {"__self__", Py_T_OBJECT_EX, offsetof(EnterExit, region), Py_READONLY, "The region."},
    {NULL},
};

static PyType_Slot enter_exit_slots[] = {
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_traverse, enter_exit_traverse},
    {Py_tp_dealloc, enter_exit_dealloc},
    {Py_tp_repr, enter_exit_repr},
    {Py_tp_members, enter_exit_members},
    {0, NULL},
};

PyType_Spec sp_enter_exit_spec = {
    .name = "scope_profiler._core.EnterExit",
    .basicsize = sizeof(EnterExit),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL
             | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = enter_exit_slots,
};

static PyObject *enter_exit_new(sp_region *region, vectorcallfunc function)
{
    PyTypeObject *type = region->manager->state->enter_exit_type;
    EnterExit *callable = (EnterExit *)type->tp_alloc(type, 0);
    if (callable == NULL)
        return NULL;
    callable->vectorcall = function;
    callable->region = (sp_region *)Py_NewRef(region);
    return (PyObject *)callable;
}

/* ---- EnterExitDescriptor: __enter__ and __exit__ of the type ----------------------------- */

typedef struct {
    PyObject_HEAD
    PyTypeObject *owner; /* what all types of regions derive from. Borrowed: this is in it. */
    size_t offset;       /* of the callable in sp_region */
} EnterExitDescriptor;

SP_INLINE PyObject **callable_of(const EnterExitDescriptor *descriptor, PyObject *region)
{
    return (PyObject **)((char *)region + descriptor->offset);
}

static SP_NOINLINE PyObject *bound_first(const EnterExitDescriptor *descriptor, PyObject *region)
{
    if (sp_enter_exit_make((sp_region *)region) < 0)
        return NULL;
    return Py_NewRef(*callable_of(descriptor, region));
}

SP_INLINE PyObject *bound(const EnterExitDescriptor *descriptor, PyObject *region)
{
    PyObject *callable = *callable_of(descriptor, region);
    return SP_LIKELY(callable != NULL) ? Py_NewRef(callable) : bound_first(descriptor, region);
}

/* Apart, so that the usual way saves no registers. */
static SP_NOINLINE PyObject *descriptor_get_slow(PyObject *self, PyObject *region)
{
    const EnterExitDescriptor *descriptor = (const EnterExitDescriptor *)self;
    if (region == NULL)
        return Py_NewRef(self);
    if (!PyObject_TypeCheck(region, descriptor->owner)) /* it has been put in another class */
        return PyErr_Format(PyExc_TypeError, "__enter__ and __exit__ are of a region, not %.200s",
                            Py_TYPE(region)->tp_name);
    return bound(descriptor, region);
}

static PyObject *descriptor_get(PyObject *self, PyObject *region, PyObject *type)
{
    const EnterExitDescriptor *descriptor = (const EnterExitDescriptor *)self;
    (void)type;
    if (SP_UNLIKELY(region == NULL || Py_TYPE(region)->tp_base != descriptor->owner))
        return descriptor_get_slow(self, region);
    return bound(descriptor, region);
}

/* type(region).__enter__(region), which is how contextlib.ExitStack goes about it. It does so in
 * frames of its own, which say nothing about whose call it is. */
static PyObject *descriptor_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    sp_state *state = PyType_GetModuleState(Py_TYPE(self));
    Py_ssize_t nargs = PyTuple_GET_SIZE(args);
    bool enters = ((EnterExitDescriptor *)self)->offset == offsetof(sp_region, enter);
    PyObject *region = nargs == 0 ? NULL : PyTuple_GET_ITEM(args, 0);
    if (region == NULL || !PyObject_TypeCheck(region, state->region_type)) {
        PyErr_SetString(PyExc_TypeError, "__enter__ and __exit__ of the class take a region");
        return NULL;
    }
    bool some = kwargs != NULL && PyDict_GET_SIZE(kwargs) != 0;
    if (some || (enters ? nargs != 1 : nargs != 4 && nargs != 1))
        return enters ? arity_error("__enter__", "no arguments", nargs - 1)
                      : arity_error("__exit__", "three arguments or none", nargs - 1);
    const void *frame = sp_current_frame();
    if (enters) {
        if (((sp_region *)region)->recording)
            enter((sp_region *)region, frame, SP_BY_HAND);
        return Py_NewRef(region);
    }
    bool failed = nargs == 4 && PyTuple_GET_ITEM(args, 1) != Py_None;
    leave((sp_region *)region, frame, SP_BY_HAND, failed);
    Py_RETURN_NONE;
}

/* descriptor.__get__(region, type), which is how contextlib goes about it from 3.15 on. The
 * interpreter does not look this method up. */
static PyObject *descriptor_get_by_hand(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs < 1 || nargs > 2) {
        PyErr_Format(PyExc_TypeError, "__get__() takes a region and its type, got %zd arguments",
                     nargs);
        return NULL;
    }
    return args[0] == Py_None ? Py_NewRef(self) : PyMethod_New(self, args[0]);
}

static PyMethodDef descriptor_methods[] = {
    {"__get__", (PyCFunction)(void (*)(void))descriptor_get_by_hand, METH_FASTCALL | METH_COEXIST,
     "Bind it to a region."},
    {NULL},
};

static void descriptor_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot descriptor_slots[] = {
    {Py_tp_descr_get, descriptor_get},
    {Py_tp_call, descriptor_call},
    {Py_tp_dealloc, descriptor_dealloc},
    {Py_tp_methods, descriptor_methods},
    {0, NULL},
};

PyType_Spec sp_enter_exit_descriptor_spec = {
    .name = "scope_profiler._core.EnterExitDescriptor",
    .basicsize = sizeof(EnterExitDescriptor),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = descriptor_slots,
};

static int add_descriptor(const sp_state *state, const char *name, size_t offset)
{
    PyTypeObject *type = state->enter_exit_descriptor_type;
    EnterExitDescriptor *descriptor = (EnterExitDescriptor *)type->tp_alloc(type, 0);
    if (descriptor == NULL)
        return -1;
    descriptor->owner = state->region_type;
    descriptor->offset = offset;
    sp_make_immortal((PyObject *)descriptor);
    int result =
        PyObject_SetAttrString((PyObject *)state->region_type, name, (PyObject *)descriptor);
    Py_DECREF(descriptor);
    return result;
}

/* ---- Of a region and its type ------------------------------------------------------------ */

int sp_enter_exit_make(sp_region *region)
{
    if (region->enter == NULL)
        region->enter = enter_exit_new(region, call_enter);
    if (region->leave == NULL)
        region->leave = enter_exit_new(region, call_exit);
    return region->enter == NULL || region->leave == NULL ? -1 : 0;
}

int sp_enter_exit_add(const sp_state *state)
{
    return add_descriptor(state, "__enter__", offsetof(sp_region, enter)) < 0
                   || add_descriptor(state, "__exit__", offsetof(sp_region, leave)) < 0
               ? -1
               : 0;
}
