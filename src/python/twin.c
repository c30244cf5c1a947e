#include "python/twin.h"

#if SP_MONITORING

#include "base/heap.h"
#include "python/decorated_call.h"

typedef struct sp_twin {
    PyFunctionObject *function; /* Borrowed: the entry dies with it. */
    vectorcallfunc plain;       /* Python's own */
    sp_region *region;          /* Owned. */
    PyObject *watcher;          /* weak reference, called back at the function's end. Owned. */
} Twin;

/* The vectorcall of a function is handed the function and nothing else, so its region has to be
 * found by address, and this table is the process's, not the module's. A thread remembers the
 * twins it called last; when `deaths` has grown, an address may be another function's. */
static struct {
    sp_map twins; /* function -> Twin */
    uint64_t deaths;
    sp_mutex lock;
} all;

static SP_NOINLINE Twin *find_slow(PyObject *function, size_t slot)
{
    bool remembers = sp_local_is_mine();
    sp_twins_called *called = &sp_here.twins;
    SP_LOCK(&all.lock);
    Twin *twin = sp_map_get(&all.twins, function, NULL);
    if (remembers && called->deaths != all.deaths) {
        memset(called, 0, sizeof *called);
        called->deaths = all.deaths;
    }
    SP_UNLOCK(&all.lock);
    if (remembers) {
        called->slots[slot].function = function;
        called->slots[slot].twin = twin;
    }
    return twin;
}

SP_INLINE Twin *find(PyObject *function)
{
    const sp_twins_called *called = &sp_here.twins;
    size_t slot = (((uintptr_t)function >> 4) ^ ((uintptr_t)function >> 10)) % SP_TWINS_REMEMBERED;
    if (SP_LIKELY(called->slots[slot].function == function && called->deaths == all.deaths))
        return called->slots[slot].twin;
    return find_slow(function, slot);
}

static SP_APART PyObject *call_with_lines(const Twin *twin, PyObject *function,
                                          PyObject *const *args, size_t nargsf, PyObject *names)
{
    return sp_decorated_call(twin->region, function, twin->plain, args, nargsf, names, false,
                             true, (PyCodeObject *)PyFunction_GET_CODE(function));
}

static PyObject *twin_call(PyObject *function, PyObject *const *args, size_t nargsf,
                           PyObject *names)
{
    Twin *twin = find(function);
    sp_region *region = twin->region;
    vectorcallfunc plain = twin->plain;
    if (SP_UNLIKELY(!region->recording))
        return plain(function, args, nargsf, names);
    if (SP_UNLIKELY(sp_region_counts_lines(region)))
        return call_with_lines(twin, function, args, nargsf, names);
    return sp_decorated_call(region, function, plain, args, nargsf, names, false, false, NULL);
}

/* The function is gone: called through its weak reference, before its memory is used again. */
static PyObject *forget(PyObject *capsule, PyObject *reference)
{
    Twin *twin = PyCapsule_GetPointer(capsule, NULL);
    (void)reference;
    /* The garbage collector clears weak references before it calls finalizers, and those may call
     * the function once more: it is Python's own by then. */
    if (twin->function->vectorcall == twin_call)
        PyFunction_SetVectorcall(twin->function, twin->plain);
    SP_LOCK(&all.lock);
    sp_map_pop(&all.twins, twin->function, NULL);
    all.deaths++;
    SP_UNLOCK(&all.lock);
    PyObject *watcher = twin->watcher;
    sp_region *region = twin->region;
    sp_free(twin);
    Py_XDECREF(watcher);
    Py_DECREF(region);
    Py_RETURN_NONE;
}

static PyMethodDef forget_method = {"forget_twin", forget, METH_O, NULL};

static PyObject *watch(Twin *twin)
{
    PyObject *capsule = PyCapsule_New(twin, NULL, NULL);
    if (capsule == NULL)
        return NULL;
    PyObject *callback = PyCFunction_New(&forget_method, capsule);
    Py_DECREF(capsule);
    if (callback == NULL)
        return NULL;
    PyObject *watcher = PyWeakref_NewRef((PyObject *)twin->function, callback);
    Py_DECREF(callback);
    return watcher;
}

bool sp_twin_fits(PyObject *function)
{
    if (!PyFunction_Check(function))
        return false;
    PyFunctionObject *plain = (PyFunctionObject *)function;
    if (plain->vectorcall == twin_call) /* already a twin: it must go on being called */
        return false;
    SP_LOCK(&all.lock);
    bool is_twin = sp_map_get(&all.twins, function, NULL) != NULL;
    SP_UNLOCK(&all.lock);
    return !is_twin && PyUnicode_CompareWithASCIIString(plain->func_name, "__init__") != 0;
}

/* A second function over the same code. Name, doc, annotations, __dict__ and __wrapped__ are
 * copied by functools.update_wrapper in Python, as for a wrapper. */
static PyFunctionObject *duplicate(PyFunctionObject *function)
{
    PyObject *copy = PyFunction_NewWithQualName(function->func_code, function->func_globals,
                                                function->func_qualname);
    if (copy == NULL)
        return NULL;
    PyFunctionObject *twin = (PyFunctionObject *)copy;
    Py_XSETREF(twin->func_name, Py_NewRef(function->func_name));
    if ((function->func_defaults != NULL
         && PyFunction_SetDefaults(copy, function->func_defaults) < 0)
        || (function->func_kwdefaults != NULL
            && PyFunction_SetKwDefaults(copy, function->func_kwdefaults) < 0)
        || (function->func_closure != NULL
            && PyFunction_SetClosure(copy, function->func_closure) < 0)) {
        Py_DECREF(copy);
        return NULL;
    }
    Py_XSETREF(twin->func_typeparams, Py_XNewRef(function->func_typeparams));
    return twin;
}

#    ifdef Py_GIL_DISABLED

/* Once, before other threads can call it: it looks at its region with each call. */
static void set_vectorcall(Twin *twin) { PyFunction_SetVectorcall(twin->function, twin_call); }

void sp_twin_switch(const sp_manager *manager) { (void)manager; }

#    else

static void set_vectorcall(Twin *twin)
{
    vectorcallfunc wanted = twin->region->recording ? twin_call : twin->plain;
    if (twin->function->vectorcall != wanted)
        PyFunction_SetVectorcall(twin->function, wanted);
}

static int switch_one(void *value, void *manager)
{
    Twin *twin = value;
    if (twin->region->manager == manager)
        set_vectorcall(twin);
    return 0;
}

void sp_twin_switch(const sp_manager *manager)
{
    SP_LOCK(&all.lock);
    sp_map_each(&all.twins, switch_one, (void *)manager);
    SP_UNLOCK(&all.lock);
}

#    endif

PyObject *sp_twin_new(sp_region *region, PyObject *function)
{
    Twin *twin = sp_calloc(1, sizeof *twin);
    if (twin == NULL)
        return PyErr_NoMemory();
    twin->function = duplicate((PyFunctionObject *)function);
    if (twin->function == NULL || (twin->watcher = watch(twin)) == NULL) {
        Py_XDECREF(twin->function);
        sp_free(twin);
        return NULL;
    }
    twin->plain = twin->function->vectorcall;
    twin->region = (sp_region *)Py_NewRef(region);
    SP_LOCK(&all.lock);
    int added = sp_map_add(&all.twins, twin->function, NULL, twin);
    SP_UNLOCK(&all.lock);
    if (added < 0) {
        Py_DECREF(twin->function); /* its watcher frees the rest */
        return PyErr_NoMemory();
    }
    set_vectorcall(twin);
    return (PyObject *)twin->function;
}

#else

bool sp_twin_fits(PyObject *function) { (void)function; return false; }
PyObject *sp_twin_new(sp_region *region, PyObject *function)
{
    (void)region, (void)function;
    return NULL;
}
void sp_twin_switch(const sp_manager *manager) { (void)manager; }

#endif
