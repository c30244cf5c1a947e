/* The callable ProfileManager.profile_region, also known as region. */
#ifndef SP_REGION_LOOKUP_H
#define SP_REGION_LOOKUP_H

#include "python/state.h"
#include "record/manager.h"

/* The manager's, made when first asked for; NULL with an exception set. A getter. */
PyObject *sp_region_lookup_of(PyObject *manager, void *unused);

#endif
