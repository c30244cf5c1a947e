/* The state of the module: its types and the few objects they share. */
#ifndef SP_STATE_H
#define SP_STATE_H

#include "base/compat.h"

typedef struct sp_state {
    PyTypeObject *manager_type;
    PyTypeObject *region_type; /* the base; scope_profiler._instrument.regions.Region derives from it */
    PyTypeObject *region_lookup_type;
    PyTypeObject *enter_exit_type, *enter_exit_descriptor_type;
    PyTypeObject *wrapper_type, *callable_type;
    PyTypeObject *generator_proxy_type;
    PyTypeObject *task_type;
    PyTypeObject *metadata_scope_type;
    PyTypeObject *factory_type;
    PyTypeObject *unrecorded_type;
    PyTypeObject *submitted_type;
    PyTypeObject *line_switch_type;
    PyTypeObject *sampler_type;
    PyObject *tags_name; /* "tags", as call sites have it */
} sp_state;

extern struct PyModuleDef sp_module;

/* Each in the file that is named after it. */
extern PyType_Spec sp_manager_spec, sp_region_spec, sp_region_lookup_spec, sp_enter_exit_spec,
    sp_enter_exit_descriptor_spec, sp_wrapper_spec, sp_callable_spec, sp_generator_proxy_spec,
    sp_task_spec, sp_metadata_scope_spec, sp_factory_spec, sp_unrecorded_spec,
    sp_line_switch_spec, sp_sampler_spec, sp_submitted_spec;

#endif
