/* What feeds line mode on CPython 3.11. */
#ifndef SP_LINES_TRACE_H
#define SP_LINES_TRACE_H

#include "base/compat.h"

int sp_lines_trace_init(PyObject *module);

#endif
