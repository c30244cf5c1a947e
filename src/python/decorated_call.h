/* A call of a decorated function, the same for wrappers and twins. */
#ifndef SP_DECORATED_CALL_H
#define SP_DECORATED_CALL_H

#include "calls/calls.h"
#include "lines/line_switch.h"
#include "lines/lines.h"
#include "record/annotations.h"
#include "record/open_call.h"

/* Keys of decorated calls, which no other open call of the thread has. No address would do:
 * greenlets take turns on one piece of C stack. That of a frame, which other open calls have, is a
 * multiple of 4, or odd where it is that of a traced call. */
SP_INLINE const void *sp_decorated_key(void)
{
    if (SP_UNLIKELY(!sp_local_is_mine()))
        return NULL; /* such a thread has no open calls */
    return (const void *)(sp_here.last_key += 4);
}

/* A call in which the region, which is held, is switched on. It is no call of the region's. */
SP_INLINE PyObject *sp_switched_call(sp_region *region, PyObject *function, vectorcallfunc call,
                                     PyObject *const *args, size_t nargsf, PyObject *names)
{
    sp_line_switch_up(region, true);
    PyObject *result = call(function, args, nargsf, names);
    sp_line_switch_down(region);
    Py_DECREF(region);
    return result;
}

/* Call the function under a region. The region is held, as the function may drop the last reference to
 * what carries it. code: what runs, where line mode wants to know. */
SP_INLINE PyObject *sp_decorated_call(sp_region *region, PyObject *function, vectorcallfunc call,
                                      PyCodeObject *code, PyObject *const *args, size_t nargsf,
                                      PyObject *names, bool record_outcome)
{
    uint64_t mark = 0;
    const void *key = sp_decorated_key();
    if (SP_CHECK_STACK && SP_UNLIKELY((uintptr_t)&mark < sp_here.stack_floor)) {
        PyErr_SetString(PyExc_RecursionError,
                        "maximum recursion depth exceeded: the C stack is nearly used up");
        return NULL;
    }
    Py_INCREF(region);
    if (SP_UNLIKELY(sp_region_counts_lines(region))) {
        if (region->line_switch != NULL)
            return sp_switched_call(region, function, call, args, nargsf, names);
        mark = sp_lines_call_begin(region, code);
    }
    uint64_t section = SP_UNLIKELY(sp_calls_wanted(region)) ? sp_calls_begin(region->manager) : 0;
#if SP_C_RECURSION
    PyThreadState *state = PyThreadState_GetUnchecked();
    int remaining = state->c_recursion_remaining;
    if (SP_UNLIKELY(remaining < SP_C_RECURSION_LOW) && sp_here.stack_floor != 0)
        state->c_recursion_remaining = SP_C_RECURSION_LOW;
#endif
    sp_open_call_enter(region->manager, region, key, sp_metadata_for(region));
    PyObject *result = call(function, args, nargsf, names);
    uint64_t ended = SP_UNLIKELY(mark != 0) ? sp_now() : 0; /* its last line */
    if (record_outcome)
        sp_annotation_note_outcome(region, key, result == NULL);
    sp_open_call_leave(region->manager, region, key, result == NULL, SP_DECORATED);
#if SP_C_RECURSION
    state->c_recursion_remaining = remaining;
#endif
    if (SP_UNLIKELY(section != 0))
        sp_calls_end(section);
    if (SP_UNLIKELY(mark != 0))
        sp_lines_call_end(mark, ended);
    Py_DECREF(region);
    return result;
}

#endif
