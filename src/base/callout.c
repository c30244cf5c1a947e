#include "base/callout.h"

enum { ROOM = 200 }; /* calls that ours may need, one inside the other */

static int *recursion_remaining(PyThreadState *state)
{
#if PY_VERSION_HEX >= 0x030C0000
    return &state->py_recursion_remaining;
#else
    return &state->recursion_remaining;
#endif
}

static int at_least(int *remaining)
{
    int before = *remaining;
    if (before < ROOM)
        *remaining = ROOM;
    return before;
}

/* 3.12 runs a collection that is due in the next Python call, gc.disable() or not; this is its only
 * function that runs it now. What a signal handler raises meanwhile is printed, Ctrl-C comes again. */
static void collect_what_is_due(void)
{
#if PY_VERSION_HEX >= 0x030C0000 && PY_VERSION_HEX < 0x030D0000
    if (PyErr_CheckSignals() == 0)
        return;
    if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) {
        PyErr_Clear();
        PyErr_SetInterrupt();
    }
    else
        PyErr_WriteUnraisable(NULL);
#endif
}

void sp_callout_begin(sp_callout *callout)
{
    sp_signals_hold(&callout->signals);
    sp_callout_begin_often(callout);
}

void sp_callout_begin_often(sp_callout *callout)
{
    sp_guards_give_back(&callout->held);
    callout->state = PyThreadState_Get();
    callout->exception = sp_exception_take();
    collect_what_is_due();
    PyThreadState_EnterTracing(callout->state);
    sp_unrecorded_begin();
    callout->collects = PyGC_Disable(); /* or callbacks of the user's would run untraced */
    callout->remaining = at_least(recursion_remaining(callout->state));
#if SP_C_RECURSION
    callout->c_remaining = at_least(&callout->state->c_recursion_remaining);
#endif
}

void sp_callout_end_often(sp_callout *callout)
{
#if SP_C_RECURSION
    callout->state->c_recursion_remaining = callout->c_remaining;
#endif
    *recursion_remaining(callout->state) = callout->remaining;
    if (callout->collects)
        PyGC_Enable();
    sp_unrecorded_end();
    PyThreadState_LeaveTracing(callout->state);
    if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt))
        PyErr_SetInterrupt();
    sp_exception_restore(callout->exception);
    sp_guards_take_again(&callout->held);
}

void sp_callout_end(sp_callout *callout)
{
    sp_callout_end_often(callout);
    sp_signals_release(&callout->signals);
}
