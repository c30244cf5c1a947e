/* The frame-evaluation hook (PEP 523) that line mode and every-function tracing share on CPython
 * 3.11; newer versions have sys.monitoring. While either is on, each call of a Python function goes
 * through here, and with it through C. */
#ifndef SP_EVALUATOR_H
#define SP_EVALUATOR_H

#include "base/local.h"

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

typedef PyObject *(*sp_evaluate_in_depth)(PyThreadState *state, _PyInterpreterFrame *frame,
                                          int throwing, _PyFrameEvalFunction before);

/* Who is handed the frames. It evaluates them, by handing them on. */
typedef struct {
    bool on;
    _PyFrameEvalFunction evaluate;
    sp_evaluate_in_depth evaluate_in_depth; /* see sp_evaluator_in_depth; or NULL */
} sp_evaluator_user;

/* Call tracing comes first, and hands on to line mode while that is on. */
extern sp_evaluator_user sp_evaluator_calls, sp_evaluator_lines;

/* Who is on has changed: put the hook in or out. */
void sp_evaluator_switch(void);

/* Evaluate the frame as Python does; below, whoever is on is handed other frames.
 *
 * When the C stack is nearly used up (sp_evaluator_in_depth in line_backend.h), Python calls its
 * functions without C again, in all threads, so that there is no hook. Line mode's tracer and, in the
 * threads concerned, the profile function of every-function tracing stay on then. */
PyObject *sp_evaluate(PyThreadState *state, _PyInterpreterFrame *frame, int throwing);

#endif
#endif
