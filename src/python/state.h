/* The state of the module: its types and the few objects they share. */
#ifndef SP_STATE_H
#define SP_STATE_H

#include "base/compat.h"

typedef struct sp_state {
    PyTypeObject *manager_type;
    PyTypeObject *region_type; /* the base; scope_profiler._instrument.regions.Region derives from it */
    PyTypeObject *region_lookup_type;
    PyTypeObject *enter_exit_type;
    PyTypeObject *enter_exit_descriptor_type;
    PyTypeObject *wrapper_type, *callable_type;
    PyTypeObject *generator_proxy_type;
    PyTypeObject *metadata_scope_type;
    PyObject *tags_name;         /* "tags", as call sites have it */
    PyTypeObject *factory_type;
    PyTypeObject *task_type;
    PyTypeObject *unrecorded_type;
} sp_state;

extern struct PyModuleDef sp_module;

/* One line a type in module_exec; each returns -1 with an exception set. */
int sp_manager_init(PyObject *module, sp_state *state);
int sp_region_init(PyObject *module, sp_state *state);
int sp_wrapper_init(PyObject *module, sp_state *state);
int sp_generator_proxy_init(PyObject *module, sp_state *state);
int sp_metadata_type_init(PyObject *module, sp_state *state);
int sp_task_init(PyObject *module, sp_state *state);
int sp_factory_init(PyObject *module, sp_state *state);
int sp_unrecorded_init(PyObject *module, sp_state *state);

/* Make a heap type of the module; NULL with an exception set. */
PyTypeObject *sp_add_type(PyObject *module, PyType_Spec *spec, PyTypeObject *base);

#endif
