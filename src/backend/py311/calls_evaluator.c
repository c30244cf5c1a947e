/* Every-function tracing on CPython 3.11: the frame-evaluation hook, which is handed each frame of
 * each thread and evaluates it. Beside the profile function (sys.setprofile) it costs a sixth, slows
 * no instruction between calls, makes no frame objects, and leaves every other tool alone.
 *
 * A profile function is there besides, and passes events on to the one that was there before: where the
 * hook cannot be, in depth (evaluator.h), it takes its place; and it tells of calls of C functions, in the
 * frames where those are wanted. It stays with a thread from then on. What is switched by frame is
 * use_tracing, which each call of the evaluator has for itself, and each greenlet. */
#include "backend/py311/calls_evaluator.h"

#include "backend/py311/evaluator.h"
#include "calls/call_backend.h"
#include "calls/c_calls.h"
#include "calls/calls.h"

#if !SP_MONITORING

static PyObject *globals_of(const void *frame) { return ((_PyInterpreterFrame *)frame)->f_globals; }

static void need(int change)
{
    static int needs = 0;
    needs += change;
    if (sp_evaluator_calls.on != (needs != 0)) {
        sp_evaluator_calls.on = needs != 0;
        sp_evaluator_switch();
    }
}

/* A call of a generator function makes the generator, and no more. */
static bool makes_generator(const _PyInterpreterFrame *frame)
{
    return sp_calls_suspends(frame->f_code) && frame->owner != FRAME_OWNED_BY_GENERATOR;
}

static bool is_suspended(const _PyInterpreterFrame *frame)
{
    if (!sp_calls_suspends(frame->f_code))
        return false;
    const char *generator = (const char *)frame - offsetof(PyGenObject, gi_iframe);
    return ((const PyGenObject *)generator)->gi_frame_state == FRAME_SUSPENDED;
}

/* A generator that one of these leaves has failed (PEP 479, PEP 525): what calls the evaluator makes a
 * RuntimeError of it. From 3.12 on the generator's own code does. */
static bool becomes_an_error(const PyCodeObject *code)
{
    return PyErr_ExceptionMatches(PyExc_StopIteration)
           || ((code->co_flags & CO_ASYNC_GENERATOR)
               && PyErr_ExceptionMatches(PyExc_StopAsyncIteration));
}

SP_INLINE sp_outcome outcome_of(const _PyInterpreterFrame *frame, bool failed)
{
    if (!failed)
        return is_suspended(frame) ? SP_STEP_GOES_ON : SP_STEP_ENDS;
    bool ends = sp_calls_suspends(frame->f_code) && sp_is_end(PyErr_Occurred())
                && !becomes_an_error(frame->f_code);
    return ends ? SP_STEP_ENDS : SP_STEP_FAILS;
}

SP_INLINE PyObject *evaluate(PyThreadState *state, _PyInterpreterFrame *frame, int throwing)
{
    return SP_UNLIKELY(sp_evaluator_lines.on) ? sp_evaluator_lines.evaluate(state, frame, throwing)
                                              : sp_evaluate(state, frame, throwing);
}

/* ---- The profile function ------------------------------------------------------------------ */

static int profile(PyObject *argument, PyFrameObject *object, int what, PyObject *value);

static void install_profile(PyThreadState *state)
{
    if (state->c_profilefunc != profile) {
        sp_here.profile = state->c_profilefunc;
        state->c_profilefunc = profile;
    }
}

static void remove_profile(PyThreadState *state)
{
    if (state->c_profilefunc == profile) {
        state->c_profilefunc = sp_here.profile;
        sp_here.profile = NULL;
    }
}

/* Whether another tool is to have the events of every frame. */
static bool others_trace(const PyThreadState *state)
{
    Py_tracefunc first = state->c_profilefunc;
    return state->c_tracefunc != NULL || (first == profile ? sp_here.profile : first) != NULL;
}

static SP_NOINLINE void on_event(PyFrameObject *object, int what, PyObject *value)
{
    _PyInterpreterFrame *frame = object->f_frame;
    PyCodeObject *code = frame->f_code;
    if (what == PyTrace_RETURN)
        sp_calls_leave(frame, code, outcome_of(frame, value == NULL));
    else if (_PyInterpreterFrame_LASTI(frame) == code->_co_firsttraceable)
        sp_calls_enter(frame, code);
    else
        sp_calls_wake(frame, code);
}

static int profile(PyObject *argument, PyFrameObject *object, int what, PyObject *value)
{
    _PyInterpreterFrame *frame = object->f_frame;
    Py_tracefunc foreign = sp_here.profile; /* as of before: it may be called for the last time */
    if (what == PyTrace_C_CALL)
        sp_c_calls_enter(frame, frame->f_code, value, NULL);
    else if (what == PyTrace_C_RETURN || what == PyTrace_C_EXCEPTION)
        sp_c_calls_leave(frame, value, what == PyTrace_C_EXCEPTION);
    else if (sp_here.deepest != NULL && frame != sp_here.deepest)
        on_event(object, what, value);
    return foreign == NULL ? 0 : foreign(argument, object, what, value);
}

/* Evaluate a frame in which C functions are wanted, or not while they are elsewhere. What the evaluator
 * finds in use_tracing is its own from then on, and what it leaves there is that of the frame around. */
static SP_APART PyObject *evaluate_among_c_calls(PyThreadState *state, _PyInterpreterFrame *frame,
                                                 int throwing)
{
    if (!sp_local_is_mine())
        return evaluate(state, frame, throwing);
    bool wanted = sp_c_calls_wanted(frame->f_code);
    uint8_t around = state->cframe->use_tracing;
    if (wanted)
        install_profile(state);
    state->cframe->use_tracing = wanted || others_trace(state) ? 255 : 0;
    PyObject *result = evaluate(state, frame, throwing);
    if (SP_UNLIKELY(sp_c_calls_needed == 0))
        remove_profile(state);
    else if (around != 0)
        install_profile(state); /* a tool may have put its own in the place of ours */
    state->cframe->use_tracing = around != 0 || others_trace(state) ? 255 : 0;
    return result;
}

static PyObject *evaluate_call(PyThreadState *state, _PyInterpreterFrame *frame, int throwing)
{
    PyCodeObject *code = frame->f_code;
    if (SP_UNLIKELY(state->tracing != 0 || makes_generator(frame)))
        return evaluate(state, frame, throwing);
    bool fresh = sp_frame_is_fresh(frame), wanted;
    if (SP_LIKELY(fresh && !throwing))
        wanted = sp_calls_enter(frame, code);
    else
        wanted = sp_calls_wake(frame, code);
    PyObject *result = sp_c_calls_needed == 0 ? evaluate(state, frame, throwing)
                                              : evaluate_among_c_calls(state, frame, throwing);
    if (SP_UNLIKELY(!wanted))
        return result;
    bool ran = _PyInterpreterFrame_LASTI(frame) >= code->_co_firsttraceable;
    if (SP_UNLIKELY(result == NULL && fresh && !ran))
        sp_calls_cancel(frame); /* the recursion limit */
    else
        sp_calls_leave(frame, code, outcome_of(frame, result == NULL));
    return result;
}

/* ---- In depth ---------------------------------------------------------------------------- */

static PyObject *evaluate_in_depth(PyThreadState *state, _PyInterpreterFrame *frame, int throwing,
                                   _PyFrameEvalFunction before)
{
    const void *outer = sp_here.deepest;
    uint8_t traced = state->cframe->use_tracing;
    bool is_outermost = state->c_profilefunc != profile;
    sp_here.deepest = frame;
    install_profile(state);
    state->cframe->use_tracing = 255;
    PyObject *result = before(state, frame, throwing);
    if (is_outermost)
        remove_profile(state);
    state->cframe->use_tracing = traced;
    sp_here.deepest = outer;
    return result;
}

void sp_calls_evaluator_init(void)
{
    sp_calls_globals = globals_of;
    sp_calls_need = need;
    sp_evaluator_calls.evaluate = evaluate_call;
    sp_evaluator_calls.evaluate_in_depth = evaluate_in_depth;
}

#endif
