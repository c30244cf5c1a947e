/* What scope_profiler/_instrument/call_tracing.py asks of call tracing. */
#ifndef SP_CALLS_FUNCTIONS_H
#define SP_CALLS_FUNCTIONS_H

#include "base/compat.h"

int sp_calls_functions_init(PyObject *module);

#endif
