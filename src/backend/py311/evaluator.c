#include "backend/py311/evaluator.h"

#include "lines/line_backend.h"
#include "lines/line_threads.h"

#if !SP_MONITORING

sp_evaluator_user sp_evaluator_calls, sp_evaluator_lines;

static _PyFrameEvalFunction before = NULL; /* another tool's hook, or the default */

static PyObject *hook(PyThreadState *state, _PyInterpreterFrame *frame, int throwing)
{
    if (sp_evaluator_calls.on)
        return sp_evaluator_calls.evaluate(state, frame, throwing);
    if (sp_evaluator_lines.on)
        return sp_evaluator_lines.evaluate(state, frame, throwing);
    return sp_evaluate(state, frame, throwing);
}

void sp_evaluator_switch(void)
{
    PyInterpreterState *interpreter = PyInterpreterState_Get();
    _PyFrameEvalFunction now = _PyInterpreterState_GetEvalFrameFunc(interpreter);
    if (sp_evaluator_lines.on || sp_evaluator_calls.on) {
        /* Another tool's hook that came over ours has ours below it, and stays as it is. */
        bool buried = before != NULL && now != _PyEval_EvalFrameDefault;
        if (now != hook && !buried) {
            before = now;
            _PyInterpreterState_SetEvalFrameFunc(interpreter, hook);
        }
    }
    else if (now == hook) {
        _PyInterpreterState_SetEvalFrameFunc(interpreter, before);
    }
}

/* While the hook is in, each call of a Python function goes through C and uses its stack. When that
 * is nearly used up, Python is left to call its functions in its own way, in all threads. */
static SP_NOINLINE PyObject *evaluate_in_depth(PyThreadState *state, _PyInterpreterFrame *frame,
                                               int throwing)
{
    static _PyFrameEvalFunction outermost; /* what is in when no thread is in depth */
    _PyFrameEvalFunction now = _PyInterpreterState_GetEvalFrameFunc(state->interp);
    if (now != before)
        outermost = now;
    _PyInterpreterState_SetEvalFrameFunc(state->interp, before);
    sp_evaluator_in_depth++;
    bool watches = sp_line_here != NULL && sp_line_watches(sp_line_here);
    bool traced = watches && sp_line_trace(true);
    PyObject *result = sp_evaluator_calls.on
                           ? sp_evaluator_calls.evaluate_in_depth(state, frame, throwing, before)
                           : before(state, frame, throwing);
    sp_evaluator_in_depth--;
    if (watches)
        sp_line_trace(traced);
    _PyInterpreterState_SetEvalFrameFunc(state->interp, outermost);
    sp_evaluator_switch(); /* nobody may use it any more */
    return result;
}

/* Where it is not known how much of the stack is left: deeper than any program with the usual
 * recursion limit. */
enum { DEEPEST = 1500 };

PyObject *sp_evaluate(PyThreadState *state, _PyInterpreterFrame *frame, int throwing)
{
    if (SP_UNLIKELY(!sp_local_is_mine())) /* which finds out about the stack */
        return before(state, frame, throwing);
    sp_here.evaluations++;
    bool shallow = (uintptr_t)&frame > sp_here.stack_floor
                   && (sp_here.stack_floor != 0 || sp_here.evaluations < DEEPEST);
    PyObject *result = SP_LIKELY(shallow) ? before(state, frame, throwing)
                                          : evaluate_in_depth(state, frame, throwing);
    sp_here.evaluations--;
    return result;
}

#endif
