/* Callbacks for sys.monitoring. The interpreter calls them more often than anything else, so they are
 * objects with vectorcall, which it calls as they are; a built-in function in their place would look
 * at keywords and recursion first, and cost a third more of the whole event. */
#ifndef SP_CALLBACK_H
#define SP_CALLBACK_H

#include "state.h"

/* Add a callback to the module; -1 with an exception set. */
int sp_callback_add(PyObject *module, const char *name, vectorcallfunc function);

int sp_callback_init(PyObject *module, sp_state *state);

#endif
