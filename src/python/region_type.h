/* The Python type of regions, and how one is made. */
#ifndef SP_REGION_TYPE_H
#define SP_REGION_TYPE_H

#include "python/state.h"
#include "record/region.h"

/* The region of that name; made when missing. Borrowed: Python that runs may have it forgotten. NULL
 * with an exception set. */
sp_region *sp_region_of(sp_manager *manager, PyObject *name);

/* The same for call tracing, which says where the region stands, and does not ask for it again. */
PyObject *sp_region_at(PyObject *manager, PyObject *args);
extern const char sp_region_at_doc[];
PyObject *sp_region_of_function(PyObject *manager, PyObject *args);
extern const char sp_region_of_function_doc[];

/* Once, when the module is loaded: what folders below ask for. */
void sp_region_init(void);

#endif
