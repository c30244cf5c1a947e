#include "record/metadata.h"

#include "python/aside.h"
#include "record/scope.h"

/* ---- Scopes ------------------------------------------------------------------------------ */

typedef struct sp_metadata_scope_object {
    PyObject_HEAD
    sp_manager *manager; /* Owned. */
    PyObject *values;    /* dict; with what was in force around it, once it is in force. Owned. */
    PyObject *outer;     /* the scope that was in force when it was entered, or NULL. Owned. */
    sp_region *region;   /* entered with it, or NULL. Owned. */
    sp_annotation noted; /* the last time */
    bool merged, open;
    PyObject *context; /* in which it waits for a run, or NULL. Owned. */
    struct sp_metadata_scope_object *before, *after; /* that wait, too. Borrowed. */
} Scope;

/* The exception that is set, as text; NULL when there is none. */
static PyObject *take_message(void)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    PyObject *message = value == NULL ? NULL : PyObject_Repr(value);
    if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt))
        PyErr_SetInterrupt(); /* it arrives where it can be raised */
    PyErr_Clear();
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    return message;
}

/* Something of ours failed on the way of a call: count it, keep the first message. */
static void count_failure(sp_manager *manager)
{
    PyObject *message = take_message();
    sp_shared_take();
    manager->metadata_lost++;
    if (manager->metadata_error == NULL) {
        manager->metadata_error = message;
        message = NULL;
    }
    sp_shared_drop();
    Py_XDECREF(message);
}

static PyObject *scope_new(sp_manager *manager, PyObject *values, sp_region *region)
{
    PyTypeObject *type = manager->state->metadata_scope_type;
    Scope *scope = (Scope *)type->tp_alloc(type, 0);
    if (scope == NULL)
        return NULL;
    scope->manager = (sp_manager *)Py_NewRef(manager);
    scope->values = Py_NewRef(values);
    scope->region = (sp_region *)Py_XNewRef(region);
    return (PyObject *)scope;
}

/* Calls of the run may have metadata from now on: the regions are told once. */
static void announce(sp_manager *manager)
{
    if (manager->annotated || !manager->recording || !manager->events)
        return;
    sp_stop();
    manager->annotated = true;
    for (uint32_t i = 0; i < manager->region_count; i++)
        sp_region_switch(manager->regions[i]);
    sp_go();
}

/* The scope that was entered last here, of whichever manager, a new reference; NULL for none. Scopes
 * that have been left, out of turn or in another context, are not. */
static int innermost(const sp_manager *manager, Scope **scope)
{
    PyObject *value = NULL;
    if (PyContextVar_Get(manager->state->metadata_in_force, NULL, &value) < 0)
        return -1;
    if (value == Py_None)
        Py_CLEAR(value);
    while (value != NULL && SP_UNLIKELY(!((Scope *)value)->open))
        Py_SETREF(value, Py_XNewRef(((Scope *)value)->outer));
    *scope = (Scope *)value;
    return 0;
}

/* The innermost of the manager's that is open, this one or around it; NULL when there is none.
 * Borrowed. */
static Scope *of_manager(Scope *scope, const sp_manager *manager)
{
    while (scope != NULL && (scope->manager != manager || !scope->open))
        scope = (Scope *)scope->outer;
    return scope;
}

/* The manager's scope in force here, a new reference; NULL for none. */
static int current(const sp_manager *manager, Scope **scope)
{
    Scope *inner = NULL;
    if (innermost(manager, &inner) < 0)
        return -1;
    *scope = (Scope *)Py_XNewRef(of_manager(inner, manager));
    Py_XDECREF(inner);
    return 0;
}

static int put_in_force(const sp_manager *manager, PyObject *scope)
{
    PyObject *token = PyContextVar_Set(manager->state->metadata_in_force,
                                       scope == NULL ? Py_None : scope);
    Py_XDECREF(token);
    return token == NULL ? -1 : 0;
}

/* Values around it hold inside it as well, and come first, unless it has its own. The dict stays the
 * same: the user may have it already. */
static int merge(Scope *scope, const Scope *around)
{
    if (scope->merged)
        return 0;
    scope->merged = true;
    if (around == NULL)
        return 0;
    PyObject *merged = PyDict_Copy(around->values);
    int result = merged == NULL ? -1 : PyDict_Update(merged, scope->values);
    if (result == 0) {
        PyDict_Clear(scope->values);
        result = PyDict_Update(scope->values, merged);
    }
    Py_XDECREF(merged);
    return result;
}

/* Whether the scope is this one or somewhere around it, left or not. */
static bool is_around(const Scope *scope, const Scope *inner)
{
    while (inner != NULL && inner != scope)
        inner = (const Scope *)inner->outer;
    return inner != NULL;
}

/* One that was left while one inside it stays open, as between a coroutine's steps, is entered again
 * where it was: inside that, the two would lead to each other for ever. */
static int put_around(Scope *scope, Scope *around)
{
    if (is_around(scope, around)) {
        Py_DECREF(around);
        return 0;
    }
    Py_XSETREF(scope->outer, (PyObject *)around);
    return merge(scope, of_manager(around, scope->manager)) < 0
               ? -1
               : put_in_force(scope->manager, (PyObject *)scope);
}

/* Setting a context variable costs more than all the rest. So what is entered without a run waits in
 * a list, and the run that begins inside it, in its context, puts it in force. */
static void wait_for_run(Scope *scope, PyObject *context)
{
    sp_manager *manager = scope->manager;
    scope->open = true;
    scope->context = Py_NewRef(context);
    sp_shared_take();
    scope->before = NULL;
    scope->after = manager->waiting;
    if (scope->after != NULL)
        scope->after->before = scope;
    manager->waiting = scope;
    sp_shared_drop();
}

static void wait_no_more(Scope *scope)
{
    sp_shared_take();
    if (scope->after != NULL)
        scope->after->before = scope->before;
    if (scope->before != NULL)
        scope->before->after = scope->after;
    else
        scope->manager->waiting = scope->after;
    sp_shared_drop();
    Py_CLEAR(scope->context);
}

/* The scope that waits longest in this context, a new reference; NULL for none. */
static Scope *outermost_waiting(const sp_manager *manager)
{
    Scope *found = NULL;
    sp_shared_take();
    for (Scope *scope = manager->waiting; scope != NULL; scope = scope->after) {
        if (scope->context == sp_current_context())
            found = scope;
    }
    Py_XINCREF(found);
    sp_shared_drop();
    return found;
}

static int come_into_force(Scope *scope)
{
    sp_manager *manager = scope->manager;
    Scope *around;
    if (innermost(manager, &around) < 0 || put_around(scope, around) < 0)
        return -1;
    scope->open = true;
    manager->scoped = true;
    sp_scope_did(manager, SP_METADATA);
    announce(manager);
    return 0;
}

void sp_metadata_begin(sp_manager *manager)
{
    for (Scope *scope; (scope = outermost_waiting(manager)) != NULL; Py_DECREF(scope)) {
        wait_no_more(scope);
        if (come_into_force(scope) < 0)
            count_failure(manager);
    }
}

static int enter(Scope *scope)
{
    PyObject *context = sp_current_context();
    if (scope->manager->run != SP_NO_RUN || context == NULL)
        return come_into_force(scope);
    wait_for_run(scope, context);
    return 0;
}

/* Scopes may be left in any order, by generators that take turns, and in another context than they
 * were entered in, where a generator is closed from elsewhere. */
static void leave(Scope *scope)
{
    Scope *around = NULL;
    scope->open = false;
    if (scope->context != NULL) {
        wait_no_more(scope);
        return;
    }
    if (innermost(scope->manager, &around) < 0
        || put_in_force(scope->manager, (PyObject *)around) < 0)
        PyErr_Clear();
    Py_XDECREF(around);
}

void sp_metadata_push(PyObject *scope)
{
    if (enter((Scope *)scope) < 0)
        count_failure(((Scope *)scope)->manager);
}

void sp_metadata_pop(PyObject *scope)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    leave((Scope *)scope);
    PyErr_Restore(type, value, traceback);
}

static PyObject *scope_enter(PyObject *self, PyObject *unused)
{
    Scope *scope = (Scope *)self;
    (void)unused;
    if (scope->open) {
        PyErr_SetString(PyExc_RuntimeError,
                        "this metadata scope is open already: make one for each `with`");
        return NULL;
    }
    if (enter(scope) < 0)
        return NULL;
    if (scope->region == NULL)
        return Py_NewRef(scope->values);
    sp_region_enter(scope->region, sp_current_frame());
    return Py_NewRef(scope->region);
}

static PyObject *scope_exit(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Scope *scope = (Scope *)self;
    if (scope->region != NULL)
        sp_region_leave(scope->region, sp_current_frame(), nargs == 3 && args[0] != Py_None);
    leave(scope);
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
    Scope *scope = (Scope *)self;
    (void)unused;
    PyObject *values = PyDict_Copy(scope->values);
    PyObject *again = values == NULL ? NULL : scope_new(scope->manager, values, scope->region);
    Py_XDECREF(values);
    return again;
}

static int scope_traverse(PyObject *self, visitproc visit, void *arg)
{
    Scope *scope = (Scope *)self;
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
    Scope *scope = (Scope *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (scope->context != NULL)
        wait_no_more(scope);
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

static PyType_Spec scope_spec = {
    .name = "scope_profiler._core.MetadataScope",
    .basicsize = sizeof(Scope),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE
             | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = scope_slots,
};

/* ---- Numbers ----------------------------------------------------------------------------- */

/* Note an entry of the run's table: a dict, or (dict or None, name of an exception or None) for
 * how a call ended. Number 0 when memory is out. */
static sp_annotation note(sp_manager *manager, PyObject *entry)
{
    if (manager->annotations == NULL)
        manager->annotations = PyList_New(0);
    if (manager->annotations == NULL || PyList_Append(manager->annotations, entry) < 0) {
        count_failure(manager);
        return (sp_annotation){0};
    }
    return (sp_annotation){manager->run, (uint32_t)PyList_GET_SIZE(manager->annotations)};
}

static sp_annotation note_now(sp_manager *manager)
{
    Scope *scope;
    if (current(manager, &scope) < 0) {
        count_failure(manager);
        return (sp_annotation){0};
    }
    if (scope == NULL)
        return (sp_annotation){0};
    sp_shared_take();
    if (SP_UNLIKELY(scope->noted.run != manager->run))
        scope->noted = note(manager, scope->values);
    sp_annotation noted = scope->noted;
    sp_shared_drop();
    Py_DECREF(scope);
    return noted;
}

SP_NOINLINE sp_annotation sp_metadata_now(sp_manager *manager)
{
    sp_scope_did(manager, SP_ANNOTATION);
    sp_lend_regions(manager);
    sp_annotation noted = note_now(manager);
    sp_take_back_regions(manager);
    return noted;
}

/* What the run has under the number, or None. Borrowed. */
static PyObject *entry_of(const sp_manager *manager, sp_annotation annotation)
{
    uint32_t number = sp_annotation_in(manager, annotation);
    return number == 0 ? Py_None : PyList_GET_ITEM(manager->annotations, number - 1);
}

static sp_annotation note_outcome(sp_manager *manager, sp_annotation annotation, PyObject *raised)
{
    sp_annotation noted = {0};
    PyObject *values = Py_NewRef(entry_of(manager, annotation));
    PyObject *entry = PyTuple_Pack(2, values, raised);
    if (entry != NULL)
        noted = note(manager, entry);
    Py_XDECREF(entry);
    Py_DECREF(values);
    return noted;
}

/* (number, name of the exception or None) -> number, kept in a dict: it is the same few all the
 * time. What makes objects may collect garbage, and so begin another run: the dict is held. */
static sp_annotation find_outcome(sp_manager *manager, sp_annotation annotation, PyObject *raised)
{
    sp_annotation found = {0};
    PyObject *key = Py_BuildValue("(IO)", annotation.number, raised);
    PyObject *outcomes = manager->outcomes;
    if (outcomes == NULL)
        outcomes = manager->outcomes = PyDict_New();
    if (key == NULL || outcomes == NULL) {
        Py_XDECREF(key);
        return found;
    }
    Py_INCREF(outcomes);
    PyObject *number = PyDict_GetItemWithError(outcomes, key);
    if (number != NULL) {
        found = (sp_annotation){annotation.run, (uint32_t)PyLong_AsUnsignedLong(number)};
    }
    else if (!PyErr_Occurred()) {
        found = note_outcome(manager, annotation, raised);
        number = found.number == 0 ? NULL : PyLong_FromUnsignedLong(found.number);
        if (number != NULL && PyDict_SetItem(outcomes, key, number) < 0)
            PyErr_Clear();
        Py_XDECREF(number);
    }
    Py_DECREF(outcomes);
    Py_DECREF(key);
    return found;
}

sp_annotation sp_metadata_outcome(sp_manager *manager, sp_annotation annotation, bool failed)
{
    PyObject *type, *value, *traceback;
    if (!manager->events || annotation.run != manager->run)
        return annotation;
    PyErr_Fetch(&type, &value, &traceback);
    sp_shared_take();
    sp_annotation found = {0};
    PyObject *raised = failed ? PyType_GetName((PyTypeObject *)type) : Py_NewRef(Py_None);
    if (raised != NULL)
        found = find_outcome(manager, annotation, raised);
    Py_XDECREF(raised);
    if (found.number == 0)
        count_failure(manager);
    sp_shared_drop();
    PyErr_Restore(type, value, traceback);
    return found.number == 0 ? annotation : found;
}

void sp_metadata_note_outcome(sp_region *region, const void *key, bool failed)
{
    sp_manager *manager = region->manager;
    sp_annotation annotation = {0};
    sp_scope_did(manager, SP_OUTCOME);
    sp_guard_take();
    const sp_scope *scope = sp_scope_of(manager, region, key);
    if (scope != NULL)
        annotation = (sp_annotation){manager->run, scope->annotation};
    sp_guard_drop();
    annotation = sp_metadata_outcome(manager, annotation, failed);
    sp_guard_take();
    sp_scope *still = sp_scope_of(manager, region, key);
    if (still != NULL)
        still->annotation = sp_annotation_in(manager, annotation);
    sp_guard_drop();
}

sp_metadata_left sp_metadata_leave(sp_manager *manager)
{
    sp_metadata_left left = {manager->annotations, manager->outcomes, manager->metadata_error};
    manager->annotations = manager->outcomes = manager->metadata_error = NULL;
    manager->metadata_lost = 0;
    manager->annotated = false;
    return left;
}

void sp_metadata_release(sp_metadata_left *left)
{
    Py_CLEAR(left->annotations);
    Py_CLEAR(left->outcomes);
    Py_CLEAR(left->error);
}

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
    count_failure(manager);
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

PyObject *sp_metadata_scope(sp_manager *manager, const char *what, sp_region *region,
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
    return sp_metadata_scope((sp_manager *)self, "metadata", NULL, args, nargs, names);
}

const char sp_metadata_annotations_doc[] =
"_annotations()\n--\n\n"
"The metadata noted in the current run, by number less one: each a dict, or a pair (entry or\n"
"None, name of the exception or None) for calls whose outcome is recorded; and how often it could\n"
"not be noted, with the first reason: (list, int, str or None).";

PyObject *sp_metadata_annotations(PyObject *self, PyObject *unused)
{
    sp_manager *manager = (sp_manager *)self;
    (void)unused;
    sp_shared_take();
    PyObject *entries = manager->annotations == NULL
                            ? PyList_New(0)
                            : PyList_GetSlice(manager->annotations, 0, PY_SSIZE_T_MAX);
    PyObject *error = manager->metadata_error;
    error = Py_NewRef(error == NULL ? Py_None : error);
    uint64_t lost = manager->metadata_lost;
    sp_shared_drop();
    if (entries == NULL) {
        Py_DECREF(error);
        return NULL;
    }
    return Py_BuildValue("(NKN)", entries, (unsigned long long)lost, error);
}

int sp_metadata_init(PyObject *module, sp_state *state)
{
    state->metadata_scope_type = sp_add_type(module, &scope_spec, NULL);
    state->metadata_in_force = PyContextVar_New("scope_profiler.metadata", NULL);
    return state->metadata_scope_type == NULL || state->metadata_in_force == NULL ? -1 : 0;
}
