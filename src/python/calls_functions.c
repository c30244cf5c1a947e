#include "python/calls_functions.h"

#include "base/clock.h"
#include "base/thread_guard.h"
#include "calls/suspended_calls.h"
#include "calls/tracings.h"
#include "calls/plain_decision.h"
#include "python/state.h"

PyDoc_STRVAR(
    trace_doc,
    "trace_calls(manager, decide, everywhere, decide_c=None, max_depth=None, throttle=None,\n"
    "            plain=None)\n--\n\n"
    "Trace calls for the manager, or go on with everything decided anew. decide(manager, code, globals,\n"
    "in_section) tells, once for each code object, (region, whether all calls are wanted and not only\n"
    "those in traced sections, whether those that it makes of C functions are) or None. region is False\n"
    "when the latter alone are; None when in_section is false and the code wanted in sections alone, and\n"
    "it is asked again in one. everywhere: whether it may say that all calls are wanted.\n"
    "decide_c(manager, function) tells the region of a C function or None; without it none is traced.\n"
    "max_depth: calls with so many open ones around them are not recorded. throttle: (calls, ns), a function\n"
    "that was called so often and took less on average is counted from then on and no longer timed; None for none.\n"
    "plain: (beginnings of names of files, {id of code: ...}, {name of a region: (file, line)}) where decide()\n"
    "wants all but functions of these files and these codes, and names regions by the function alone where\n"
    "no other has the name; then it is asked about the rest only.");

/* False with an exception set. */
static bool get_throttle(PyObject *given, sp_throttle_bound *throttle)
{
    unsigned long long calls;
    double ns;
    if (given == Py_None)
        return true;
    if (!PyArg_ParseTuple(given, "Kd:throttle", &calls, &ns))
        return false;
    *throttle = (sp_throttle_bound){calls, (uint64_t)(ns / sp_clock_scale())};
    return true;
}

static PyObject *trace_calls(PyObject *module, PyObject *args)
{
    sp_state *state = PyModule_GetState(module);
    PyObject *manager, *decide, *decide_c = Py_None, *max_depth = Py_None;
    int everywhere;
    PyObject *throttled = Py_None, *plain = Py_None;
    sp_throttle_bound throttle = {0, 0};
    if (!PyArg_ParseTuple(args, "O!Op|OOOO:trace_calls", state->manager_type, &manager, &decide,
                          &everywhere, &decide_c, &max_depth, &throttled, &plain)
        || !get_throttle(throttled, &throttle))
        return NULL;
    unsigned long bound = max_depth == Py_None ? UINT32_MAX : PyLong_AsUnsignedLong(max_depth);
    if (PyErr_Occurred())
        return NULL;
    if (!sp_decides_plainly(plain)) {
        PyErr_Format(PyExc_TypeError, "plain must be (tuple, dict, dict) or None, got %R", plain);
        return NULL;
    }
    sp_shared_take();
    bool traces =
        sp_tracing_begin((sp_manager *)manager, decide, decide_c == Py_None ? NULL : decide_c,
                         plain == Py_None ? NULL : plain, everywhere,
                         bound < UINT32_MAX ? (uint32_t)bound : UINT32_MAX, throttle);
    sp_shared_release();
    return traces ? Py_NewRef(Py_None) : PyErr_NoMemory();
}

PyDoc_STRVAR(untrace_doc,
"untrace_calls(manager_id)\n--\n\n"
"The tracing of the manager with this id() is over. Calls that are open, in whatever thread, end\n"
"now.");

static PyObject *untrace_calls(PyObject *module, PyObject *manager_id)
{
    (void)module;
    const sp_manager *manager = PyLong_AsVoidPtr(manager_id);
    if (manager == NULL && PyErr_Occurred())
        return NULL;
    sp_shared_take();
    sp_tracing_end(manager);
    sp_shared_release();
    Py_RETURN_NONE;
}

PyDoc_STRVAR(forget_doc,
"forget_decision(manager, code)\n--\n\n"
"The manager's tracing, if any, decides anew about the code: it has been decorated.");

static PyObject *forget_decision(PyObject *module, PyObject *args)
{
    sp_state *state = PyModule_GetState(module);
    PyObject *manager, *code;
    if (!PyArg_ParseTuple(args, "O!O!:forget_decision", state->manager_type,
                          &manager, &PyCode_Type, &code))
        return NULL;
    sp_shared_take();
    sp_tracing_decide_anew((sp_manager *)manager, (PyCodeObject *)code);
    sp_shared_release();
    Py_RETURN_NONE;
}

/* What a function of the module is given; false with an exception set for anything else. */
static bool is_manager(PyObject *module, PyObject *given, const char *function)
{
    const sp_state *state = PyModule_GetState(module);
    if (PyObject_TypeCheck(given, state->manager_type))
        return true;
    PyErr_Format(PyExc_TypeError, "%s() takes a manager, got %.200s", function,
                 Py_TYPE(given)->tp_name);
    return false;
}

PyDoc_STRVAR(note_doc,
             "note_call_pairs(manager)\n--\n\n"
             "Have the manager's tracing, if any, note from now on which functions call which.");

static PyObject *note_call_pairs(PyObject *module, PyObject *manager)
{
    if (!is_manager(module, manager, "note_call_pairs"))
        return NULL;
    sp_shared_take();
    sp_tracing_note_pairs((sp_manager *)manager);
    sp_shared_release();
    Py_RETURN_NONE;
}

PyDoc_STRVAR(
    pairs_doc,
    "call_pairs(manager)\n--\n\n"
    "[(caller, called), ...] as far as the manager's tracing has noted them: the names of their regions.");

static PyObject *call_pairs(PyObject *module, PyObject *manager)
{
    if (!is_manager(module, manager, "call_pairs"))
        return NULL;
    sp_shared_take();
    PyObject *pairs = sp_tracing_pairs((const sp_manager *)manager);
    sp_shared_release();
    return pairs;
}

PyDoc_STRVAR(set_doc,
"set_recursive(owner, recursive)\n--\n\n"
"Whether decorated calls trace what they call. owner: a region, 1 for yes, -1 for no; or a manager,\n"
"1 for yes where the region says nothing, else 0.");

static PyObject *set_recursive(PyObject *module, PyObject *args)
{
    sp_state *state = PyModule_GetState(module);
    PyObject *owner;
    int recursive;
    if (!PyArg_ParseTuple(args, "Oi:set_recursive", &owner, &recursive))
        return NULL;
    if (PyObject_TypeCheck(owner, state->manager_type))
        ((sp_manager *)owner)->recursive = (int8_t)recursive;
    else if (PyObject_TypeCheck(owner, state->region_type))
        ((sp_region *)owner)->recursive = (int8_t)recursive;
    else
        return PyErr_Format(PyExc_TypeError, "set_recursive() takes a region or manager, got %.200s",
                            Py_TYPE(owner)->tp_name);
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"trace_calls", trace_calls, METH_VARARGS, trace_doc},
    {"untrace_calls", untrace_calls, METH_O, untrace_doc},
    {"forget_decision", forget_decision, METH_VARARGS, forget_doc},
    {"note_call_pairs", note_call_pairs, METH_O, note_doc},
    {"call_pairs", call_pairs, METH_O, pairs_doc},
    {"set_recursive", set_recursive, METH_VARARGS, set_doc},
    {NULL},
};

int sp_calls_functions_init(PyObject *module)
{
    if (sp_decisions_init() < 0 || sp_suspended_calls_init() < 0
        || PyModule_AddFunctions(module, functions) < 0)
        return -1;
    return 0;
}
