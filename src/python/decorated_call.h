/* A call of a decorated function, the same for wrappers and twins. */
#ifndef SP_DECORATED_CALL_H
#define SP_DECORATED_CALL_H

#include "calls/tracings.h"
#include "lines/line_switch.h"
#include "lines/lines.h"
#include "record/after_call.h"
#include "record/annotations.h"
#include "record/metadata.h"
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

/* Whether the C stack is nearly used up, and the exception for that; NULL. */
SP_INLINE bool sp_stack_ends(void)
{
    char top;
    return SP_CHECK_STACK && SP_UNLIKELY((uintptr_t)&top < sp_here.stack_floor);
}
static SP_NOINLINE PyObject *sp_too_deep(void)
{
    PyErr_SetString(PyExc_RecursionError,
                    "maximum recursion depth exceeded: the C stack is nearly used up");
    return NULL;
}

/* A call in which the region is switched on. It is no call of the region's. */
SP_INLINE PyObject *sp_switched_call(sp_region *region, PyObject *function, vectorcallfunc call,
                                     PyObject *const *args, size_t nargsf, PyObject *names)
{
    if (sp_local_is_mine() && sp_stack_ends())
        return sp_too_deep();
    Py_INCREF(region);
    sp_line_switch_up(region, true);
    PyObject *result = call(function, args, nargsf, names);
    sp_line_switch_down(region);
    Py_DECREF(region);
    return result;
}

/* Call the function under a region. The region is held, as the function may drop the last reference to
 * what carries it. lines: in line mode, a constant where it is called, so that a call without does not pay
 * for that. code: what runs, in line mode, or NULL where that is not Python's. */
SP_INLINE PyObject *sp_decorated_call(sp_region *region, PyObject *function, vectorcallfunc call,
                                      PyObject *const *args, size_t nargsf, PyObject *names,
                                      bool record_outcome, bool lines, PyCodeObject *code)
{
    if (lines && region->line_switch != NULL)
        return sp_switched_call(region, function, call, args, nargsf, names);
    const void *key = sp_decorated_key();
    if (sp_stack_ends())
        return sp_too_deep();
    Py_INCREF(region);
    PyThreadState *state = PyThreadState_GetUnchecked();
    uint64_t mark = lines ? sp_lines_call_begin(state, region, code) : 0;
    uint64_t section =
        SP_UNLIKELY(sp_section_wanted(region)) ? sp_section_begin(region->manager) : 0;
#if SP_C_RECURSION
    int remaining = state->c_recursion_remaining;
    if (SP_UNLIKELY(remaining < SP_C_RECURSION_LOW) && sp_here.stack_floor != 0)
        state->c_recursion_remaining = SP_C_RECURSION_LOW;
#endif
    sp_open_call_enter_by(region->manager, region, &region->last, key, sp_metadata_for(region),
                          lines ? SP_MEMORY_TOO : SP_LINES_TOO | SP_MEMORY_TOO, lines);
    PyObject *result = call(function, args, nargsf, names);
    uint64_t now = sp_now();
    if (record_outcome)
        sp_annotation_note_outcome(region, key, result == NULL);
    sp_open_call_leave(region->manager, region, key, now, result == NULL, SP_DECORATED);
    sp_after_call(region->manager, now);
#if SP_C_RECURSION
    state->c_recursion_remaining = remaining;
#endif
    if (SP_UNLIKELY(section != 0))
        sp_section_end(section);
    if (lines && SP_LIKELY(mark != 0))
        sp_lines_call_end(mark, now);
    Py_DECREF(region);
    return result;
}

#endif
