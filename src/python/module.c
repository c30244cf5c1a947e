/* The module: its table of contents, and nothing else. */
#include "base/compat.h"

#if SP_MONITORING
#include "backend/monitoring/calls_monitoring.h"
#include "backend/monitoring/lines_monitoring.h"
#else
#include "backend/py311/calls_evaluator.h"
#include "backend/py311/lines_trace.h"
#endif
#include "base/clock.h"
#include "base/termination.h"
#include "base/thread_guard.h"
#include "python/calls_functions.h"
#include "python/enter_exit.h"
#include "python/lines_functions.h"
#include "python/memory_functions.h"
#include "python/region_type.h"
#include "python/sampler_type.h"
#include "python/state.h"
#include "python/wrapper.h"
#include "record/metadata.h"
#include "record/tree.h"

/* ---- Functions --------------------------------------------------------------------------- */

PyDoc_STRVAR(clock_info_doc,
"clock_info()\n--\n\nThe clock in use: its source, and nanoseconds per tick.");

static PyObject *clock_info(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    sp_clock_calibrate();
    return Py_BuildValue("{sssd}", "source", sp_clock_name(), "ns_per_tick",
                         sp_clock_scale());
}

PyDoc_STRVAR(fake_clock_doc,
"_fake_clock(ns)\n--\n\nFor tests: stop time at ns; None goes back to the real clock.");

static PyObject *fake_clock(PyObject *module, PyObject *ns)
{
    (void)module;
    if (ns == Py_None) {
        sp_clock_real();
    }
    else {
        uint64_t value = PyLong_AsUnsignedLongLong(ns);
        if (value == (uint64_t)-1 && PyErr_Occurred())
            return NULL;
        sp_clock_fake(value);
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(
    tree_bound_doc,
    "_tree_bound(nodes)\n--\n\n"
    "For tests: how many paths a thread's tree tells apart from now on. Returns what it was.");

static PyObject *tree_bound(PyObject *module, PyObject *nodes)
{
    (void)module;
    uint32_t before = sp_tree_bound;
    unsigned long value = PyLong_AsUnsignedLong(nodes);
    if (value == (unsigned long)-1 && PyErr_Occurred())
        return NULL;
    sp_tree_bound = (uint32_t)value;
    return PyLong_FromUnsignedLong(before);
}

PyDoc_STRVAR(function_of_doc,
"function_of(callable, wrapped)\n--\n\n"
"The Python function that a method or partial calls, or None; wrapped: also what a decorator's object\n"
"names as __wrapped__.");

static PyObject *function_of(PyObject *module, PyObject *args)
{
    PyObject *callable;
    int wrapped;
    (void)module;
    if (!PyArg_ParseTuple(args, "Op:function_of", &callable, &wrapped))
        return NULL;
    PyObject *function = sp_function_of(callable, wrapped);
    return function == NULL ? Py_NewRef(Py_None) : function;
}

static PyMethodDef functions[] = {
    {"function_of", function_of, METH_VARARGS, function_of_doc},
    {"clock_info", clock_info, METH_NOARGS, clock_info_doc},
    {"_fake_clock", fake_clock, METH_O, fake_clock_doc},
    {"_tree_bound", tree_bound, METH_O, tree_bound_doc},
    {NULL},
};

/* ---- Life and death ---------------------------------------------------------------------- */

static const struct {
    PyType_Spec *spec;
    size_t place; /* in sp_state, which owns it */
} types[] = {
    {&sp_manager_spec, offsetof(sp_state, manager_type)},
    {&sp_region_spec, offsetof(sp_state, region_type)},
    {&sp_region_lookup_spec, offsetof(sp_state, region_lookup_type)},
    {&sp_enter_exit_spec, offsetof(sp_state, enter_exit_type)},
    {&sp_enter_exit_descriptor_spec, offsetof(sp_state, enter_exit_descriptor_type)},
    {&sp_wrapper_spec, offsetof(sp_state, wrapper_type)},
    {&sp_callable_spec, offsetof(sp_state, callable_type)},
    {&sp_generator_proxy_spec, offsetof(sp_state, generator_proxy_type)},
    {&sp_task_spec, offsetof(sp_state, task_type)},
    {&sp_metadata_scope_spec, offsetof(sp_state, metadata_scope_type)},
    {&sp_factory_spec, offsetof(sp_state, factory_type)},
    {&sp_submitted_spec, offsetof(sp_state, submitted_type)},
    {&sp_unrecorded_spec, offsetof(sp_state, unrecorded_type)},
    {&sp_line_switch_spec, offsetof(sp_state, line_switch_type)},
    {&sp_sampler_spec, offsetof(sp_state, sampler_type)},
};
enum { TYPES = sizeof types / sizeof *types };

static PyObject **type_place(sp_state *state, int i)
{
    return (PyObject **)((char *)state + types[i].place);
}

static int add_types(PyObject *module, sp_state *state)
{
    for (int i = 0; i < TYPES; i++) {
        PyObject *type = PyType_FromModuleAndSpec(module, types[i].spec, NULL);
        *type_place(state, i) = type;
        if (type == NULL || PyModule_AddType(module, (PyTypeObject *)type) < 0)
            return -1;
    }
    return sp_enter_exit_add(state);
}

static int add_unrecorded(PyObject *module, const sp_state *state)
{
    PyObject *unrecorded = state->unrecorded_type->tp_alloc(state->unrecorded_type, 0);
    int result = PyModule_AddObjectRef(module, "unrecorded", unrecorded);
    Py_XDECREF(unrecorded);
    return result;
}

static int init_backend(PyObject *module)
{
#if SP_MONITORING
    return sp_calls_monitoring_init(module) < 0 ? -1 : sp_lines_monitoring_init(module);
#else
    sp_calls_evaluator_init();
    return sp_lines_trace_init(module);
#endif
}

static int module_exec(PyObject *module)
{
    sp_state *state = PyModule_GetState(module);
    /* The twins, the tables of line mode and of call tracing are the process's, and name objects of
     * one interpreter. 3.12 and newer refuse by themselves where interpreters are isolated. */
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_ImportError,
                        "scope_profiler cannot be used in a subinterpreter: import it in the main "
                        "interpreter");
        return -1;
    }
    sp_thread_guard_init();
    sp_clock_init();
    sp_region_init();
    state->tags_name = PyUnicode_InternFromString("tags");
    if (state->tags_name == NULL || add_types(module, state) < 0
        || add_unrecorded(module, state) < 0 || sp_metadata_init() < 0
        || sp_calls_functions_init(module) < 0 || sp_lines_functions_init(module) < 0
        || PyModule_AddFunctions(module, sp_memory_functions) < 0
        || PyModule_AddFunctions(module, sp_sampler_functions) < 0
        || PyModule_AddFunctions(module, sp_termination_functions) < 0)
        return -1;
    return init_backend(module);
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    sp_state *state = PyModule_GetState(module);
    for (int i = 0; i < TYPES; i++)
        Py_VISIT(*type_place(state, i));
    return 0;
}

static int module_clear(PyObject *module)
{
    sp_state *state = PyModule_GetState(module);
    for (int i = 0; i < TYPES; i++)
        Py_CLEAR(*type_place(state, i));
    Py_CLEAR(state->tags_name);
    return 0;
}

static void module_free(void *module) { module_clear(module); }

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, module_exec},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
#if PY_VERSION_HEX >= 0x030D0000
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

struct PyModuleDef sp_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "scope_profiler._core",
    .m_doc = "The recording core of scope_profiler.",
    .m_size = sizeof(sp_state),
    .m_methods = functions,
    .m_slots = slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__core(void) { return PyModuleDef_Init(&sp_module); }
