/* RegionFactory: a region and metadata in one `with`, as factory(step=3). */
#ifndef SP_FACTORY_H
#define SP_FACTORY_H

#include "base/compat.h"

/* A method of the manager. */
PyObject *sp_factory_new(PyObject *manager, PyObject *region);
extern const char sp_factory_new_doc[];

#endif
