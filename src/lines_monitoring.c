/* Line mode on CPython 3.12 and newer: sys.monitoring (PEP 669). The events are armed on single
 * code objects by scope_profiler/lines.py and stay armed, so other code runs at full speed and
 * nothing is switched per call. An event of an activation that is not recorded ends at the first
 * comparison. */
#include "lines.h"

#if SP_MONITORING

static PyObject *on_line(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    uint64_t now = sp_now();
    (void)module, (void)nargs;
    sp_line_frame *recorded = sp_line_match(sp_current_frame(), (PyCodeObject *)args[0], now);
    if (recorded != NULL)
        sp_line_hit(recorded, (int)PyLong_AsLong(args[1]), now);
    Py_RETURN_NONE;
}

/* `for x in y: f(x)` on one line has a line event for the first round only; the jump back
 * begins each of the others. */
static PyObject *on_jump(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    uint64_t now = sp_now();
    (void)module, (void)nargs;
    sp_line_frame *recorded = sp_line_match(sp_current_frame(), (PyCodeObject *)args[0], now);
    if (recorded == NULL || recorded->cell == NULL)
        Py_RETURN_NONE;
    const sp_line_code *code = recorded->table->code;
    long target = PyLong_AsLong(args[2]);
    if (target < PyLong_AsLong(args[1])
        && sp_line_offset_in(code->loops, code->loop_count, target)) {
        recorded->cell->hits++;
        recorded->cell->ticks += now - recorded->since;
        recorded->since = sp_now();
    }
    Py_RETURN_NONE;
}

/* The generator of a decorated function is put to sleep by its steps (steps.c), one with an open
 * block by this. */
static PyObject *on_yield(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    uint64_t now = sp_now();
    (void)module, (void)nargs;
    sp_line_frame *recorded = sp_line_match(sp_current_frame(), (PyCodeObject *)args[0], now);
    if (recorded != NULL && recorded->call == NULL)
        sp_line_suspend(sp_line_here, now);
    Py_RETURN_NONE;
}

static PyObject *on_resume(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    (void)module, (void)nargs;
    sp_line_match(sp_current_frame(), (PyCodeObject *)args[0], sp_now());
    Py_RETURN_NONE;
}

/* Subscribed where a function's body begins on its `def` line: CPython 3.13 reports no line
 * there unless the start is watched too (python/cpython#155992). */
static PyObject *on_start(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    (void)module, (void)args, (void)nargs;
    Py_RETURN_NONE;
}

/* The callbacks are private, and the interpreter calls them with what their events carry. */
#define CALLBACK(function) (PyCFunction)(void (*)(void))function, METH_FASTCALL

PyMethodDef sp_line_functions[] = {
    {"on_line", CALLBACK(on_line), "sys.monitoring callback of LINE."},
    {"on_jump", CALLBACK(on_jump), "sys.monitoring callback of JUMP."},
    {"on_yield", CALLBACK(on_yield), "sys.monitoring callback of PY_YIELD."},
    {"on_resume", CALLBACK(on_resume), "sys.monitoring callback of PY_RESUME."},
    {"on_start", CALLBACK(on_start), "sys.monitoring callback of PY_START."},
    {NULL},
};

#endif
