/* The Python type of regions, and how one is made. */
#ifndef SP_REGION_TYPE_H
#define SP_REGION_TYPE_H

#include "python/state.h"
#include "record/region.h"

/* The region of that name; made when missing. Borrowed: Python that runs may have it forgotten. NULL
 * with an exception set. */
sp_region *sp_region_of(sp_manager *manager, PyObject *name);

#endif
