/* Every-function tracing on CPython 3.12 and newer: sys.monitoring (PEP 669). The events are set for
 * the whole process by _instrument/call_tracing.py. A callback that is called for code nobody wants answers
 * DISABLE, and that code runs at full speed from then on. */
#include "backend/monitoring/calls_monitoring.h"

#include "backend/monitoring/callback.h"
#include "calls/call_backend.h"
#include "calls/c_calls.h"
#include "calls/calls.h"

#if SP_MONITORING

/* The event's frame is the one that runs: a callback in C has none of its own. */
static PyObject *globals_of(const void *frame)
{
    (void)frame;
    return PyEval_GetGlobals();
}

static PyObject *disable; /* sys.monitoring.DISABLE, which never dies */

SP_INLINE PyObject *again(bool wanted)
{
    return Py_NewRef(SP_LIKELY(wanted) ? Py_None : disable);
}

SP_INLINE PyCodeObject *code_of(PyObject *const *args) { return (PyCodeObject *)args[0]; }

static PyObject *on_start(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names)
{
    (void)self, (void)names;
    if (!sp_event_is(args, PyVectorcall_NARGS(nargsf), 2))
        return sp_event_refuse();
    sp_shared_take();
    bool wanted = sp_calls_enter(sp_current_frame(), code_of(args));
    sp_shared_release();
    return again(wanted);
}

static PyObject *on_resume(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names)
{
    (void)self, (void)names;
    if (!sp_event_is(args, PyVectorcall_NARGS(nargsf), 2))
        return sp_event_refuse();
    sp_shared_take();
    bool wanted = sp_calls_wake(sp_current_frame(), code_of(args));
    sp_shared_release();
    return again(wanted);
}

static PyObject *on_return(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names)
{
    (void)self, (void)names;
    if (!sp_event_is(args, PyVectorcall_NARGS(nargsf), 3))
        return sp_event_refuse();
    sp_shared_take();
    bool wanted = sp_calls_leave(sp_current_frame(), code_of(args), SP_STEP_ENDS);
    sp_shared_release();
    return again(wanted);
}

#if SP_SILENT_CLOSE
/* Whether a generator at this `yield` can be closed without an event: the instruction that it would go
 * on with says so. */
static bool is_silent(const PyCodeObject *code, PyObject *offset)
{
    enum { YIELD_VALUE_SIZE = 2, OUTSIDE_OF_TRY = 4 };
    if (Py_Version >= 0x030D0A00)
        return false;
    size_t yield = PyLong_AsSize_t(offset), size = (size_t)Py_SIZE(code) * 2;
    if (yield >= size - YIELD_VALUE_SIZE - 1) { /* a call by hand */
        PyErr_Clear();
        return false;
    }
    return (code->co_code_adaptive[yield + YIELD_VALUE_SIZE + 1] & OUTSIDE_OF_TRY) != 0;
}
#    else
static bool is_silent(const PyCodeObject *code, PyObject *offset)
{
    (void)code, (void)offset;
    return false;
}
#    endif

static PyObject *on_yield(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names)
{
    (void)self, (void)names;
    if (!sp_event_is(args, PyVectorcall_NARGS(nargsf), 3))
        return sp_event_refuse();
    sp_shared_take();
    sp_outcome how = is_silent(code_of(args), args[1]) ? SP_STEP_SILENT : SP_STEP_GOES_ON;
    bool wanted = sp_calls_leave(sp_current_frame(), code_of(args), how);
    sp_shared_release();
    return again(wanted);
}

/* The two events of exceptions cannot be disabled, and cost nothing where there are none. */

static PyObject *on_throw(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names)
{
    (void)self, (void)names;
    if (!sp_event_is(args, PyVectorcall_NARGS(nargsf), 3))
        return sp_event_refuse();
    sp_shared_take();
    sp_calls_wake(sp_current_frame(), code_of(args));
    sp_shared_release();
    Py_RETURN_NONE;
}

static PyObject *on_unwind(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names)
{
    (void)self, (void)names;
    if (!sp_event_is(args, PyVectorcall_NARGS(nargsf), 3))
        return sp_event_refuse();
    bool ends = sp_calls_suspends(code_of(args)) && sp_is_end(args[2]);
    sp_shared_take();
    sp_calls_leave(sp_current_frame(), code_of(args), ends ? SP_STEP_ENDS : SP_STEP_FAILS);
    sp_shared_release();
    Py_RETURN_NONE;
}

/* Calls of C functions. The event of a call is that of any callable; the two that follow come for what
 * is no Python function, and only where the first has not been disabled. */

static PyObject *missing; /* sys.monitoring.MISSING, which never dies */

static PyObject *on_c_call(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names)
{
    (void)self, (void)names;
    if (!sp_event_is(args, PyVectorcall_NARGS(nargsf), 4))
        return sp_event_refuse();
    sp_shared_take();
    bool wanted = sp_c_calls_enter(sp_current_frame(), code_of(args), args[2],
                                   args[3] == missing ? NULL : args[3]);
    sp_shared_release();
    return again(wanted);
}

static PyObject *on_c_end(PyObject *const *args, size_t nargsf, bool failed)
{
    if (!sp_event_is(args, PyVectorcall_NARGS(nargsf), 4))
        return sp_event_refuse();
    sp_shared_take();
    sp_c_calls_leave(sp_current_frame(), args[2], failed);
    sp_shared_release();
    Py_RETURN_NONE;
}

static PyObject *on_c_return(PyObject *self, PyObject *const *args, size_t nargsf,
                             PyObject *names)
{
    (void)self, (void)names;
    return on_c_end(args, nargsf, false);
}

static PyObject *on_c_raise(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names)
{
    (void)self, (void)names;
    return on_c_end(args, nargsf, true);
}

static const sp_callback callbacks[] = {
    {"on_call_start", on_start},   {"on_call_resume", on_resume},
    {"on_call_return", on_return}, {"on_call_yield", on_yield},
    {"on_call_throw", on_throw},   {"on_call_unwind", on_unwind},
    {"on_c_call", on_c_call},      {"on_c_return", on_c_return},
    {"on_c_raise", on_c_raise},    {NULL, NULL},
};

int sp_calls_monitoring_init(PyObject *module)
{
    sp_calls_globals = globals_of;
    PyObject *monitoring = PySys_GetObject("monitoring"); /* borrowed */
    if (monitoring == NULL)
        return -1;
    Py_XSETREF(disable, PyObject_GetAttrString(monitoring, "DISABLE"));
    Py_XSETREF(missing, PyObject_GetAttrString(monitoring, "MISSING"));
    return disable == NULL || missing == NULL ? -1 : sp_callbacks_add(module, callbacks);
}

#endif
