/* What @profile returns. Two carriers of the same enter and leave:
 *
 * - a twin: for a Python function on 3.12 and newer, a second function object over the same code,
 *   whose vectorcall is ours while a run records and Python's own when none does;
 * - a wrapper: for everything else that can be called, and on 3.11, where calls between Python
 *   functions never look at vectorcall: an object of our own type. */
#ifndef SP_WRAPPER_H
#define SP_WRAPPER_H

#include "record/region.h"

/* The function under the region, as a new reference; NULL with an exception set. metadata: of each
 * call, a dict or a callable, or NULL. record_outcome: note how each call ended. */
PyObject *sp_wrapper_new(sp_region *region, PyObject *function, PyObject *metadata,
                         bool record_outcome);

/* The Python function whose frame a call of the callable begins with: through methods, partials (func)
 * and, if wanted, what decorators say that they wrap. A new reference; NULL without an exception for
 * none. */
PyObject *sp_function_of(PyObject *callable, bool wrapped);

#endif
