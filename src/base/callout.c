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

void sp_aside_begin(sp_aside *aside)
{
    sp_signals_hold(&aside->signals);
    sp_guards_give_back(&aside->held);
    aside->state = PyThreadState_Get();
    PyErr_Fetch(&aside->type, &aside->value, &aside->traceback);
    collect_what_is_due();
    PyThreadState_EnterTracing(aside->state);
    sp_unrecorded_begin();
    aside->collects = PyGC_Disable(); /* or callbacks of the user's would run untraced */
    aside->remaining = at_least(recursion_remaining(aside->state));
#if SP_C_RECURSION
    aside->c_remaining = at_least(&aside->state->c_recursion_remaining);
#endif
}

void sp_aside_end(sp_aside *aside)
{
#if SP_C_RECURSION
    aside->state->c_recursion_remaining = aside->c_remaining;
#endif
    *recursion_remaining(aside->state) = aside->remaining;
    if (aside->collects)
        PyGC_Enable();
    sp_unrecorded_end();
    PyThreadState_LeaveTracing(aside->state);
    if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt))
        PyErr_SetInterrupt();
    PyErr_Restore(aside->type, aside->value, aside->traceback);
    sp_guards_take_again(&aside->held);
    sp_signals_release(&aside->signals);
}
