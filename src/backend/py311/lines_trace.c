/* Line mode on CPython 3.11: the trace function, on only while a recorded frame itself runs.
 *
 * Setting it per call through PyEval_SetTrace would cost an audit event and leave it on in
 * everything the frame calls. Instead we write the three words of the thread state that
 * PyEval_SetTrace writes, and a frame-evaluation hook (PEP 523) takes the tracer off around
 * every other Python frame and puts it back after: callees run at full speed. A tracer that was
 * there before, of a debugger or of coverage, gets every event it would have got without us:
 * in recorded frames we pass its events on, in all others it is installed as it was. */
#include "backend/py311/lines_trace.h"

#include "backend/py311/evaluator.h"
#include "lines/line_backend.h"
#include "lines/line_listing.h"
#include "lines/line_match.h"
#include "lines/line_switch.h"
#include "lines/lines_watch.h"

#if !SP_MONITORING

/* ---- The tracer -------------------------------------------------------------------------- */

/* Pass an event on to the tracer that was there before. One that sets f_trace_lines to False, at whatever
 * event, asks for no lines of this frame; then we keep them coming, and do not pass them on. */
static int pass_on(sp_line_thread *here, PyObject *argument, PyFrameObject *frame, int what,
                   PyObject *value)
{
    sp_line_frame *recorded = here->stack.top;
    if (what == PyTrace_LINE && recorded->frame == frame->f_frame && recorded->muted)
        return 0;
    int result = here->foreign_trace(argument, frame, what, value);
    recorded = here->stack.top;
    if (SP_UNLIKELY(!frame->f_trace_lines) && recorded->frame == frame->f_frame) {
        frame->f_trace_lines = true;
        recorded->muted = true;
    }
    return result;
}

static void call_event(sp_line_thread *here, PyFrameObject *object)
{
    const _PyInterpreterFrame *frame = object->f_frame;
    bool fresh = sp_frame_is_fresh(frame);
    sp_line_frame *recorded = here->stack.top;
    if (SP_UNLIKELY(sp_evaluator_in_depth != 0)) /* nobody was told of the frame before */
        recorded = sp_line_frame_begins(frame, frame->f_code, fresh);
    else if (SP_UNLIKELY(recorded->frame != frame))
        return;
    if (SP_UNLIKELY(!fresh) && recorded != NULL && recorded->line < 0)
        sp_line_continue(recorded, PyFrame_GetLineNumber(object));
}

static void trace_below(sp_line_thread *here, PyFrameObject *outermost);

static void return_event(sp_line_thread *here, const void *frame)
{
    bool nobody_else = sp_evaluator_in_depth != 0 || here->running != NULL;
    if (SP_UNLIKELY(nobody_else) && here->stack.top->frame == frame && !here->stack.top->decorated)
        sp_line_frame_yields(here, sp_now());
    if (SP_UNLIKELY(here->running == frame))
        trace_below(here, NULL);
}

/* It comes for each frame that an exception passes. value: (type, exception, traceback). */
static void exception_event(PyFrameObject *object, PyObject *value)
{
    const _PyInterpreterFrame *frame = object->f_frame;
    sp_line_frame *recorded = sp_line_match(frame, frame->f_code, sp_now());
    if (recorded != NULL && !recorded->plain
        && sp_line_counts_exception(PyTuple_GET_ITEM(value, 0)))
        sp_line_raised(recorded, PyFrame_GetLineNumber(object));
}

static int trace(PyObject *argument, PyFrameObject *object, int what, PyObject *value)
{
    sp_line_thread *here = sp_line_here;
    if (SP_LIKELY(what == PyTrace_LINE)) {
        uint64_t now = sp_now();
        const _PyInterpreterFrame *frame = object->f_frame;
        sp_line_frame *recorded = sp_line_match(frame, frame->f_code, now);
        if (SP_UNLIKELY(recorded == NULL))
            recorded = sp_line_frame_runs(frame, frame->f_code);
        if (SP_LIKELY(recorded != NULL))
            sp_line_hit(recorded, PyFrame_GetLineNumber(object), now);
        if (SP_UNLIKELY(sp_line_listing))
            sp_line_list(frame, frame->f_code, PyFrame_GetLineNumber(object));
    }
    else if (what == PyTrace_CALL) {
        call_event(here, object);
    } else if (what == PyTrace_EXCEPTION) {
        exception_event(object, value);
    } else if (what == PyTrace_RETURN) {
        return_event(here, object->f_frame);
    }
    if (SP_UNLIKELY(here->foreign_trace != NULL))
        return pass_on(here, argument, object, what, value);
    return 0;
}

SP_INLINE void update_tracing(PyThreadState *state)
{
    state->cframe->use_tracing =
        state->c_tracefunc != NULL || state->c_profilefunc != NULL ? 255 : 0;
}

/* Put our tracer in and remember what was there, or take it out and put that back. The argument of
 * what was there stays where it is, so that sys.gettrace() shows what it would without us. Another
 * tracer that was installed since stays, and is what was there from then on. */
static bool switch_tracer(bool on)
{
    PyThreadState *state = PyThreadState_GetUnchecked();
    sp_line_thread *here = sp_line_here;
    bool installed = state->c_tracefunc == trace;
    bool was = installed && state->cframe->use_tracing != 0;
    if (SP_UNLIKELY(sp_evaluator_in_depth != 0)) /* nobody would put it in again */
        on |= here->stack.top != here->stack.frames || sp_line_watches(here);
    on |= here->running != NULL;
    if (on && !installed) {
        here->foreign_trace = state->c_tracefunc;
        state->c_tracefunc = trace;
    }
    else if (!on && installed) {
        if (here->other_count != 0 && here->foreign_trace == NULL) {
            /* Greenlets that wait are still traced, each in its own frames. */
            state->cframe->use_tracing = state->c_profilefunc != NULL ? 255 : 0;
            return was;
        }
        state->c_tracefunc = here->foreign_trace;
        here->foreign_trace = NULL;
    }
    if (on || installed)
        update_tracing(state);
    return was;
}

/* The frames that run already get no events of the hook: the tracer is on in all of them, until the
 * outermost that may be recorded returns. */
static void trace_below(sp_line_thread *here, PyFrameObject *outermost)
{
    bool was = here->running != NULL;
    here->running = outermost == NULL ? NULL : outermost->f_frame;
    if (was || outermost != NULL || PyThreadState_GetUnchecked()->c_tracefunc == trace)
        switch_tracer(here->stack.top->frame == sp_current_frame());
}

/* ---- The hook ---------------------------------------------------------------------------- */

SP_INLINE PyObject *evaluate_plainly(PyThreadState *state, _PyInterpreterFrame *frame,
                                     int throwing)
{
    PyObject *result = sp_evaluate(state, frame, throwing);
    /* A generator at a yield inside its block is suspended; a call that was watched is over. */
    sp_line_thread *here = sp_line_here;
    if (SP_UNLIKELY(here != NULL && here->other_count != 0))
        here = sp_line_thread_here();
    if (SP_UNLIKELY(here != NULL && here->stack.top->frame == frame && !here->stack.top->decorated))
        sp_line_frame_yields(here, sp_now());
    return result;
}

/* A frame that is recorded; or one that another tracer wants to see. */
static PyObject *evaluate_with_tracer(PyThreadState *state, _PyInterpreterFrame *frame,
                                      int throwing, bool on)
{
    bool traced = switch_tracer(on);
    PyObject *result = evaluate_plainly(state, frame, throwing);
    switch_tracer(traced);
    return result;
}

/* Whether this frame is a recorded one that begins or goes on now. */
SP_INLINE bool is_recorded(sp_line_thread *here, _PyInterpreterFrame *frame)
{
    if (here->on_count != 0 && sp_frame_is_fresh(frame)
        && sp_line_frame_begins_again(here, frame, frame->f_code) != NULL)
        return true;
    sp_line_frame *top = here->stack.top;
    if (SP_LIKELY(sp_line_suspended_count == 0
                  && ((!sp_line_watches(here) && sp_line_always_watched == 0)
                      || !sp_line_code_is_watched(frame->f_code)))) {
        if (top->frame != NULL)
            return top->frame == frame && top->decorated; /* a decorated generator goes on */
        if (SP_LIKELY(top->code->code == frame->f_code)) {
            top->frame = frame; /* a decorated call */
            return true;
        }
    }
    return sp_line_frame_begins(frame, frame->f_code, sp_frame_is_fresh(frame)) != NULL;
}

static PyObject *evaluate(PyThreadState *state, _PyInterpreterFrame *frame, int throwing)
{
    if (SP_UNLIKELY(state->tracing != 0)) /* inside a tracer: there are no events */
        return evaluate_plainly(state, frame, throwing);
    sp_line_thread *here = sp_line_thread_known();
    bool recorded = here != NULL && is_recorded(here, frame);
    bool traced = state->c_tracefunc == trace || SP_UNLIKELY(sp_evaluator_in_depth != 0);
    if (!recorded && (here == NULL || !traced)) {
        PyObject *result = evaluate_plainly(state, frame, throwing);
        if (SP_UNLIKELY(state->c_tracefunc == trace))
            switch_tracer(false); /* it is suspended in a block it has entered */
        return result;
    }
    if (recorded || here->foreign_trace != NULL || state->c_tracefunc != trace
        || SP_UNLIKELY(sp_evaluator_in_depth != 0))
        return evaluate_with_tracer(state, frame, throwing, recorded);
    /* Below a recorded frame, one that is not: no events from there. The rest of the tracer's
     * state can stay; what puts the events in or out is this flag. */
    uint8_t before = state->cframe->use_tracing;
    state->cframe->use_tracing = state->c_profilefunc != NULL ? 255 : 0;
    PyObject *result = evaluate_plainly(state, frame, throwing);
    if (SP_LIKELY(state->c_tracefunc == trace))
        state->cframe->use_tracing = before;
    else if ((here = sp_line_thread_here()) != NULL && here->stack.top->frame == sp_current_frame())
        switch_tracer(true); /* someone has installed a tracer meanwhile */
    return result;
}

static bool installed, any_on; /* by a manager in line mode; as a region is switched on */

static void switch_hook(void)
{
    sp_evaluator_lines.on = installed || any_on;
    sp_evaluator_switch();
}

static void switch_any_on(bool on)
{
    any_on = on;
    switch_hook();
}

static PyObject *install(PyObject *module, PyObject *on)
{
    int truth = PyObject_IsTrue(on);
    (void)module;
    if (truth < 0)
        return NULL;
    installed = truth;
    switch_hook();
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"install_evaluator", install, METH_O,
     "install_evaluator(on)\n--\n\nPut the frame-evaluation hook of line mode in, or out."},
    {NULL},
};

int sp_lines_trace_init(PyObject *module)
{
    sp_line_trace = switch_tracer;
    sp_line_trace_below = trace_below;
    sp_line_any_on = switch_any_on;
    sp_evaluator_lines.evaluate = evaluate;
    return PyModule_AddFunctions(module, functions);
}

#endif
