/* The events of call tracing on CPython 3.12 and newer. */
#ifndef SP_CALLS_MONITORING_H
#define SP_CALLS_MONITORING_H

#include "base/compat.h"

int sp_calls_monitoring_init(PyObject *module);

#endif
