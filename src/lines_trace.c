/* Line mode on CPython 3.11: the trace function, on only while a recorded frame itself runs.
 *
 * Setting it per call through PyEval_SetTrace would cost an audit event and leave it on in
 * everything the frame calls. Instead we write the three words of the thread state that
 * PyEval_SetTrace writes, and a frame-evaluation hook (PEP 523) takes the tracer off around
 * every other Python frame and puts it back after: callees run at full speed. A tracer that was
 * there before, of a debugger or of coverage, gets every event it would have got without us:
 * in recorded frames we pass its events on, in all others it is installed as it was. */
#include "lines.h"

#if !SP_MONITORING

static int trace(PyObject *argument, PyFrameObject *frame, int what, PyObject *value)
{
    uint64_t now = sp_now();
    sp_line_thread *here = sp_line_here;
    (void)argument;
    if (what == PyTrace_LINE) {
        const void *running = sp_current_frame();
        sp_line_frame *recorded = here->top;
        if (SP_UNLIKELY(recorded->frame != running)) {
            PyCodeObject *code = PyFrame_GetCode(frame);
            recorded = sp_line_match(here, running, code);
            Py_DECREF(code);
        }
        if (SP_LIKELY(recorded != NULL))
            sp_line_hit(recorded, PyFrame_GetLineNumber(frame), now);
    }
    if (SP_UNLIKELY(here->foreign_trace != NULL))
        return here->foreign_trace(here->foreign_argument, frame, what, value);
    return 0;
}

static void update_tracing(PyThreadState *state)
{
    state->cframe->use_tracing =
        state->c_tracefunc != NULL || state->c_profilefunc != NULL ? 255 : 0;
}

/* Put our tracer in and remember what was there, or take it out and put that back. When someone
 * has installed another since, it is his turn: it stays, and becomes what we go back to. */
bool sp_line_trace(bool on)
{
    PyThreadState *state = _PyThreadState_UncheckedGet();
    sp_line_thread *here = sp_line_here;
    bool was = state->c_tracefunc == trace;
    if (on == was)
        return was;
    if (on) {
        here->foreign_trace = state->c_tracefunc;
        Py_XSETREF(here->foreign_argument, state->c_traceobj);
        state->c_tracefunc = trace;
        state->c_traceobj = Py_NewRef(Py_None); /* what sys.gettrace() shows */
    }
    else {
        PyObject *ours = state->c_traceobj;
        state->c_tracefunc = here->foreign_trace;
        state->c_traceobj = here->foreign_argument;
        here->foreign_trace = NULL;
        here->foreign_argument = NULL;
        Py_XDECREF(ours);
    }
    update_tracing(state);
    return was;
}

/* Whether this frame is a recorded one that begins or goes on now. */
static bool begins_recorded(sp_line_thread *here, const void *frame)
{
    if (here->top->frame == NULL) { /* a decorated call: the first frame after it is its own */
        here->top->frame = frame;
        return true;
    }
    if (here->top->frame == frame) /* a decorated generator goes on */
        return true;
    return here->suspended_count != 0 && sp_line_wake(here, frame) != NULL;
}

static _PyFrameEvalFunction evaluate_before = NULL; /* another tool's hook, or the default */

static PyObject *evaluate(PyThreadState *state, struct _PyInterpreterFrame *frame, int throwing)
{
    sp_line_thread *here = sp_line_here;
    if (here == NULL || (here->top == here->frames && here->suspended_count == 0))
        return evaluate_before(state, frame, throwing);
    bool traced = sp_line_trace(begins_recorded(here, frame));
    PyObject *result = evaluate_before(state, frame, throwing);
    if (here->top->frame == (const void *)frame && here->top->call == NULL)
        sp_line_suspend(here, sp_now()); /* a generator, at a yield inside its block */
    sp_line_trace(traced);
    return result;
}

static PyObject *install(PyObject *module, PyObject *on)
{
    PyInterpreterState *interpreter = PyInterpreterState_Get();
    _PyFrameEvalFunction now = _PyInterpreterState_GetEvalFrameFunc(interpreter);
    (void)module;
    if (PyObject_IsTrue(on)) {
        if (now != evaluate) {
            evaluate_before = now;
            _PyInterpreterState_SetEvalFrameFunc(interpreter, evaluate);
        }
    }
    else if (now == evaluate) {
        _PyInterpreterState_SetEvalFrameFunc(interpreter, evaluate_before);
    }
    Py_RETURN_NONE;
}

PyMethodDef sp_line_functions[] = {
    {"install_evaluator", install, METH_O,
     "install_evaluator(on)\n--\n\nPut the frame-evaluation hook of line mode in, or out."},
    {NULL},
};

#endif
