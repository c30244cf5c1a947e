/* The callable ProfileManager.profile_region, also known as region. */
#ifndef SP_OPENER_H
#define SP_OPENER_H

#include "state.h"

/* Make its types and put it on the manager's, which is there already; -1 with an exception set. */
int sp_opener_init(PyObject *module, sp_state *state);

#endif
