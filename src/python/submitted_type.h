/* A callable that another thread is to call, and that knows where it was submitted. */
#ifndef SP_SUBMITTED_TYPE_H
#define SP_SUBMITTED_TYPE_H

#include "base/compat.h"

/* A method of _core.Manager. */
PyObject *sp_submit(PyObject *manager, PyObject *args);
extern const char sp_submit_doc[];

#endif
