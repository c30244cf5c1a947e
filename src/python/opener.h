/* The callable ProfileManager.profile_region, also known as region. */
#ifndef SP_OPENER_H
#define SP_OPENER_H

#include "python/state.h"
#include "record/manager.h"

/* The manager's, made when first asked for; NULL with an exception set. A getter. */
PyObject *sp_opener_of(PyObject *manager, void *unused);
int sp_opener_init(PyObject *module, sp_state *state);

#endif
