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

/* Pass an event on to the tracer that was there before. One that sets f_trace_lines to False asks
 * for no lines of this frame; then we keep them coming, and do not pass them on. */
static int pass_on(sp_line_thread *here, PyFrameObject *frame, int what, PyObject *value)
{
    sp_line_frame *recorded = here->top;
    if (what == PyTrace_LINE && recorded->muted)
        return 0;
    int result = here->foreign_trace(here->foreign_argument, frame, what, value);
    if (what != PyTrace_CALL || result != 0)
        return result;
    PyObject *wanted = PyObject_GetAttrString((PyObject *)frame, "f_trace_lines");
    if (wanted == Py_False && here->top == recorded
        && PyObject_SetAttrString((PyObject *)frame, "f_trace_lines", Py_True) == 0)
        recorded->muted = true;
    Py_XDECREF(wanted);
    PyErr_Clear();
    return 0;
}

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
            recorded = sp_line_match(running, code, now);
            Py_DECREF(code);
        }
        if (SP_LIKELY(recorded != NULL))
            sp_line_hit(recorded, PyFrame_GetLineNumber(frame), now);
    }
    if (SP_UNLIKELY(here->foreign_trace != NULL))
        return pass_on(here, frame, what, value);
    return 0;
}

static SP_THREAD_LOCAL bool in_depth = false; /* in evaluate_in_depth() */

static void update_tracing(PyThreadState *state)
{
    state->cframe->use_tracing =
        state->c_tracefunc != NULL || state->c_profilefunc != NULL ? 255 : 0;
}

/* Put our tracer in and remember what was there, or take it out and put that back. When someone
 * has installed another since, it is his turn: it stays, and becomes what we go back to. */
bool sp_line_trace(bool on)
{
    PyThreadState *state = PyThreadState_GetUnchecked();
    sp_line_thread *here = sp_line_here;
    bool was = state->c_tracefunc == trace;
    on |= in_depth && here->top != here->frames; /* nobody would put it in again */
    if (on == was)
        return was;
    if (on) {
        here->foreign_trace = state->c_tracefunc;
        Py_XSETREF(here->foreign_argument, state->c_traceobj);
        state->c_tracefunc = trace;
        /* What sys.gettrace() shows: what it would without us. */
        state->c_traceobj =
            Py_NewRef(here->foreign_argument == NULL ? Py_None : here->foreign_argument);
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
    if (here->top->frame == frame && here->top->call != NULL) /* a decorated generator goes on */
        return true;
    return sp_line_wake(here, frame, sp_now()) != NULL;
}

static _PyFrameEvalFunction evaluate_before = NULL; /* another tool's hook, or the default */
static bool installed = false;

/* A generator at a yield inside its block goes to sleep. */
static void suspend_if_open(const void *frame)
{
    sp_line_thread *here = sp_line_here;
    if (SP_UNLIKELY(here != NULL && here->top->frame == frame && here->top->call == NULL))
        sp_line_suspend(here, sp_now());
}

static PyObject *evaluate(PyThreadState *state, struct _PyInterpreterFrame *frame, int throwing);

/* While the hook is in, each call of a Python function goes through C and uses its stack. Deeper
 * than any program with the usual recursion limit, Python is left to call its functions in its own
 * way: that is slower for what is called by recorded frames, and safe. */
enum { DEEPEST = 1500 };

static PyObject *evaluate_in_depth(PyThreadState *state, struct _PyInterpreterFrame *frame,
                                   int throwing)
{
    _PyInterpreterState_SetEvalFrameFunc(state->interp, evaluate_before);
    in_depth = true;
    PyObject *result = evaluate_before(state, frame, throwing);
    in_depth = false;
    if (installed)
        _PyInterpreterState_SetEvalFrameFunc(state->interp, evaluate);
    return result;
}

static PyObject *evaluate(PyThreadState *state, struct _PyInterpreterFrame *frame, int throwing)
{
    static SP_THREAD_LOCAL unsigned depth = 0;
    bool traced = false;
    if (SP_UNLIKELY(sp_lines_open())) {
        sp_line_thread *here = sp_line_thread_here();
        if (SP_LIKELY(here != NULL))
            traced = sp_line_trace(begins_recorded(here, frame));
    }
    depth++;
    PyObject *result = SP_LIKELY(depth < DEEPEST) ? evaluate_before(state, frame, throwing)
                                                  : evaluate_in_depth(state, frame, throwing);
    depth--;
    suspend_if_open(frame);
    if (SP_UNLIKELY(sp_line_here != NULL))
        sp_line_trace(traced);
    return result;
}

static PyObject *install(PyObject *module, PyObject *on)
{
    PyInterpreterState *interpreter = PyInterpreterState_Get();
    _PyFrameEvalFunction now = _PyInterpreterState_GetEvalFrameFunc(interpreter);
    (void)module;
    installed = PyObject_IsTrue(on) == 1;
    if (installed) {
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
