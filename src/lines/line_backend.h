/* What the recorder asks of its back-end, which fills in the pointers. */
#ifndef SP_LINE_BACKEND_H
#define SP_LINE_BACKEND_H

#include "lines/line_types.h"

/* A region is switched on in some thread (line_switch.h), or none is in any. */
extern void (*sp_line_any_on)(bool on);

#if SP_MONITORING

/* Have the interpreter send the events that are wanted of the code now; -1 with an exception. */
extern int (*sp_line_arm)(sp_line_code *entry);

/* Events are armed on the code, and need no tracer. */
SP_INLINE bool sp_line_trace_running(bool on) { (void)on; return false; }
SP_INLINE bool sp_line_trace_callee(bool on) { (void)on; return false; }
SP_INLINE void sp_line_trace_below(sp_line_thread *here, PyFrameObject *outermost)
{
    (void)here, (void)outermost;
}

#else

SP_INLINE int sp_line_arm(sp_line_code *entry) { (void)entry; return 0; }

/* Frames up to this one, which run already, may be recorded; with NULL none that is not. */
extern void (*sp_line_trace_below)(sp_line_thread *here, PyFrameObject *outermost);
/* The tracer is put in or out; returns what it was. */
extern bool (*sp_line_trace)(bool on);
/* Evaluations for which the C stack is nearly used up: no hook sees to the callee itself. */
extern uint32_t sp_evaluator_in_depth;

/* The running frame begins or ends being recorded, or is to call one that is. */
SP_INLINE bool sp_line_trace_running(bool on) { return sp_line_trace(on); }
SP_INLINE bool sp_line_trace_callee(bool on)
{
    return SP_UNLIKELY(sp_evaluator_in_depth != 0) && sp_line_trace(on);
}

#endif
#endif
