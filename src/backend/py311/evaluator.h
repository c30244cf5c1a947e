/* The frame-evaluation hook (PEP 523) that line mode and every-function tracing share on CPython
 * 3.11; newer versions have sys.monitoring. While either is on, each call of a Python function goes
 * through here, and with it through C. */
#ifndef SP_EVALUATOR_H
#define SP_EVALUATOR_H

#include "record/thread.h"

#if !SP_MONITORING

/* What a frame is and what it runs has no other way to be found before it runs. 3.11 gets security
 * fixes alone, so this will not change. */
#define Py_BUILD_CORE 1
#include <internal/pycore_frame.h>

/* A frame that begins has not come further than its first instruction, RESUME; in a generator, what
 * is before that has run. */
SP_INLINE bool sp_frame_is_fresh(const _PyInterpreterFrame *frame)
{
    return _PyInterpreterFrame_LASTI(frame) <= frame->f_code->_co_firsttraceable;
}

typedef struct {
    bool lines, calls; /* who is on */
} sp_evaluator_users;

extern sp_evaluator_users sp_evaluator_used_by;

/* Who is on has changed: put the hook in or out. */
void sp_evaluator_switch(void);

/* Evaluate the frame as Python does; below, whoever is on is told of other frames. */
PyObject *sp_evaluate(PyThreadState *state, _PyInterpreterFrame *frame, int throwing);

/* How many evaluations had the C stack nearly used up. When there are any, Python calls its functions
 * without C again, in all threads, so that there is no hook. Line mode's tracer and, in the threads
 * concerned, the profile function of every-function tracing stay on then. */
extern uint32_t sp_evaluator_in_depth;

/* The users. calls hands on to lines. */
PyObject *sp_lines_evaluate(PyThreadState *state, _PyInterpreterFrame *frame, int throwing);
PyObject *sp_calls_evaluate(PyThreadState *state, _PyInterpreterFrame *frame, int throwing);
/* Evaluate the frame in depth. */
PyObject *sp_calls_evaluate_in_depth(PyThreadState *state, _PyInterpreterFrame *frame, int throwing,
                                     _PyFrameEvalFunction before);

#endif
#endif
