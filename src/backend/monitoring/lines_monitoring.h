/* What feeds line mode on CPython 3.12 and newer. */
#ifndef SP_LINES_MONITORING_H
#define SP_LINES_MONITORING_H

#include "base/compat.h"

int sp_lines_monitoring_init(PyObject *module);

#endif
