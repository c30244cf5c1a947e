/* The generator proxy: what a decorated generator, coroutine or async generator runs through.
 *
 * decorator.py makes a real generator (coroutine, async generator) function that delegates to an
 * object of this type, and this delegates to the function's own. */
#include "python/generator_step.h"
#include "python/state.h"

typedef struct {
    PyObject_HEAD
    PyObject *inner;  /* what the next step resumes. Owned. */
    PyObject *thrown; /* what the next step throws instead, or NULL. Owned. */
    sp_generator_steps steps;
    bool is_async_generator; /* a step that returns is no end */
    bool throws; /* the next step throws, into an async generator */
    bool closed; /* from without, while what is inside waits at a yield */
} GeneratorProxy;

static sp_outcome outcome_of(GeneratorProxy *proxy, PySendResult sent)
{
    if (sent == PYGEN_NEXT || (sent == PYGEN_RETURN && proxy->is_async_generator))
        return SP_STEP_GOES_ON;
    if (sent == PYGEN_RETURN)
        return SP_STEP_ENDS;
    if (proxy->is_async_generator && PyErr_ExceptionMatches(PyExc_StopIteration))
        return SP_STEP_GOES_ON;
    return sp_is_end(PyErr_Occurred()) ? SP_STEP_ENDS : SP_STEP_FAILS;
}

/* What asend() and the like gave holds what was sent, and is not needed any more. */
static void drop_done(GeneratorProxy *proxy)
{
    if (proxy->is_async_generator)
        Py_SETREF(proxy->inner, Py_NewRef(Py_None));
}

/* Of what has just failed: whether it returned, and what. */
static PySendResult returned(PyObject **result)
{
    if (!PyErr_ExceptionMatches(PyExc_StopIteration))
        return PYGEN_ERROR;
    PyObject *stop = sp_exception_object();
    *result = PyObject_GetAttrString(stop, "value");
    Py_DECREF(stop);
    return *result == NULL ? PYGEN_ERROR : PYGEN_RETURN;
}

/* The garbage collector may close a coroutine before what awaits it. Then no other exception than that it
 * is over can be thrown into it. */
static bool is_closed_coroutine(PyObject *inner)
{
    if (!PyCoro_CheckExact(inner))
        return false;
    PyObject *frame = PyObject_GetAttrString(inner, "cr_frame");
    if (frame == NULL)
        PyErr_Clear();
    Py_XDECREF(frame);
    return frame == Py_None;
}

static PyObject *throw_into(PyObject *inner, PyObject *thrown)
{
    if (!is_closed_coroutine(inner))
        return PyObject_CallMethod(inner, "throw", "O", thrown);
    PyErr_SetObject((PyObject *)Py_TYPE(thrown), thrown);
    return NULL;
}

static PySendResult resume(GeneratorProxy *proxy, PyObject *value, PyObject **result)
{
    PyObject *thrown = proxy->thrown;
    if (SP_LIKELY(thrown == NULL))
        return PyIter_Send(proxy->inner, value, result);
    proxy->thrown = NULL;
    *result = throw_into(proxy->inner, thrown);
    Py_DECREF(thrown);
    return *result == NULL ? returned(result) : PYGEN_NEXT;
}

static PySendResult proxy_resume(PyObject *self, PyObject *value, PyObject **result)
{
    GeneratorProxy *proxy = (GeneratorProxy *)self;
    /* An exception that is thrown in is nobody's first step. */
    bool idle = proxy->steps.task == NULL && !proxy->steps.started
                && (!proxy->steps.region->recording || proxy->thrown != NULL || proxy->throws);
    Py_INCREF(self);
    PySendResult sent;
    if (SP_UNLIKELY(idle) || proxy->steps.over) {
        sent = resume(proxy, value, result);
    }
    else {
        sp_step begun = sp_step_begin(&proxy->steps);
        sent = resume(proxy, value, result);
        sp_step_end(&proxy->steps, begun, outcome_of(proxy, sent));
    }
    if (sent != PYGEN_NEXT)
        drop_done(proxy);
    Py_DECREF(self);
    return sent;
}

/* As an instance: given a tuple or an exception alone, PyErr_SetObject would take it apart. */
static void raise_stop_iteration(PyObject *value)
{
    PyObject *stop = PyObject_CallOneArg(PyExc_StopIteration, value);
    if (stop != NULL)
        PyErr_SetObject(PyExc_StopIteration, stop);
    Py_XDECREF(stop);
}

static PyObject *proxy_send(PyObject *self, PyObject *value)
{
    PyObject *result = NULL;
    switch (proxy_resume(self, value, &result)) {
    case PYGEN_NEXT:
        return result;
    case PYGEN_RETURN:
        raise_stop_iteration(result);
        Py_DECREF(result);
        return NULL;
    default:
        return NULL;
    }
}

static PyObject *proxy_next(PyObject *self) { return proxy_send(self, Py_None); }

/* throw() and close() of what is inside, as a step. */
static PyObject *step_method(GeneratorProxy *proxy, const char *name, PyObject *args)
{
    PyObject *method = PyObject_GetAttrString(proxy->inner, name);
    if (method == NULL)
        return NULL;
    PyObject *result;
    if (!proxy->steps.started || proxy->steps.over) { /* it never ran: nothing to measure */
        result = PyObject_Call(method, args, NULL);
    }
    else {
        Py_INCREF(proxy);
        sp_step begun = sp_step_begin(&proxy->steps);
        result = PyObject_Call(method, args, NULL);
        sp_step_end(&proxy->steps, begun,
                    result == NULL ? outcome_of(proxy, PYGEN_ERROR) : SP_STEP_GOES_ON);
        Py_DECREF(proxy);
    }
    if (result == NULL)
        drop_done(proxy);
    Py_DECREF(method);
    return result;
}

static PyObject *proxy_throw(PyObject *self, PyObject *args)
{
    return step_method((GeneratorProxy *)self, "throw", args);
}

/* What delegates to us is closed, or thrown a GeneratorExit into, of which we are not shown which.
 * It hands it on to us next, if it is asked to. */
static PyObject *proxy_close(PyObject *self, PyObject *unused)
{
    GeneratorProxy *proxy = (GeneratorProxy *)self;
    (void)unused;
    if (proxy->steps.task == NULL) {
        proxy->closed = true;
        Py_RETURN_NONE;
    }
    PyObject *none = PyTuple_New(0);
    PyObject *result = none == NULL ? NULL : step_method(proxy, "close", none);
    Py_XDECREF(none);
    if (result != NULL)
        proxy->steps.over = true;
    return result;
}

PyDoc_STRVAR(hand_on_doc,
"hand_on(exception)\n--\n\n"
"Whether this is what what is inside was closed with. Then the next step throws it there.");

static PyObject *proxy_hand_on(PyObject *self, PyObject *exception)
{
    GeneratorProxy *proxy = (GeneratorProxy *)self;
    bool closed = proxy->closed;
    proxy->closed = false;
    if (closed)
        Py_XSETREF(proxy->thrown, Py_NewRef(exception));
    return PyBool_FromLong(closed);
}

PyDoc_STRVAR(of_doc,
"of(awaitable)\n--\n\nResume this next: what asend() of an async generator gives.");

PyDoc_STRVAR(of_throw_doc,
"of_throw(awaitable)\n--\n\nThe same of what athrow() gives.");

static PyObject *resumes(PyObject *self, PyObject *awaitable, bool throws)
{
    GeneratorProxy *proxy = (GeneratorProxy *)self;
    proxy->throws = throws;
    Py_XSETREF(proxy->inner, Py_NewRef(awaitable));
    Py_RETURN_NONE;
}

static PyObject *proxy_of(PyObject *self, PyObject *awaitable)
{
    return resumes(self, awaitable, false);
}

static PyObject *proxy_of_throw(PyObject *self, PyObject *awaitable)
{
    return resumes(self, awaitable, true);
}

static PyObject *proxy_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *region, *code, *inner, *metadata = Py_None;
    int is_async_generator = 0, record_outcome = 0;
    static char *names[] = {"region", "code", "inner", "is_async_generator", "metadata",
                            "record_outcome", NULL};
    sp_state *state = PyType_GetModuleState(type);
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!O!O|pOp:GeneratorProxy", names,
                                     state->region_type, &region, &PyCode_Type, &code, &inner,
                                     &is_async_generator, &metadata, &record_outcome))
        return NULL;
    if (metadata != Py_None && Py_TYPE(metadata) != state->metadata_scope_type) {
        PyErr_SetString(PyExc_TypeError,
                        "GeneratorProxy() takes a metadata scope or None as metadata");
        return NULL;
    }
    GeneratorProxy *proxy = (GeneratorProxy *)type->tp_alloc(type, 0);
    if (proxy == NULL)
        return NULL;
    proxy->steps.region = (sp_region *)Py_NewRef(region);
    proxy->steps.code = Py_NewRef(code);
    proxy->inner = Py_NewRef(inner);
    proxy->steps.metadata = metadata == Py_None ? NULL : Py_NewRef(metadata);
    proxy->is_async_generator = is_async_generator;
    proxy->steps.record_outcome = record_outcome;
    return (PyObject *)proxy;
}

PyDoc_STRVAR(of_task_doc,
"of_task(task, coroutine)\n--\n\n"
"Awaitable: the coroutine of a task, each of its steps as the task's.");

static PyObject *proxy_of_task(PyObject *type, PyObject *args)
{
    PyObject *task, *inner;
    sp_state *state = PyType_GetModuleState((PyTypeObject *)type);
    if (!PyArg_ParseTuple(args, "O!O:of_task", state->task_type, &task, &inner))
        return NULL;
    GeneratorProxy *proxy = (GeneratorProxy *)((PyTypeObject *)type)->tp_alloc((PyTypeObject *)type,
                                                                               0);
    if (proxy == NULL)
        return NULL;
    proxy->steps.task = (sp_task *)Py_NewRef(task);
    proxy->inner = Py_NewRef(inner);
    return (PyObject *)proxy;
}

static int proxy_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((GeneratorProxy *)self)->inner);
    Py_VISIT(((GeneratorProxy *)self)->thrown);
    Py_VISIT(((GeneratorProxy *)self)->steps.task);
    Py_VISIT(((GeneratorProxy *)self)->steps.region);
    Py_VISIT(((GeneratorProxy *)self)->steps.metadata);
    Py_VISIT(((GeneratorProxy *)self)->steps.call.kept);
    return 0;
}

static int proxy_clear(PyObject *self)
{
    /* A step of a cleared object must still find something to resume. */
    Py_XSETREF(((GeneratorProxy *)self)->inner, Py_NewRef(Py_None));
    return 0;
}

static void proxy_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_XDECREF(((GeneratorProxy *)self)->inner);
    Py_XDECREF(((GeneratorProxy *)self)->thrown);
    sp_lines_suspended_free(&((GeneratorProxy *)self)->steps.line);
    Py_XDECREF(((GeneratorProxy *)self)->steps.task);
    Py_XDECREF(((GeneratorProxy *)self)->steps.region);
    Py_XDECREF(((GeneratorProxy *)self)->steps.code);
    Py_XDECREF(((GeneratorProxy *)self)->steps.metadata);
    Py_XDECREF(((GeneratorProxy *)self)->steps.call.kept);
    type->tp_free(self);
    Py_DECREF(type);
}

/* A task shows it as its coroutine: it has the name, frame, code and class of that. */
static PyObject *proxy_getattro(PyObject *self, PyObject *name)
{
    PyObject *value = PyObject_GenericGetAttr(self, name);
    if (value == NULL && ((GeneratorProxy *)self)->steps.task != NULL
        && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        value = PyObject_GetAttr(((GeneratorProxy *)self)->inner, name);
    }
    return value;
}

static PyObject *proxy_class(PyObject *self, void *unused)
{
    (void)unused;
    if (((GeneratorProxy *)self)->steps.task == NULL)
        return Py_NewRef(Py_TYPE(self));
    return PyObject_GetAttrString(((GeneratorProxy *)self)->inner, "__class__");
}

static PyGetSetDef proxy_getset[] = {
    {"__class__", proxy_class, NULL, NULL, NULL},
    {NULL},
};

static PyMethodDef proxy_methods[] = {
    {"send", proxy_send, METH_O, "Resume with a value."},
    {"throw", proxy_throw, METH_VARARGS, "Resume with an exception."},
    {"close", proxy_close, METH_NOARGS, "End."},
    {"hand_on", proxy_hand_on, METH_O, hand_on_doc},
    {"of", proxy_of, METH_O, of_doc},
    {"of_throw", proxy_of_throw, METH_O, of_throw_doc},
    {"of_task", proxy_of_task, METH_VARARGS | METH_CLASS, of_task_doc},
    {NULL},
};

static PyType_Slot proxy_slots[] = {
    {Py_tp_new, proxy_new},
    {Py_tp_traverse, proxy_traverse},
    {Py_tp_clear, proxy_clear},
    {Py_tp_dealloc, proxy_dealloc},
    {Py_tp_getattro, proxy_getattro},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, proxy_next},
    {Py_am_await, PyObject_SelfIter},
    {Py_am_send, proxy_resume},
    {Py_tp_methods, proxy_methods},
    {Py_tp_getset, proxy_getset},
    {0, NULL},
};

PyType_Spec sp_generator_proxy_spec = {
    .name = "scope_profiler._core.GeneratorProxy",
    .basicsize = sizeof(GeneratorProxy),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = proxy_slots,
};
