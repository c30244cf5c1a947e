/* Every-function tracing on CPython 3.11: the frame-evaluation hook, which is handed each frame of
 * each thread and evaluates it. Beside the profile function (sys.setprofile) it costs a sixth, slows
 * no instruction between calls, makes no frame objects, and leaves every other tool alone.
 *
 * Where the hook cannot be, in depth (evaluator.h), a profile function takes its place, and passes
 * events on to the one that was there. */
#include "backend/py311/calls_evaluator.h"

#include "backend/py311/evaluator.h"
#include "calls/call_backend.h"
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

static sp_outcome outcome_of(const _PyInterpreterFrame *frame, bool failed)
{
    if (!failed)
        return is_suspended(frame) ? SP_STEP_GOES_ON : SP_STEP_ENDS;
    bool ends = sp_calls_suspends(frame->f_code) && sp_is_end(PyErr_Occurred());
    return ends ? SP_STEP_ENDS : SP_STEP_FAILS;
}

SP_INLINE PyObject *evaluate(PyThreadState *state, _PyInterpreterFrame *frame, int throwing)
{
    return SP_UNLIKELY(sp_evaluator_lines.on) ? sp_evaluator_lines.evaluate(state, frame, throwing)
                                              : sp_evaluate(state, frame, throwing);
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
    PyObject *result = evaluate(state, frame, throwing);
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

static void on_event(PyFrameObject *object, int what, PyObject *value)
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
    if ((what == PyTrace_CALL || what == PyTrace_RETURN) && object->f_frame != sp_here.deepest)
        on_event(object, what, value);
    return sp_here.profile == NULL ? 0 : sp_here.profile(argument, object, what, value);
}

static PyObject *evaluate_in_depth(PyThreadState *state, _PyInterpreterFrame *frame, int throwing,
                                   _PyFrameEvalFunction before)
{
    const void *outer = sp_here.deepest;
    uint8_t traced = state->cframe->use_tracing;
    bool is_outermost = state->c_profilefunc != profile;
    sp_here.deepest = frame;
    if (is_outermost) {
        sp_here.profile = state->c_profilefunc;
        state->c_profilefunc = profile;
        state->cframe->use_tracing = 255;
    }
    PyObject *result = before(state, frame, throwing);
    if (is_outermost && state->c_profilefunc == profile) {
        state->c_profilefunc = sp_here.profile;
        state->cframe->use_tracing = traced;
    }
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
