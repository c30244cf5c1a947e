/* Twins: decorated Python functions on CPython 3.12 and newer.
 *
 * A twin is a real function, so inspect, pickle, typing, descriptors and debuggers see nothing
 * new. Its vectorcall (a documented field) is ours while a run records. Python specializes calls
 * by a function's version and PyFunction_SetVectorcall clears it, so no call site goes past us;
 * when the run ends the field is put back, calls specialize anew, and a call costs nothing.
 *
 * The one specialization that looks at neither is the call of a class whose __init__ it has
 * inlined: methods of that name get a wrapper instead. */
#ifndef SP_TWIN_H
#define SP_TWIN_H

#include "record/region.h"

/* Whether the callable can have a twin. */
bool sp_twin_fits(PyObject *function);
/* The twin, as a new reference; NULL with an exception set. */
PyObject *sp_twin_new(sp_region *region, PyObject *function);
/* The manager's recording state changed. */
void sp_twin_switch(const sp_manager *manager);

#endif
