/* What Python asks of line mode: watch_lines(), and the manager's _lines() and _take_lines(). */
#ifndef SP_LINES_FUNCTIONS_H
#define SP_LINES_FUNCTIONS_H

#include "base/compat.h"

PyObject *sp_lines_method(PyObject *manager, PyObject *region);
PyObject *sp_lines_take_method(PyObject *manager, PyObject *unused);
extern const char sp_lines_method_doc[];
extern const char sp_lines_take_method_doc[];
int sp_lines_functions_init(PyObject *module);

#endif
