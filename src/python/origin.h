/* Where something begins that belongs below the regions that are open now: a child process. */
#ifndef SP_ORIGIN_H
#define SP_ORIGIN_H

#include "base/compat.h"

/* A method of _core.Manager. */
PyObject *sp_open_regions(PyObject *manager, PyObject *unused);
extern const char sp_open_regions_doc[];

#endif
