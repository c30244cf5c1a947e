/* What the program counts itself: methods of regions and of the manager. */
#ifndef SP_COUNTING_H
#define SP_COUNTING_H

#include "python/state.h"

PyObject *sp_region_add(PyObject *region, PyObject *const *args, Py_ssize_t nargs,
                        PyObject *names);
extern const char sp_region_add_doc[];
PyObject *sp_manager_add(PyObject *manager, PyObject *const *args, Py_ssize_t nargs,
                         PyObject *names);
extern const char sp_manager_add_doc[];
PyObject *sp_manager_counter(PyObject *manager, PyObject *const *args, Py_ssize_t nargs);
extern const char sp_manager_counter_doc[];

#endif
